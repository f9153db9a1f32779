"""Leads: the recipients of a broadcast, and telling them all the same thing at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from api.services import colleagues, links, outbox
from api.services.desk import Desk
from matcher.neutrality import neutral_order
from models import Broadcast, Company, Lead, Message, Need, VerdictRow
from models.message import MessageKind


def present(desk: Desk, need_id: str) -> Broadcast | None:
    """The newest broadcast of a need."""
    return desk.session.scalar(
        select(Broadcast)
        .where(Broadcast.need_id == need_id)
        .order_by(Broadcast.number.desc())
        .limit(1)
    )


def hold(desk: Desk, need_id: str) -> Need:
    """The need as it is now, and nobody else changes it or its broadcast until we are done.

    First the need, then its present broadcast, then its leads: everybody who changes any of
    these takes them in this order, so that two who come at once wait instead of blocking each
    other. SQLite needs no such locks: its transactions already wait for each other.
    """
    need = desk.session.get_one(
        Need, need_id, with_for_update={"key_share": True}, populate_existing=True
    )
    desk.session.scalar(
        select(Broadcast)
        .where(Broadcast.need_id == need_id)
        .order_by(Broadcast.number.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return need


def leads_of(desk: Desk, broadcast_id: str) -> Sequence[Lead]:
    """The leads of a broadcast, by company id."""
    return desk.session.scalars(
        select(Lead).where(Lead.broadcast_id == broadcast_id).order_by(Lead.company_id)
    ).all()


def verdicts_of(desk: Desk, broadcast_id: str) -> Sequence[VerdictRow]:
    """The verdicts of a broadcast, by company id."""
    return desk.session.scalars(
        select(VerdictRow)
        .where(VerdictRow.broadcast_id == broadcast_id)
        .order_by(VerdictRow.company_id)
    ).all()


def matches_of(desk: Desk, broadcast_id: str) -> dict[str, dict[str, Any]]:
    """Company id -> the frozen match: the offer that suits best, and which steps offers cover."""
    return {row.company_id: row.match for row in verdicts_of(desk, broadcast_id)}


def spread_seconds(desk: Desk, broadcast_id: str) -> float | None:
    """Seconds between the first and the last hand-over of the leads that went out together.

    Not of those that were to go later: in a daily mail, after a retry, to a new address.
    """
    first, last = desk.session.execute(
        select(func.min(Message.handed_over_at), func.max(Message.handed_over_at))
        .join(Lead, Lead.id == Message.lead_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(
            Broadcast.id == broadcast_id,
            Lead.late.is_(False),
            Message.kind == MessageKind.LEAD,
            Message.due_at == Broadcast.released_at,
        )
    ).one()
    return (last - first).total_seconds() if first and last else None


def tell_recipients(
    desk: Desk, need: Need, kind: MessageKind, *, only: Sequence[Lead] | None = None, **context: Any
) -> None:
    """The same mail to all recipients of the present broadcast (or `only` some), due now."""
    broadcast = present(desk, need.id)
    if broadcast is None:
        return
    leads = leads_of(desk, broadcast.id) if only is None else only
    by_company = {lead.company_id: lead for lead in leads}
    companies = desk.session.scalars(select(Company).where(Company.id.in_(by_company)))
    people = {company.id: company for company in companies}
    # One reminder at most, and to the company alone; all else goes to its colleagues too.
    also = {} if kind is MessageKind.REMINDER else colleagues.copied(desk, list(by_company))
    for rank, company_id in enumerate(neutral_order(need.id, by_company)):
        company, lead = people[company_id], by_company[company_id]
        own = company.email
        told = [] if own is None else [outbox.Recipient(own, company.name, company.language)]
        headers = {}
        if kind is MessageKind.REMINDER:
            headers = {
                "List-Unsubscribe": f"<{links.unsubscribe_link(desk, company.id)}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        for to in told + also.get(company_id, []):
            outbox.queue(
                desk,
                kind,
                to,
                need_id=need.id,
                lead_id=lead.id,
                rank=rank,
                headers=headers,
                content=broadcast.content,
                deadline=broadcast.deadline,
                link=links.lead_link(desk, lead),
                lead=lead,
                **context,
            )
