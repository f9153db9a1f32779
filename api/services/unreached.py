"""Leads whose company got no mail of them: a new address brings them by itself, once.

A company without a working address at the release is a task of the coordinator. As soon as it
has another address while the need is open, its lead mail goes out; the ledger tells.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update

from api.services import digests, leads, ledger, links, outbox
from api.services.desk import Desk
from models import Broadcast, Company, Hub, Lead, Message, Need
from models.message import MessageKind, MessageState
from models.states import NeedState


def without_mail() -> tuple[ColumnElement[bool], ...]:
    """Conditions on Lead, Company and Need: an open lead that nobody at the company has seen, of
    which no mail has arrived or is on its way."""
    return (*_unseen(), ~_mail(Message.state.in_((MessageState.DUE, MessageState.SENT))))


def will_be_brought() -> ColumnElement[bool]:
    """Condition on Lead and Company: the company has an address that was not tried for it yet."""
    return and_(
        Company.active,
        Company.email.is_not(None),
        Company.email_bounced_at.is_(None),
        ~_mail(and_(Message.to_email == Company.email, Message.state != MessageState.CANCELLED)),
    )


def waiting(desk: Desk) -> Sequence[str]:
    """The leads that an address of later can bring to their company now; only reads."""
    return desk.session.scalars(_bringable(desk)).all()


def bring(desk: Desk, lead_id: str) -> Message | None:
    """Send a lead to the address its company has now; None when that is no longer needed.

    What still waits for the old address is taken back: a company gets its lead once.
    """
    lead = desk.session.get_one(Lead, lead_id)
    need = leads.hold(desk, lead.need_id)
    if desk.session.scalar(_bringable(desk).where(Lead.id == lead_id)) is None:
        return None
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    company = desk.session.get_one(Company, lead.company_id, populate_existing=True)
    desk.session.execute(
        update(Message)
        .where(
            Message.lead_id == lead.id,
            Message.kind == MessageKind.LEAD,
            Message.state == MessageState.DUE,
        )
        .values(state=MessageState.CANCELLED)
    )
    mail_at = digests.mail_moment(company, desk.at)
    message = outbox.queue(
        desk,
        MessageKind.LEAD,
        outbox.Recipient(company.email or "", company.name, company.language),
        need_id=need.id,
        lead_id=lead.id,
        due_at=mail_at,
        content=broadcast.content,
        deadline=broadcast.deadline,
        hub=desk.session.get_one(Hub, broadcast.hub_id),
        late=lead.late,
        link=links.lead_link(desk, lead),
    )
    lead.bounced_at = None  # of the address of before; the ledger keeps it
    details: dict[str, Any] = {"company_id": company.id, "message_id": message.message_id}
    if mail_at != desk.at:
        details["daily"] = mail_at.astimezone(UTC).isoformat()
    ledger.append(desk, broadcast.id, "readdressed", lead.id, **details)
    return message


def _unseen() -> tuple[ColumnElement[bool], ...]:
    return (
        Need.state == NeedState.OPEN,
        Lead.closed_at.is_(None),
        Lead.opened_at.is_(None),
        Lead.answered_at.is_(None),
    )


def _bringable(desk: Desk) -> Select[str]:
    in_hand = or_(Message.leased_until.is_not(None), Message.digest_id.is_not(None))
    return (
        select(Lead.id)
        .join(Company, Company.id == Lead.company_id)
        .join(Need, Need.id == Lead.need_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(
            *_unseen(),
            will_be_brought(),
            Broadcast.released_at <= desk.at,
            Broadcast.deadline > desk.at,
            ~_mail(Message.state == MessageState.SENT),
            ~_mail(and_(Message.state == MessageState.DUE, in_hand)),
        )
        .order_by(Lead.id)
    )


def _mail(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a lead has a lead mail that meets a condition."""
    return exists(
        select(Message.id).where(
            Message.lead_id == Lead.id, Message.kind == MessageKind.LEAD, condition
        )
    )
