"""Photos and PDFs of a need: put with it, taken away, and given to who may see it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.files import file_response
from api.pages.fields import caught
from api.pages.visit import MemberVisit, Visit, VisitDep
from api.services import attachments, authorisation, links
from api.services.uploads import Upload
from api.web import Csrf
from models import Attachment

router = APIRouter()
MOST_PARTS = 40  # of one form: more is no form of ours


async def uploads(request: Request) -> list[Upload]:
    """The files of a form; a field without a choice sends an empty one, which is none."""
    async with request.form(max_files=MOST_PARTS) as data:
        return [
            Upload(each.filename, await each.read())
            for each in data.getlist("files")
            if not isinstance(each, str) and each.filename
        ]


Uploads = Annotated[list[Upload], Depends(uploads)]


@router.get("/needs/{need_id}/attachments/{attachment_id}")
def of_need(visit: MemberVisit, need_id: str, attachment_id: str, small: bool = False) -> Response:
    """A file of a need, for its firm and its hub."""
    return file_response(attachments.find(visit.desk, need_id, attachment_id), small=small)


@router.get("/leads/{lead_id}/attachments/{attachment_id}")
def of_lead(visit: MemberVisit, lead_id: str, attachment_id: str, small: bool = False) -> Response:
    """A file that was sent with a lead, for its company."""
    lead = authorisation.lead_as_company(visit.desk, lead_id)
    return file_response(attachments.find_of_lead(visit.desk, lead, attachment_id), small=small)


@router.get("/l/{token}/attachments/{attachment_id}")
def by_link(visit: VisitDep, token: str, attachment_id: str, small: bool = False) -> Response:
    """A file that was sent with a lead, for who has its personal link."""
    lead = links.lead_of(visit.desk, token)
    return file_response(attachments.find_of_lead(visit.desk, lead, attachment_id), small=small)


def go_back(visit: Visit, need_id: str, done: str) -> Response:
    """To the page of the need that is the visitor's: of the firm, or of the hub."""
    need = authorisation.need(visit.desk, need_id)
    room = "/needs" if need.firm_id in visit.desk.actor.firms else "/hub/needs"
    return visit.go(f"{room}/{need.id}#attachments", done)


@router.post("/needs/{need_id}/attachments", dependencies=[Csrf])
def add(visit: MemberVisit, need_id: str, files: Uploads) -> Response:
    """Put files with a need; once it is open all recipients hear of it at once."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        attachments.add(visit.desk, need_id, files)
        return go_back(visit, need_id, "attached")
    need = authorisation.need(visit.desk, need_id)
    return visit.page("needs/attach.html", 422, need=need, errors=errors)


@router.post("/needs/{need_id}/attachments/{attachment_id}/remove", dependencies=[Csrf])
def remove(visit: MemberVisit, need_id: str, attachment_id: str) -> Response:
    """Take a file away; once the need is open all recipients hear of it at once."""
    attachments.remove(visit.desk, need_id, attachment_id)
    return go_back(visit, need_id, "detached")


class Held:
    """Files held for a form: with the token that the form carries, and what was refused."""

    def __init__(self, visit: Visit, found: list[Attachment], refused: str) -> None:
        self.found, self.refused = found, refused
        self.shown = [(each, attachments.token(visit.desk, each)) for each in found]


def hold_files(visit: Visit, given: list[Upload], kept: list[str], drop: str) -> Held:
    """The files of a form: those held before, less one taken away, and the new that pass."""
    desk = visit.desk
    attachments.drop(desk, attachments.held(desk, [drop] if drop in kept else []))
    found = attachments.held(desk, [each for each in kept if each != drop])
    refused: list[str] = []
    for upload in given:
        errors: dict[str, str] = {}
        with caught(visit, errors):
            found.append(attachments.hold(desk, upload, found))
        refused += errors.values()
    return Held(visit, found, " ".join(dict.fromkeys(refused)))
