"""Cursor pagination: keyset on a unique column, so that no page skips or repeats a row."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.errors import Invalid
from api.schemas.base import ID_PATTERN

MOST = 200  # items on one page
_WHOLE = re.compile(r"[0-9]{1,9}")
Row = TypeVar("Row")


@dataclass(frozen=True)
class Paging:
    """Which page was asked for: at most `limit` items after the key in `cursor`."""

    limit: int
    cursor: str | None

    def key(self, kind: type[str] | type[int]) -> Any:
        """The key after which the page begins; None at the start. Raises Invalid."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            key = base64.b64decode(padded.encode("ascii"), b"-_", validate=True).decode("ascii")
        except (ValueError, binascii.Error):
            raise _bad_cursor() from None
        pattern = re.compile(ID_PATTERN.strip("^$")) if kind is str else _WHOLE
        if not pattern.fullmatch(key):
            raise _bad_cursor()
        return kind(key)


def get_paging(
    limit: Annotated[int, Query(ge=1, le=MOST, description="items on one page")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=100, description="`next_cursor` of the page before")
    ] = None,
) -> Paging:
    return Paging(limit, cursor)


PagingDep = Annotated[Paging, Depends(get_paging)]


def paginate(
    session: Session,
    statement: Select[Row],
    column: InstrumentedAttribute[Any],
    paging: Paging,
) -> tuple[Sequence[Row], str | None]:
    """One page of a statement in order of a unique column, and the cursor of the next.

    Raises Invalid for a cursor that no page of this list has given.
    """
    key = paging.key(column.type.python_type)
    if key is not None:
        statement = statement.where(column > key)
    rows = session.scalars(statement.order_by(column).limit(paging.limit + 1)).all()
    return cut(rows, column.key, paging)


def cut(rows: Sequence[Row], name: str, paging: Paging) -> tuple[Sequence[Row], str | None]:
    """The page out of one row more than it holds, and the cursor of the next page."""
    page = rows[: paging.limit]
    return page, make_cursor(getattr(page[-1], name)) if len(rows) > paging.limit else None


def make_cursor(key: object) -> str:
    """A key as a cursor: opaque, so that nobody builds on what is inside."""
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _bad_cursor() -> Invalid:
    return Invalid(
        "bad_cursor",
        "cursor: give `next_cursor` of the page before, or leave it out to begin",
        field="cursor",
    )
