"""Exceptions to the eligible set: only before release, only with a written reason."""

from fastapi import Response

from api.idempotency import OnceDep
from api.routes.access import FOUND, WRITTEN, BroadcastsWrite, NeedsRead, PathId, noun
from api.schemas.exceptions import ExceptionIn, ExceptionOut
from api.services import authorisation, exceptions

router = noun("exceptions")


@router.post(
    "/needs/{need_id}/exceptions", status_code=201, response_model=ExceptionOut, responses=WRITTEN
)
def make_exception(
    desk: BroadcastsWrite, need_id: PathId, body: ExceptionIn, once: OnceDep
) -> Response:
    """Leave out an eligible company or add another; it stands in the proof. Coordinators.

    Scope `broadcasts:write`.
    """
    made = exceptions.make(desk, need_id, body.company_id, body.kind, body.reason)
    return once.answer(ExceptionOut.model_validate(made), 201)


@router.get("/needs/{need_id}/exceptions", responses=FOUND)
def list_exceptions(desk: NeedsRead, need_id: PathId) -> list[ExceptionOut]:
    """The exceptions written for a need. Coordinators; scope `needs:read`."""
    need = authorisation.need_as_coordinator(desk, need_id)
    return [ExceptionOut.model_validate(each) for each in exceptions.of_need(desk, need.id)]


@router.delete("/needs/{need_id}/exceptions/{company_id}", status_code=204, responses=WRITTEN)
def undo_exception(desk: BroadcastsWrite, need_id: PathId, company_id: PathId) -> None:
    """Take an exception back before release. Coordinators; scope `broadcasts:write`."""
    exceptions.undo(desk, need_id, company_id)
