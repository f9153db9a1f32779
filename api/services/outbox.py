"""The outbox: mails written in the transaction that makes them due, claimed by workers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import or_, select, update

from api.rendering import environment
from api.services import ledger
from api.services.desk import Desk
from models import Broadcast, Hub, Lead, Message, Need, new_id
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
    settings = desk.runtime.settings
    env = environment(to.language)
    values = {
        "base_url": settings.base_url,
        "to": to,
        "day": date.fromisoformat,
        "certificate_names": partial(_certificate_names, desk, to.language),
        "unsubscribe": (headers or {}).get("List-Unsubscribe", "").strip("<>"),
        **context,
    }
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
        headers=_reply_to(desk, need_id) | (headers or {}),
        attachment=attachment,
        due_at=due_at or desk.at,
        rank=rank,
        created_at=desk.at,
    )
    desk.session.add(message)
    return message


def _certificate_names(desk: Desk, language: str, codes: Sequence[str]) -> str:
    known = desk.runtime.certificates
    return ", ".join(known[code][language] if code in known else code for code in codes)


def _reply_to(desk: Desk, need_id: str | None) -> dict[str, str]:
    """Who answers a mail about a need by mail reaches the people of its hub."""
    need = desk.session.get(Need, need_id) if need_id else None
    hub = desk.session.get(Hub, need.hub_id) if need else None
    return {"Reply-To": hub.email} if hub else {}


def next_due(desk: Desk) -> datetime | None:
    """When the first free message is due; None when nothing waits."""
    return desk.session.scalar(
        select(Message.due_at)
        .where(Message.state == MessageState.DUE, _free(desk))
        .order_by(Message.due_at)
        .limit(1)
    )


def claim(
    desk: Desk, worker: str, limit: int, *, ahead: timedelta = timedelta(0)
) -> Sequence[Message]:
    """Lease up to `limit` messages to a worker, in order of due moment and rank.

    Those due within `ahead` come too, to be prepared; they may not be handed over before they
    are due. A lease that has expired may be claimed again: its worker died meanwhile.
    """
    due = (
        select(Message.id)
        .where(Message.state == MessageState.DUE, Message.due_at <= desk.at + ahead, _free(desk))
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
    """Not leased, or the lease has expired, or it was given before the clock was set back."""
    return or_(
        Message.leased_until.is_(None),
        Message.leased_until < desk.at,
        Message.leased_until > desk.at + 2 * LEASE,
    )


def renew(desk: Desk, worker: str, ids: Collection[str]) -> set[str]:
    """Lengthen a worker's leases; returns those that are still its own and still due."""
    return set(
        desk.session.scalars(
            update(Message)
            .where(
                Message.id.in_(ids),
                Message.state == MessageState.DUE,
                Message.leased_by == worker,
            )
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
    found = desk.session.scalars(
        select(Message).where(Message.id.in_([outcome.id for outcome in outcomes]))
    ).all()
    messages = {message.id: message for message in found}
    lead_ids = {message.lead_id for message in found if message.lead_id}
    desk.session.execute(
        select(Broadcast.id)
        .where(Broadcast.id.in_(select(Lead.broadcast_id).where(Lead.id.in_(lead_ids))))
        .order_by(Broadcast.id)
        .with_for_update()
    )
    # Held here so that the session need not read each lead again.
    leads = desk.session.scalars(select(Lead).where(Lead.id.in_(lead_ids))).all()
    for outcome in sorted(outcomes, key=lambda each: each.at):
        message = messages[outcome.id]
        then = replace(desk, at=outcome.at)
        if outcome.result is Result.TAKEN:
            handed_over(then, message, outcome.words)
        elif outcome.result is Result.LATER:
            try_later(then, message, outcome.words)
        else:
            refused(then, message, outcome.words)
    desk.session.flush()
    del leads


def handed_over(desk: Desk, message: Message, reply: str) -> None:
    """The mail server took the message: note when and its words.

    A message taken twice (its worker died before it could note the first time) is the same
    mail to its reader; the ledger tells both.
    """
    again = message.state in (MessageState.SENT, MessageState.BOUNCED)
    if not again:
        message.state = MessageState.SENT
        message.handed_over_at = desk.at
    message.reply = reply[:500]
    message.error = ""
    _done(message)
    _tell_ledger(desk, message, "handed_over", reply=reply[:500])
    if message.kind is MessageKind.LEAD and message.lead_id:
        lead = desk.session.get_one(Lead, message.lead_id)
        lead.handed_over_at = lead.handed_over_at or desk.at


def try_later(desk: Desk, message: Message, error: str) -> None:
    """Hand-over failed for now: try again after a back-off, or give up after the last try."""
    if message.state is not MessageState.DUE:
        return
    if message.attempts >= MOST_ATTEMPTS:
        refused(desk, message, error)
        return
    wait = min(FIRST_RETRY * 2 ** max(message.attempts - 1, 0), LONGEST_RETRY)
    message.due_at = desk.at + wait
    message.error = error[:500]
    message.leased_until = message.leased_by = None
    _tell_ledger(desk, message, "hand_over_failed", error=error[:500], attempt=message.attempts)


def refused(desk: Desk, message: Message, error: str) -> None:
    """The mail server refused the message for good: shown to the coordinator."""
    if message.state is not MessageState.DUE:
        return
    message.state = MessageState.FAILED
    message.error = error[:500]
    _done(message)
    _tell_ledger(desk, message, "refused", error=error[:500])


def _done(message: Message) -> None:
    """The row stays, the one-time secrets in the mail do not."""
    message.leased_until = message.leased_by = None
    if "/sign-in/" in message.text or "/sign-in/" in message.html:
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
