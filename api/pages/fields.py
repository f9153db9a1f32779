"""What browsers send in form fields, made into values; and errors laid beside their field."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

from fastapi import Form

from api.errors import Invalid, Problem, TooLarge
from api.i18n import BRUSSELS
from api.pages import words
from api.pages.visit import Visit

Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]


def day(value: str, field: str) -> date | None:
    """A day as a date field sends it; None when empty. Raises Invalid."""
    if not value.strip():
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise Invalid("bad_date", f"{field}: {value!r} is no date", field=field) from None


def moment(value: str, field: str) -> datetime | None:
    """A moment in Brussels time; None when empty. Raises Invalid."""
    if not value.strip():
        return None
    try:
        return datetime.fromisoformat(value.strip()).replace(tzinfo=BRUSSELS)
    except ValueError:
        raise Invalid("bad_date", f"{field}: {value!r} is no moment", field=field) from None


def number(value: str, field: str) -> float | None:
    """A number with comma or point; None when empty. Raises Invalid."""
    if not value.strip():
        return None
    try:
        found = float(value.strip().replace(",", "."))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):  # float() takes "nan", "inf" and 1e309
        raise Invalid("bad_number", f"{field}: {value!r} is no number", field=field)
    return found


@contextmanager
def caught(visit: Visit, errors: dict[str, str]) -> Iterator[None]:
    """Run a service; what is wrong with a field lands in `errors`, and nothing is kept of it.

    The savepoint takes back what the service wrote before it refused.
    """
    savepoint = visit.desk.session.begin_nested()
    try:
        yield
    except (Invalid, TooLarge) as problem:
        savepoint.rollback()
        field = problem.values.get("field")
        if not isinstance(field, str):
            raise
        errors[field] = words.problem(visit.language, problem)
    except Problem:
        savepoint.rollback()
        raise
    else:
        savepoint.commit()
