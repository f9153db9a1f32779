"""The outbox: mails written in the transaction that makes them due, claimed by workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from sqlalchemy import or_, select, update

from api.rendering import environment
from api.services import ledger
from api.services.desk import Desk
from models import Lead, Message, new_id
from models.message import MessageKind, MessageState

LEASE = timedelta(minutes=2)  # longer than one hand-over may take; then another worker may try
MOST_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=4)


@dataclass(frozen=True)
class Recipient:
    """Who gets a mail, and in which language."""

    email: str
    name: str = ""
    language: str = "nl"


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
    settings = desk.runtime.settings
    env = environment(to.language)
    values = {"base_url": settings.base_url, "to": to, **context}
    plain = env.get_template(f"mails/{kind.value}.txt")
    subject = "".join(plain.blocks["subject"](plain.new_context(values)))
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message = Message(
        kind=kind,
        message_id=f"<{new_id().lower()}@{domain}>",
        lead_id=lead_id,
        need_id=need_id,
        to_email=to.email,
        to_name=to.name,
        language=to.language,
        subject=" ".join(subject.split())[:300],
        text="".join(plain.blocks["text"](plain.new_context(values))).strip() + "\n",
        html=env.get_template(f"mails/{kind.value}.html").render(values),
        headers=headers or {},
        attachment=attachment,
        due_at=due_at or desk.at,
        rank=rank,
        created_at=desk.at,
    )
    desk.session.add(message)
    return message


def claim(desk: Desk, worker: str, limit: int) -> Sequence[Message]:
    """Lease up to `limit` due messages to a worker, in order of due moment and rank.

    A lease that has expired may be claimed again: its worker died between claim and hand-over.
    """
    free = or_(Message.leased_until.is_(None), Message.leased_until < desk.at)
    due = (
        select(Message.id)
        .where(Message.state == MessageState.DUE, Message.due_at <= desk.at, free)
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
        .where(Message.id.in_(ids), Message.state == MessageState.DUE, free)
        .values(leased_until=desk.at + LEASE, leased_by=worker, attempts=Message.attempts + 1)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    return sorted(claimed, key=lambda each: (each.due_at, each.rank, each.id))


def handed_over(desk: Desk, message: Message, reply: str) -> None:
    """The mail server took the message: note when and its words."""
    message.state = MessageState.SENT
    message.handed_over_at = desk.at
    message.reply = reply[:500]
    message.error = ""
    message.leased_until = message.leased_by = None
    _tell_ledger(desk, message, "handed_over", reply=reply[:500])
    if message.kind is MessageKind.LEAD and message.lead_id:
        lead = desk.session.get_one(Lead, message.lead_id)
        lead.handed_over_at = lead.handed_over_at or desk.at


def try_later(desk: Desk, message: Message, error: str) -> None:
    """Hand-over failed for now: try again after a back-off, or give up after the last try."""
    if message.attempts >= MOST_ATTEMPTS:
        refused(desk, message, error)
        return
    wait = min(FIRST_RETRY * 2 ** (message.attempts - 1), LONGEST_RETRY)
    message.due_at = desk.at + wait
    message.error = error[:500]
    message.leased_until = message.leased_by = None
    _tell_ledger(desk, message, "hand_over_failed", error=error[:500], attempt=message.attempts)


def refused(desk: Desk, message: Message, error: str) -> None:
    """The mail server refused the message for good: shown to the coordinator."""
    message.state = MessageState.FAILED
    message.error = error[:500]
    message.leased_until = message.leased_by = None
    _tell_ledger(desk, message, "refused", error=error[:500])


def cancel_for_need(desk: Desk, need_id: str, kinds: Sequence[MessageKind]) -> None:
    """Take back messages of these kinds that have not been handed over yet."""
    desk.session.execute(
        update(Message)
        .where(
            Message.need_id == need_id,
            Message.state == MessageState.DUE,
            Message.kind.in_(kinds),
            Message.leased_until.is_(None),
        )
        .values(state=MessageState.CANCELLED)
    )


def _tell_ledger(desk: Desk, message: Message, event: str, **details: Any) -> None:
    if message.lead_id is None:
        return
    lead = desk.session.get_one(Lead, message.lead_id)
    ledger.append(
        desk,
        lead.broadcast_id,
        event,
        lead.id,
        kind=message.kind.value,
        message_id=message.message_id,
        **details,
    )
