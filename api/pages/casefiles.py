"""The case file of a need: its line of time and the coordinators' notes."""

from fastapi import APIRouter, Response

from api.pages.fields import Text, caught
from api.pages.visit import CoordinatorVisit, Visit
from api.services import authorisation, casefiles, notes
from api.services.casefiles import EntryKind
from api.web import Csrf

router = APIRouter()


@router.get("/hub/needs/{need_id}/file")
def show(visit: CoordinatorVisit, need_id: str, only: str = "", edit: str = "") -> Response:
    """Who did what when; `only` one kind of entry, `edit` the note to be changed."""
    return _page(visit, need_id, only, edit)


def _page(
    visit: Visit,
    need_id: str,
    only: str = "",
    edit: str = "",
    errors: dict[str, str] | None = None,
    typed: str = "",
) -> Response:
    need = authorisation.need_as_coordinator(visit.desk, need_id)
    entries = casefiles.of_need(visit.desk, need.id)
    return visit.page(
        "hub/casefile.html",
        422 if errors else 200,
        need=need,
        entries=[each for each in entries if not only or each.kind == only],
        only=only,
        kinds=[each.value for each in EntryKind],
        edit=edit,
        errors=errors or {},
        typed=typed,
    )


@router.post("/hub/needs/{need_id}/notes", dependencies=[Csrf])
def add(visit: CoordinatorVisit, need_id: str, text: Text = "") -> Response:
    """Write a note in the case file."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        notes.add(visit.desk, need_id, text)
        return visit.go(f"/hub/needs/{need_id}/file", "note_added")
    return _page(visit, need_id, errors=errors, typed=text)


@router.post("/hub/needs/{need_id}/notes/{note_id}", dependencies=[Csrf])
def change(
    visit: CoordinatorVisit, need_id: str, note_id: str, text: Text = "", do: Text = "edit"
) -> Response:
    """Change a note of one's own, take it away (`do=remove`) or put it back (`do=restore`)."""
    path = f"/hub/needs/{need_id}/file"
    if do == "remove":
        notes.remove(visit.desk, note_id)
        return visit.go(path, "note_removed")
    if do == "restore":
        notes.restore(visit.desk, note_id)
        return visit.go(path, "note_restored")
    errors: dict[str, str] = {}
    with caught(visit, errors):
        notes.edit(visit.desk, note_id, text)
        return visit.go(path, "note_changed")
    return _page(visit, need_id, edit=note_id, errors=errors, typed=text)
