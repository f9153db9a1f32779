"""The daily digest: a company that asked for one gets its lead mails together, at seven.

The lead itself is in the company's inbox here at the release moment, like everybody's. Only the
mail waits, because the company asked so; why that is fair stands in api/decisions/daily-digest.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select, update

from api.services import links, outbox
from api.services.desk import BRUSSELS, Desk
from models import Broadcast, Company, Lead, Message
from models.company import Delivery
from models.message import MessageKind, MessageState

HOUR = time(7, 0)  # in Brussels
AHEAD = timedelta(minutes=3)  # gathered before they are due; several looks fit in this


def mail_moment(company: Company, due_at: datetime) -> datetime:
    """When a company's lead mail goes: at `due_at`, or at the next seven o'clock if it asked."""
    if company.delivery is not Delivery.DAILY:
        return due_at
    local = due_at.astimezone(BRUSSELS)
    morning = datetime.combine(local.date(), HOUR, BRUSSELS)
    if morning < local:
        morning = datetime.combine(local.date() + timedelta(days=1), HOUR, BRUSSELS)
    return morning


def waiting(desk: Desk) -> Sequence[str]:
    """The companies with several lead mails due at this seven o'clock; only reads."""
    return desk.session.scalars(
        select(Lead.company_id)
        .join(Message, Message.lead_id == Lead.id)
        .join(Company, Company.id == Lead.company_id)
        .where(Company.delivery == Delivery.DAILY, *_gatherable(desk))
        .group_by(Lead.company_id)
        .having(func.count() > 1)
        .order_by(Lead.company_id)
    ).all()


def gather(desk: Desk, company_id: str) -> Message | None:
    """Put a company's lead mails of this morning in one digest.

    A mail that a worker has in hand already goes alone. Were this never called, each mail would
    go by itself at seven: a digest can be missed, a lead cannot.
    """
    company = desk.session.get_one(Company, company_id)
    found = desk.session.execute(
        select(Message, Lead, Broadcast)
        .join(Lead, Lead.id == Message.lead_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(Lead.company_id == company_id, *_gatherable(desk))
        .order_by(Message.due_at, Message.id)
        .with_for_update(of=Message, skip_locked=True)
    ).all()
    by_address: dict[str, list[tuple[Message, Lead, Broadcast]]] = defaultdict(list)
    for message, lead, broadcast in found:
        by_address[message.to_email].append((message, lead, broadcast))
    together = by_address.get(company.email or "", [])
    if len(together) < 2:
        return None
    digest = outbox.queue(
        desk,
        MessageKind.DIGEST,
        outbox.Recipient(company.email or "", company.name, company.language),
        due_at=max(message.due_at for message, _, _ in together),
        leads=[
            {
                "content": broadcast.content,
                "deadline": broadcast.deadline,
                "link": links.lead_link(desk, lead),
            }
            for _, lead, broadcast in together
        ],
    )
    desk.session.flush()
    desk.session.execute(
        update(Message)
        .where(Message.id.in_([message.id for message, _, _ in together]))
        .values(digest_id=digest.id)
    )
    return digest


def _gatherable(desk: Desk) -> tuple[ColumnElement[bool], ...]:
    return (
        Message.kind == MessageKind.LEAD,
        Message.state == MessageState.DUE,
        Message.digest_id.is_(None),
        Message.leased_until.is_(None),
        Message.attempts == 0,
        Message.due_at <= desk.at + AHEAD,
    )
