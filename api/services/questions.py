"""Questions: asked by one company, answered by the firm to all; the asker stays hidden."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Conflict, NotFound
from api.services import answers, audit, authorisation, checks, leads, ledger, needs
from api.services.desk import Desk
from models import Lead, Question
from models.message import MessageKind
from models.states import NeedState


def ask(desk: Desk, lead: Lead, text: str) -> Question:
    """A company asks the firm something; the firm is mailed, without who asked."""
    need = leads.hold(desk, lead.need_id)
    desk.session.refresh(lead)
    if lead.closed_at is not None or need.state is not NeedState.OPEN:
        raise Conflict("lead_closed", "this lead is closed; questions are no longer possible")
    question = Question(
        need_id=need.id,
        lead_id=lead.id,
        text=checks.text(text, "text", least=3, most=3000),
        created_at=desk.at,
    )
    desk.session.add(question)
    desk.session.flush()
    answers.opened(desk, lead)
    ledger.append(desk, lead.broadcast_id, "asked", lead.id, question_id=question.id)
    needs.notify_firm(desk, need, MessageKind.QUESTION, question=question.text)
    return question


def ask_firm(desk: Desk, need_id: str, text: str) -> Question:
    """The coordinator asks the firm something before release."""
    need = authorisation.need_as_coordinator(desk, need_id)
    question = Question(
        need_id=need.id,
        lead_id=None,
        text=checks.text(text, "text", least=3, most=3000),
        created_at=desk.at,
    )
    desk.session.add(question)
    desk.session.flush()
    audit.record(desk, "ask", "need", need.id, need.hub_id, question_id=question.id)
    needs.notify_firm(desk, need, MessageKind.QUESTION, question=question.text)
    return question


def answer(desk: Desk, question_id: str, text: str) -> Question:
    """The firm (or the hub in its name) answers; question and answer go to all recipients."""
    question = desk.session.get(Question, question_id)
    if question is None:
        raise NotFound("question_not_found", "there is no such question")
    need = leads.hold(desk, authorisation.need(desk, question.need_id).id)
    question.answer = checks.text(text, "answer", least=1, most=5000)
    question.answered_at = desk.at
    audit.record(desk, "answer_question", "need", need.id, need.hub_id, question_id=question.id)
    broadcast = leads.present(desk, need.id)
    if question.lead_id is not None and broadcast is not None:
        ledger.append(desk, broadcast.id, "question_answered", question_id=question.id)
        leads.tell_recipients(
            desk,
            need,
            MessageKind.QUESTION_ANSWERED,
            question=question.text,
            answer=question.answer,
        )
    return question


def of_need(desk: Desk, need_id: str) -> Sequence[Question]:
    """All questions of a need, oldest first."""
    return desk.session.scalars(
        select(Question).where(Question.need_id == need_id).order_by(Question.id)
    ).all()
