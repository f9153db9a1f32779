"""Answers: companies answer their leads, the firm sees who is interested in neutral order."""

from fastapi import Response
from sqlalchemy import select

from api.idempotency import OnceDep
from api.routes.access import FOUND, WRITTEN, LeadsRead, LeadsWrite, NeedsRead, PathId, noun
from api.schemas.answers import AnswerIn, AnswerOut, InterestedCompany, InterestedOut
from api.services import answers, authorisation, leads
from models import Answer
from models.states import Outcome

router = noun("answers")


@router.post(
    "/leads/{lead_id}/answers", status_code=201, response_model=AnswerOut, responses=WRITTEN
)
def give_answer(desk: LeadsWrite, lead_id: PathId, body: AnswerIn, once: OnceDep) -> Response:
    """Answer a lead; may be changed until the deadline, the last one counts.

    The company itself; scope `leads:write`. Being fast brings nothing: the firm sees all
    interested companies in an order that time does not change.
    """
    lead = authorisation.lead_as_company(desk, lead_id)
    answer = answers.give(
        desk,
        lead,
        body.kind,
        reason=body.reason,
        available_from=body.available_from,
        capacity=body.capacity,
        note=body.note,
    )
    return once.answer(AnswerOut.model_validate(answer), 201)


@router.get("/leads/{lead_id}/answers", responses=FOUND)
def list_answers(desk: LeadsRead, lead_id: PathId) -> list[AnswerOut]:
    """All answers to a lead, oldest first. Its company and hub; scope `leads:read`."""
    lead = authorisation.lead(desk, lead_id)
    rows = desk.session.scalars(select(Answer).where(Answer.lead_id == lead.id).order_by(Answer.id))
    return [AnswerOut.model_validate(row) for row in rows]


def _shown(each: answers.Interested) -> InterestedCompany:
    """The company as a firm may see it: how to reach it is told with the choice."""
    company = InterestedCompany.model_validate(each.company)
    if each.lead.outcome is not Outcome.CHOSEN:
        company = company.model_copy(update={"email": None, "phone": None})
    return company


@router.get("/needs/{need_id}/interested", responses=FOUND)
def list_interested(desk: NeedsRead, need_id: PathId) -> list[InterestedOut]:
    """The interested companies in the neutral order of this need. Its firm and hub.

    Recompute the order yourself: sort by the SHA-256 of `<need id>:<company id>` in hexadecimal.
    """
    need = authorisation.need(desk, need_id)
    found = answers.interested(desk, need.id)
    matches = leads.matches_of(desk, found[0].lead.broadcast_id) if found else {}
    return [
        InterestedOut(
            lead_id=each.lead.id,
            company=_shown(each),
            answer=each.answer,
            offer_text=matches[each.company.id]["offer_text"],
            steps=matches[each.company.id]["steps"],
        )
        for each in found
    ]
