"""Import of companies, offers, firms and needs from a spreadsheet, looked at before it is kept."""

import base64
from typing import Annotated

from fastapi import APIRouter, File, Response, UploadFile

from api.errors import Invalid
from api.pages import words
from api.pages.fields import Text, Texts
from api.pages.visit import CoordinatorVisit, Visit
from api.services import imports
from api.web import Csrf

router = APIRouter()
MOST_BYTES = 900_000  # base64 of the file travels in the second form
MOST_FIELD = 500_000  # characters of it in one field: a form's field holds at most a megabyte
SAYS_ALL = {"missing_columns", "unknown_format", "not_text", "bad_encoding"}  # without the detail


@router.get("/hub/import")
def ask(visit: CoordinatorVisit) -> Response:
    """Choose a file."""
    return _page(visit)


def _page(
    visit: Visit,
    error: str = "",
    detail: str = "",
    report: imports.Report | None = None,
    noun: str = "companies",
    name: str = "",
    content: bytes = b"",
) -> Response:
    return visit.page(
        "hub/import.html",
        422 if error else 200,
        columns=imports.COLUMNS,
        error=error,
        detail=detail,
        report=report,
        why=lambda row: words.problem(visit.language, row.problem) if row.problem else row.why,
        noun=noun,
        name=name,
        parts=_parts(content) if report and not report.bad else [],
    )


def _parts(content: bytes) -> list[str]:
    carried = base64.b64encode(content).decode()
    return [carried[at : at + MOST_FIELD] for at in range(0, len(carried), MOST_FIELD)]


@router.post("/hub/import", dependencies=[Csrf])
def preview(
    visit: CoordinatorVisit,
    file: Annotated[UploadFile, File()],
    noun: Text = "companies",
) -> Response:
    """A dry run: every bad row and why; nothing is kept."""
    content = file.file.read(MOST_BYTES + 1)
    return _run(visit, noun, file.filename or "", content, keep=False)


@router.post("/hub/import/keep", dependencies=[Csrf])
def keep(
    visit: CoordinatorVisit,
    noun: Text = "companies",
    name: Text = "",
    content: Texts = [],  # noqa: B006
) -> Response:
    """The same file, now kept: all rows or none."""
    try:
        raw = base64.b64decode("".join(content), validate=True)
    except ValueError:
        raise Invalid("bad_csv", "the file did not come through; choose it again") from None
    return _run(visit, noun, name, raw, keep=True)


def _run(visit: Visit, noun: str, name: str, content: bytes, *, keep: bool) -> Response:
    if noun not in imports.COLUMNS:
        raise Invalid("bad_choice", "noun: choose one", field="noun")
    savepoint = visit.desk.session.begin_nested()
    try:
        if len(content) > MOST_BYTES:
            raise Invalid("body_too_large", f"at most {MOST_BYTES:,} bytes; split the file")
        report = imports.import_table(visit.desk, noun, name, content)
    except Invalid as problem:
        savepoint.rollback()
        detail = "" if problem.code in SAYS_ALL else problem.detail
        return _page(visit, words.problem(visit.language, problem), detail, noun=noun)
    if keep and not report.bad:
        savepoint.commit()
        return visit.go("/hub/companies", "imported")
    savepoint.rollback()
    return _page(visit, report=report, noun=noun, name=name, content=content)
