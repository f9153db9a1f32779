"""Choices: the firm chooses one, more or none of the interested; the hub never does."""

from fastapi import Response

from api.idempotency import OnceDep
from api.routes.access import FOUND, WRITTEN, NeedsRead, NeedsWrite, PathId, noun
from api.schemas.choices import ChoiceIn, ChoiceOut, ChoicesOut
from api.services import authorisation, choices
from api.services.desk import Desk
from models import Need

router = noun("choices")


def choices_out(desk: Desk, need: Need) -> ChoicesOut:
    desk.session.flush()
    return ChoicesOut(
        need_id=need.id,
        state=need.state.value,
        choices=[
            ChoiceOut(
                lead_id=lead.id,
                company_id=lead.company_id,
                chosen=choice.chosen,
                reason=choice.reason,
                created_at=choice.created_at,
            )
            for choice, lead in choices.of_need(desk, need.id)
        ],
    )


@router.post(
    "/needs/{need_id}/choices", status_code=201, response_model=ChoicesOut, responses=WRITTEN
)
def choose(desk: NeedsWrite, need_id: PathId, body: ChoiceIn, once: OnceDep) -> Response:
    """Choose among the interested, or none; all recipients are told. The firm alone."""
    need = choices.choose(desk, need_id, body.leads, body.reason)
    return once.answer(choices_out(desk, need), 201)


@router.get("/needs/{need_id}/choices", responses=FOUND)
def list_choices(desk: NeedsRead, need_id: PathId) -> ChoicesOut:
    """What the firm decided. Its firm and hub; scope `needs:read`."""
    return choices_out(desk, authorisation.need(desk, need_id))


@router.post("/needs/{need_id}/reopen", response_model=ChoicesOut, responses=WRITTEN)
def reopen(desk: NeedsWrite, need_id: PathId, once: OnceDep) -> Response:
    """Undo a choice and decide anew among the same companies. The firm alone."""
    return once.answer(choices_out(desk, choices.reopen(desk, need_id)))
