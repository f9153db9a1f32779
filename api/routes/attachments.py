"""Attachments: photos and PDFs of a need, for its firm and hub, and for whoever got its lead."""

import base64
import binascii
from typing import Any

from fastapi import Response

from api.errors import Invalid
from api.files import MEDIA_TYPES, file_response
from api.idempotency import OnceDep
from api.routes.access import FOUND, WRITTEN, LeadsRead, NeedsRead, NeedsWrite, PathId, noun
from api.schemas.attachments import AttachmentIn, AttachmentOut
from api.services import attachments, authorisation
from api.services.uploads import Upload

router = noun("attachments")
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILE: dict[int | str, dict[str, Any]] = FOUND | {
    200: {
        "description": "The bytes, as they are kept.",
        "content": dict.fromkeys(sorted(MEDIA_TYPES.values()), BINARY),
    }
}


@router.get("/needs/{need_id}/attachments", responses=FOUND)
def list_attachments(desk: NeedsRead, need_id: PathId) -> list[AttachmentOut]:
    """The files of a need, oldest first. Its firm and hub; scope `needs:read`."""
    need = authorisation.need(desk, need_id)
    return [AttachmentOut.model_validate(each) for each in attachments.of_need(desk, need.id)]


@router.post(
    "/needs/{need_id}/attachments", status_code=201, response_model=AttachmentOut, responses=WRITTEN
)
def attach(desk: NeedsWrite, need_id: PathId, body: AttachmentIn, once: OnceDep) -> Response:
    """Put a photo or a PDF with a need. Its firm or hub; scope `needs:write`.

    Once the need is open this is a correction: all recipients are told at the same moment.
    """
    try:
        data = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("bad_base64", "content: this is no base64", field="content") from None
    (added,) = attachments.add(desk, need_id, [Upload(body.name, data)])
    return once.answer(AttachmentOut.model_validate(added), 201)


@router.get("/needs/{need_id}/attachments/{attachment_id}", responses=FILE, response_class=Response)
def read_attachment(desk: NeedsRead, need_id: PathId, attachment_id: PathId) -> Response:
    """The bytes of a file of a need. Its firm and hub; scope `needs:read`."""
    return file_response(attachments.find(desk, need_id, attachment_id))


@router.delete("/needs/{need_id}/attachments/{attachment_id}", status_code=204, responses=WRITTEN)
def detach(desk: NeedsWrite, need_id: PathId, attachment_id: PathId) -> None:
    """Take a file away; once the need is open, as a correction to all. Its firm or hub."""
    attachments.remove(desk, need_id, attachment_id)


@router.get("/leads/{lead_id}/attachments", responses=FOUND)
def list_attachments_of_lead(desk: LeadsRead, lead_id: PathId) -> list[AttachmentOut]:
    """The files that go with a lead now, the same for every recipient; scope `leads:read`."""
    lead = authorisation.lead(desk, lead_id)
    return [AttachmentOut.model_validate(each) for each in attachments.of_lead(desk, lead)]


@router.get("/leads/{lead_id}/attachments/{attachment_id}", responses=FILE, response_class=Response)
def read_attachment_of_lead(desk: LeadsRead, lead_id: PathId, attachment_id: PathId) -> Response:
    """The bytes of a file that goes with a lead. Its company and hub; scope `leads:read`."""
    lead = authorisation.lead(desk, lead_id)
    return file_response(attachments.find_of_lead(desk, lead, attachment_id))
