"""Questions: from a company or the coordinator to the firm; answers go to all recipients."""

from fastapi import Response

from api.idempotency import OnceDep
from api.routes.access import (
    FOUND,
    WRITTEN,
    LeadsRead,
    LeadsWrite,
    NeedsRead,
    NeedsWrite,
    PathId,
    noun,
)
from api.schemas.questions import QuestionAnswerIn, QuestionIn, QuestionOut
from api.services import authorisation, questions
from models import Question

router = noun("questions")


def question_out(question: Question) -> QuestionOut:
    return QuestionOut(
        id=question.id,
        need_id=question.need_id,
        by="coordinator" if question.lead_id is None else "company",
        text=question.text,
        answer=question.answer,
        answered_at=question.answered_at,
        created_at=question.created_at,
    )


@router.post(
    "/leads/{lead_id}/questions", status_code=201, response_model=QuestionOut, responses=WRITTEN
)
def ask(desk: LeadsWrite, lead_id: PathId, body: QuestionIn, once: OnceDep) -> Response:
    """Ask the firm something, without it knowing who asks. The company; scope `leads:write`."""
    lead = authorisation.lead_as_company(desk, lead_id)
    return once.answer(question_out(questions.ask(desk, lead, body.text)), 201)


@router.get("/leads/{lead_id}/questions", responses=FOUND)
def list_lead_questions(desk: LeadsRead, lead_id: PathId) -> list[QuestionOut]:
    """The questions of companies that were answered, and your own. Scope `leads:read`."""
    lead = authorisation.lead(desk, lead_id)
    return [
        question_out(each)
        for each in questions.of_need(desk, lead.need_id)
        if each.lead_id == lead.id or (each.lead_id is not None and each.answered_at is not None)
    ]


@router.post(
    "/needs/{need_id}/questions", status_code=201, response_model=QuestionOut, responses=WRITTEN
)
def ask_firm(desk: NeedsWrite, need_id: PathId, body: QuestionIn, once: OnceDep) -> Response:
    """Ask the firm something before release. Coordinators; scope `needs:write`."""
    return once.answer(question_out(questions.ask_firm(desk, need_id, body.text)), 201)


@router.get("/needs/{need_id}/questions", responses=FOUND)
def list_questions(desk: NeedsRead, need_id: PathId) -> list[QuestionOut]:
    """All questions of a need, oldest first; nobody sees who asked. Its firm and hub."""
    need = authorisation.need(desk, need_id)
    return [question_out(each) for each in questions.of_need(desk, need.id)]


@router.post("/questions/{question_id}/answer", response_model=QuestionOut, responses=WRITTEN)
def answer_question(
    desk: NeedsWrite, question_id: PathId, body: QuestionAnswerIn, once: OnceDep
) -> Response:
    """Answer a question; question and answer go to all recipients. The firm, or its hub."""
    return once.answer(question_out(questions.answer(desk, question_id, body.answer)))
