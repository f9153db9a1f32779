"""The outbox: mails written in the transaction that makes them due, claimed by workers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import defer

from api.services import ledger
from api.services.desk import Desk
from api.services.mails import Recipient as Recipient
from api.services.mails import composed
from models import Broadcast, Hub, Lead, Message, Need, new_id
from models.message import MessageKind, MessageState

LEASE = timedelta(minutes=2)  # longer than one hand-over may take; then another worker may try
MOST_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=4)


class Result(StrEnum):
    """What came of one hand-over."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What the mail server said about one message (its row id), and at which moment."""

    id: str
    result: Result
    words: str
    at: datetime


def queue(
    desk: Desk,
    kind: MessageKind,
    to: Recipient,
    *,
    need_id: str | None = None,
    lead_id: str | None = None,
    due_at: datetime | None = None,
    rank: int = 0,
    headers: dict[str, str] | None = None,
    attachment: str | None = None,
    **context: Any,
) -> Message:
    """Write one mail from templates/mails/<kind>.txt and .html, due now or later.

    The template's blocks `subject` and `text` make the plain mail; the HTML part is its own
    template. `attachment` is an iCalendar text.
    """
    need = desk.session.get(Need, need_id) if need_id else None
    hub = desk.session.get(Hub, need.hub_id) if need else None
    unsubscribe = (headers or {}).get("List-Unsubscribe", "").strip("<>")
    subject, text, html = composed(desk, kind, to, hub, unsubscribe=unsubscribe, **context)
    settings = desk.runtime.settings
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message = Message(
        kind=kind,
        message_id=f"<{new_id().lower()}@{domain}>",
        lead_id=lead_id,
        need_id=need_id,
        to_email=to.email,
        to_name=to.name,
        language=to.language,
        subject=subject,
        text=text,
        html=html,
        # Who answers a mail about a need by mail reaches the people of its hub.
        headers=({"Reply-To": hub.email} if hub else {}) | (headers or {}),
        attachment=attachment,
        due_at=due_at or desk.at,
        rank=rank,
        created_at=desk.at,
    )
    desk.session.add(message)
    return message


def next_due(desk: Desk) -> datetime | None:
    """When the first free message is due; None when nothing waits."""
    return desk.session.scalar(
        select(Message.due_at)
        .where(Message.state == MessageState.DUE, _free(desk))
        .order_by(Message.due_at)
        .limit(1)
    )


def claim(
    desk: Desk,
    worker: str,
    limit: int,
    *,
    ahead: timedelta = timedelta(0),
    in_hand: Collection[str] = (),
) -> Sequence[Message]:
    """Lease up to `limit` messages to a worker, in order of due moment and rank.

    Those due within `ahead` come too, to be prepared; they may not be handed over before they
    are due. A lease that has expired may be claimed again: its worker died meanwhile. What the
    worker has `in_hand` is on its way, also when a clock that jumped ahead ended its lease.
    """
    due = (
        select(Message.id)
        .where(Message.state == MessageState.DUE, Message.due_at <= desk.at + ahead, _free(desk))
        .where(Message.id.not_in(in_hand))
        .order_by(Message.due_at, Message.rank, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = desk.session.scalars(due).all()
    if not ids:
        return []
    # The condition is repeated: on SQLite, which has no row locks, it is what makes the claim.
    claimed = desk.session.scalars(
        update(Message)
        .where(Message.id.in_(ids), Message.state == MessageState.DUE, _free(desk))
        .values(leased_until=desk.at + LEASE, leased_by=worker, attempts=Message.attempts + 1)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    return sorted(claimed, key=lambda each: (each.due_at, each.rank, each.id))


def _free(desk: Desk) -> Any:
    """Not leased, or the lease has expired, or it was given before the clock was set back.

    What travels inside a digest is never claimed by itself.
    """
    return and_(
        Message.digest_id.is_(None),
        or_(
            Message.leased_until.is_(None),
            Message.leased_until < desk.at,
            Message.leased_until > desk.at + 2 * LEASE,
        ),
    )


def renew(desk: Desk, worker: str, ids: Collection[str]) -> set[str]:
    """Lengthen a worker's leases; returns those that are still its own and still due.

    One that somebody is writing at this moment is passed over, not waited for.
    """
    own = (
        select(Message.id)
        .where(
            Message.id.in_(ids),
            Message.state == MessageState.DUE,
            Message.leased_by == worker,
        )
        .with_for_update(skip_locked=True)
    )
    return set(
        desk.session.scalars(
            update(Message)
            .where(Message.id.in_(desk.session.scalars(own).all()))
            .values(leased_until=desk.at + LEASE)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
    )


def give_back(desk: Desk, worker: str, ids: Collection[str] | None = None) -> None:
    """End a worker's leases (all, or only these) on messages that were not tried."""
    statement = update(Message).where(
        Message.state == MessageState.DUE, Message.leased_by == worker
    )
    if ids is not None:
        statement = statement.where(Message.id.in_(ids))
    desk.session.execute(
        statement.values(leased_until=None, leased_by=None, attempts=Message.attempts - 1)
    )


def holders(desk: Desk) -> Sequence[str]:
    """The workers that hold leases now."""
    found = desk.session.scalars(
        select(Message.leased_by)
        .where(Message.state == MessageState.DUE, Message.leased_by.is_not(None))
        .distinct()
    )
    return [name for name in found if name is not None]


def record(desk: Desk, outcomes: Sequence[Outcome]) -> None:
    """Keep what the mail server said, each with the moment at which it was said.

    Ledgers are locked first, always in the same order, so that two workers wait for each other
    instead of blocking each other.
    """
    found = desk.session.execute(
        select(Message, Lead)
        .outerjoin(Lead, Lead.id == Message.lead_id)
        .where(Message.id.in_([outcome.id for outcome in outcomes]))
        .options(defer(Message.text), defer(Message.html), defer(Message.attachment))
    ).all()
    messages = {message.id: message for message, _ in found}
    leads = {lead.id: lead for _, lead in found if lead is not None}
    if carried := inside(desk, list(messages.values())):
        lead_ids = {message.lead_id for each in carried.values() for message in each}
        more = desk.session.scalars(select(Lead).where(Lead.id.in_(lead_ids)))
        leads |= {lead.id: lead for lead in more}
    broadcast_ids = {lead.broadcast_id for lead in leads.values()}
    desk.session.execute(
        select(Broadcast.id)
        .where(Broadcast.id.in_(broadcast_ids))
        .order_by(Broadcast.id)
        .with_for_update()
    )
    told: dict[str, list[ledger.Event]] = {}
    for outcome in sorted(outcomes, key=lambda each: each.at):
        carrier = messages[outcome.id]
        for message in (carrier, *carried.get(carrier.id, ())):
            happened = _apply(message, outcome)
            if carrier.state is MessageState.FAILED:
                outcome = replace(outcome, result=Result.REFUSED)  # given up: also what is inside
            lead = leads.get(message.lead_id or "")
            if lead is None or happened is None:
                continue
            told.setdefault(lead.broadcast_id, []).append(happened)
            if outcome.result is Result.TAKEN and message.kind is MessageKind.LEAD:
                lead.handed_over_at = lead.handed_over_at or outcome.at
    for broadcast_id in sorted(told):
        ledger.append_all(desk, broadcast_id, told[broadcast_id], held=True)


def inside(desk: Desk, found: Sequence[Message]) -> dict[str, list[Message]]:
    """Digest id -> the lead mails that travel inside it, in the order of their broadcasts."""
    digests = [message.id for message in found if message.kind is MessageKind.DIGEST]
    carried: dict[str, list[Message]] = {}
    if digests:
        for message in desk.session.scalars(
            select(Message)
            .join(Lead, Lead.id == Message.lead_id)
            .where(Message.digest_id.in_(digests))
            .order_by(Lead.broadcast_id, Message.id)
        ):
            carried.setdefault(message.digest_id or "", []).append(message)
    return carried


def handed_over(desk: Desk, message: Message, reply: str) -> None:
    """The mail server took the message: note when and its words."""
    record(desk, [Outcome(message.id, Result.TAKEN, reply, desk.at)])


def try_later(desk: Desk, message: Message, error: str) -> None:
    """Hand-over failed for now: try again after a back-off, or give up after the last try."""
    record(desk, [Outcome(message.id, Result.LATER, error, desk.at)])


def _apply(message: Message, outcome: Outcome) -> ledger.Event | None:
    """Put an outcome in the message's row; returns what the ledger is to be told.

    A message taken twice (its worker died before it could note the first time) is the same
    mail to its reader; the ledger tells both. One that was taken back meanwhile is not tried
    again, but if the server took it after all, that is how it was.
    """
    words = outcome.words[:500]
    told: dict[str, Any] = {"kind": message.kind.value, "message_id": message.message_id}
    if outcome.result is Result.TAKEN:
        if message.state not in (MessageState.SENT, MessageState.BOUNCED):
            message.state = MessageState.SENT
            message.handed_over_at = outcome.at
        message.reply = words
        message.error = ""
        _done(message)
        return ledger.Event("handed_over", outcome.at, message.lead_id, told | {"reply": words})
    if message.state is not MessageState.DUE:
        return None
    message.error = words
    if outcome.result is Result.REFUSED or message.attempts >= MOST_ATTEMPTS:
        message.state = MessageState.FAILED
        _done(message)
        return ledger.Event("refused", outcome.at, message.lead_id, told | {"error": words})
    wait = min(FIRST_RETRY * 2 ** max(message.attempts - 1, 0), LONGEST_RETRY)
    message.due_at = outcome.at + wait
    message.leased_until = message.leased_by = None
    failed = told | {"error": words, "attempt": message.attempts}
    return ledger.Event("hand_over_failed", outcome.at, message.lead_id, failed)


def _done(message: Message) -> None:
    """The row stays, the one-time secrets in the mail do not (mails about a lead hold none)."""
    message.leased_until = message.leased_by = None
    if message.lead_id is None and "/sign-in/" in message.text + message.html:
        message.text = message.html = ""


def cancel_for_need(desk: Desk, need_id: str, kinds: Sequence[MessageKind]) -> None:
    """Take back messages of these kinds that have not been handed over yet.

    One that a worker has in hand at this moment may still go out; it is not tried again.
    """
    desk.session.execute(
        update(Message)
        .where(
            Message.need_id == need_id,
            Message.state == MessageState.DUE,
            Message.kind.in_(kinds),
        )
        .values(state=MessageState.CANCELLED)
    )
