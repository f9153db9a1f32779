"""What ends a broadcast: reminders before, the deadline, a withdrawal; and telling everyone."""

from collections.abc import Sequence

from sqlalchemy import select

from api.services import (
    answers,
    audit,
    authorisation,
    broadcasts,
    checks,
    leads,
    ledger,
    meeting_options,
    needs,
    outbox,
    people,
    webhooks,
)
from api.services.desk import WORKER, Desk
from models import Broadcast, Company, Hub, Lead, Need, Question
from models.lead import Outcome
from models.message import MessageKind
from models.states import NeedState

CLOSING = (
    MessageKind.LEAD,
    MessageKind.LEAD_COPY,
    MessageKind.NEW_LINK,
    MessageKind.REMINDER,
    MessageKind.CORRECTION,
)


def remind(desk: Desk, broadcast: Broadcast) -> int:
    """One reminder, only to companies that have not reacted and want reminders."""
    need = desk.session.get_one(Need, broadcast.need_id)
    if need.state is not NeedState.OPEN or broadcast.deadline <= desk.at:
        return 0
    silent = _silent(desk, broadcast)
    for lead in silent:
        lead.reminded_at = desk.at
    leads.tell_recipients(desk, need, MessageKind.REMINDER, only=silent)
    return len(silent)


def _silent(desk: Desk, broadcast: Broadcast) -> Sequence[Lead]:
    """The leads whose company got it, has not reacted, and may still be reminded."""
    return desk.session.scalars(
        select(Lead)
        .join(Company)
        .where(
            Lead.broadcast_id == broadcast.id,
            Lead.answered_at.is_(None),
            Lead.reminded_at.is_(None),
            Lead.handed_over_at.is_not(None),
            Company.wants_reminders,
            Lead.id.not_in(select(Question.lead_id).where(Question.lead_id.is_not(None))),
        )
    ).all()


def pass_deadline(desk: Desk, broadcast: Broadcast) -> None:
    """The deadline has passed: the firm chooses among the interested, or the hub gets it back."""
    need = desk.session.get_one(Need, broadcast.need_id)
    if need.state is not NeedState.OPEN:
        return
    interested = answers.interested(desk, need.id)
    outbox.cancel_for_need(desk, need.id, (MessageKind.REMINDER,))
    ledger.append(desk, broadcast.id, "deadline", interested=len(interested))
    if interested:
        need.state = NeedState.DECIDING
        needs.notify_firm(desk, need, MessageKind.DEADLINE, interested=len(interested))
        return
    need.state = NeedState.RETURNED
    close_leads(desk, broadcast, need, Outcome.NONE_CHOSEN, tell=False)
    hub = desk.session.get_one(Hub, need.hub_id)
    declined = answers.declined_reasons(desk, need.id)
    for person in people.coordinators(desk, hub.id):
        outbox.queue(
            desk,
            MessageKind.RETURNED,
            outbox.Recipient(person.email, person.name, person.language),
            need_id=need.id,
            need=need,
            leads=len(leads.leads_of(desk, broadcast.id)),
            declined=declined,
        )


def withdraw(desk: Desk, need_id: str, reason: str = "") -> Need:
    """The firm (or the hub for it) takes a need back; recipients are told if it was out."""
    need = leads.hold(desk, authorisation.need(desk, need_id).id)
    was_out = need.state in (NeedState.OPEN, NeedState.DECIDING)
    need.state_note = checks.line(reason, "reason", most=2000)
    need.state = NeedState.WITHDRAWN
    need.closed_at = desk.at
    audit.record(desk, "withdraw", "need", need.id, need.hub_id)
    if was_out:
        broadcast = leads.present(desk, need.id)
        if broadcast is not None:
            close_leads(desk, broadcast, need, Outcome.WITHDRAWN)
    return need


def close_leads(
    desk: Desk,
    broadcast: Broadcast,
    need: Need,
    outcome: Outcome,
    *,
    chosen: Sequence[str] = (),
    reason: str = "",
    tell: bool = True,
) -> None:
    """Close every lead of a broadcast with its outcome, and tell every recipient.

    `chosen` holds the leads that were chosen; all others get `outcome`.
    """
    outbox.cancel_for_need(desk, need.id, CLOSING)
    broadcast.closed_at = desk.at
    closed = []
    for lead in leads.leads_of(desk, broadcast.id):
        lead.outcome = Outcome.CHOSEN if lead.id in chosen else outcome
        lead.closed_at = desk.at
        ledger.append(desk, broadcast.id, "closed", lead.id, outcome=lead.outcome.value)
        closed.append((lead, {"outcome": lead.outcome.value}))
    webhooks.tell(desk, "lead.closed", need, closed)
    lost = [lead for lead, _ in closed if lead.outcome is not Outcome.CHOSEN]
    meeting_options.call_off(desk, need, lost)
    if tell:
        leads.tell_recipients(desk, need, MessageKind.OUTCOME, reason=reason)


def open_ones(desk: Desk) -> Sequence[str]:
    """The broadcasts whose need is open, oldest first."""
    return desk.session.scalars(
        select(Broadcast.id)
        .join(Need, Need.id == Broadcast.need_id)
        .where(Broadcast.closed_at.is_(None), Need.state == NeedState.OPEN)
        .order_by(Broadcast.id)
    ).all()


def is_due(desk: Desk, broadcast_id: str) -> bool:
    """Whether `attend` has something to do. Only reads, so that nobody has to wait for it."""
    broadcast = desk.session.get_one(Broadcast, broadcast_id)
    return (
        broadcast.deadline <= desk.at
        or (_may_remind(desk, broadcast) and len(_silent(desk, broadcast)) > 0)
        or len(broadcasts.joining(desk, broadcast)) > 0
    )


def attend(desk: Desk, broadcast_id: str) -> None:
    """What time brings to one broadcast: its deadline, late joiners, one reminder."""
    worker = desk.as_actor(WORKER)
    broadcast = desk.session.get_one(Broadcast, broadcast_id)
    leads.hold(desk, broadcast.need_id)
    if broadcast.deadline <= desk.at:
        pass_deadline(worker, broadcast)
        return
    broadcasts.add_late_joiners(worker, broadcast)
    if _may_remind(desk, broadcast):
        remind(worker, broadcast)


def _may_remind(desk: Desk, broadcast: Broadcast) -> bool:
    half = broadcast.released_at + (broadcast.deadline - broadcast.released_at) / 2
    return desk.at >= half and desk.session.get_one(Hub, broadcast.hub_id).reminders


def due_work(desk: Desk) -> None:
    """What time brings to every open broadcast, in one transaction."""
    for broadcast_id in open_ones(desk):
        attend(desk, broadcast_id)
