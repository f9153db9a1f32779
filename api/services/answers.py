"""Answers: interested, or not for us with a coded reason; the last one counts, all are kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from api.errors import Conflict, Invalid
from api.services import checks, judgements, leads, ledger, needs, webhooks
from api.services.desk import Desk
from matcher.neutrality import neutral_order
from models import Answer, Broadcast, Company, Lead
from models.answer import AnswerKind, DeclineReason
from models.judgement import JudgementSource
from models.message import MessageKind
from models.states import NeedState


@dataclass(frozen=True)
class Interested:
    """One company that is interested, as the firm sees it."""

    lead: Lead
    company: Company
    answer: Answer


def opened(desk: Desk, lead: Lead) -> None:
    """The company opened its lead; the first time is kept."""
    if lead.opened_at is not None:
        return
    leads.hold(desk, lead.need_id)
    desk.session.refresh(lead)
    if lead.opened_at is None:
        lead.opened_at = desk.at
        ledger.append(desk, lead.broadcast_id, "opened", lead.id)


def give(
    desk: Desk,
    lead: Lead,
    kind: AnswerKind,
    *,
    reason: DeclineReason | None = None,
    available_from: str = "",
    capacity: str = "",
    note: str = "",
) -> Answer:
    """Answer a lead; may be changed as long as the lead is open.

    Raises Conflict when the lead is closed or past its deadline, Invalid when a decline has no
    reason.
    """
    need = leads.hold(desk, lead.need_id)
    desk.session.refresh(lead)
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    if lead.closed_at is not None or need.state is not NeedState.OPEN:
        raise Conflict("lead_closed", "this lead is closed; it can no longer be answered")
    if broadcast.deadline <= desk.at:
        raise Conflict("deadline_passed", "the deadline of this lead has passed")
    if kind is AnswerKind.NOT_FOR_US and reason is None:
        raise Invalid("reason_missing", "reason: choose why this is not for you", field="reason")
    answer = Answer(
        lead_id=lead.id,
        kind=kind,
        reason=reason if kind is AnswerKind.NOT_FOR_US else None,
        available_from=checks.line(available_from, "available_from"),
        capacity=checks.line(capacity, "capacity"),
        note=checks.text(note, "note", least=0, most=3000),
        created_at=desk.at,
    )
    was = last(desk, lead.id)
    desk.session.add(answer)
    opened(desk, lead)
    lead.answered_at = desk.at
    desk.session.flush()
    ledger.append(
        desk,
        lead.broadcast_id,
        "answered",
        lead.id,
        kind=kind.value,
        reason=answer.reason.value if answer.reason else None,
    )
    told = {"kind": kind.value, "reason": answer.reason.value if answer.reason else None}
    webhooks.tell(desk, "lead.answered", need, [(lead, told)])
    if answer.reason is DeclineReason.NOT_OUR_WORK:
        judgements.keep(desk, need.id, lead.company_id, JudgementSource.COMPANY, grade=0)
    elif kind is AnswerKind.INTERESTED:
        judgements.keep(desk, need.id, lead.company_id, JudgementSource.COMPANY, grade=2)
    if kind is AnswerKind.INTERESTED and (was is None or was.kind is not AnswerKind.INTERESTED):
        needs.notify_firm(
            desk, need, MessageKind.ANSWERED, interested=len(interested(desk, need.id))
        )
    return answer


def last(desk: Desk, lead_id: str) -> Answer | None:
    """The answer of a lead that counts."""
    return desk.session.scalar(
        select(Answer).where(Answer.lead_id == lead_id).order_by(Answer.id.desc()).limit(1)
    )


def last_of_need(desk: Desk, need_id: str) -> dict[str, Answer]:
    """Lead id -> the answer that counts, over the present broadcast of a need."""
    broadcast = leads.present(desk, need_id)
    if broadcast is None:
        return {}
    newest = (
        select(func.max(Answer.id))
        .join(Lead, Lead.id == Answer.lead_id)
        .where(Lead.broadcast_id == broadcast.id)
        .group_by(Answer.lead_id)
    )
    found = desk.session.scalars(select(Answer).where(Answer.id.in_(newest)))
    return {answer.lead_id: answer for answer in found}


def interested(desk: Desk, need_id: str) -> list[Interested]:
    """The interested companies in the neutral order of this need."""
    answers = {
        lead_id: answer
        for lead_id, answer in last_of_need(desk, need_id).items()
        if answer.kind is AnswerKind.INTERESTED
    }
    rows = desk.session.execute(
        select(Lead, Company)
        .join(Company, Company.id == Lead.company_id)
        .where(Lead.id.in_(answers))
    )
    by_company = {company.id: (lead, company) for lead, company in rows}
    return [
        Interested(*by_company[company_id], answers[by_company[company_id][0].id])
        for company_id in neutral_order(need_id, by_company)
    ]


def decliners(desk: Desk, need_id: str) -> frozenset[str]:
    """The leads whose company said it is not for them."""
    return frozenset(
        lead_id
        for lead_id, answer in last_of_need(desk, need_id).items()
        if answer.kind is AnswerKind.NOT_FOR_US
    )


def declined_reasons(desk: Desk, need_id: str) -> Sequence[tuple[str, int]]:
    """(reason code, how often) over the declines of a need, most frequent first."""
    counted = Counter(
        answer.reason.value
        for answer in last_of_need(desk, need_id).values()
        if answer.reason is not None
    )
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))
