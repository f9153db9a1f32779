"""A personal link that fell into wrong hands: the old one is made worthless, a new one mailed."""

from sqlalchemy import select

from api.errors import Conflict
from api.services import audit, authorisation, colleagues, leads, links, outbox
from api.services.desk import Desk
from models import Broadcast, Company, Lead, Message
from models.message import MessageKind, MessageState


def renew_link(desk: Desk, lead_id: str) -> Lead:
    """Revoke the personal link of a lead; the company's own address and colleagues get another.

    For the company itself and the hub's coordinators, who do not get to see the new link.
    Raises NotFound for others; Conflict when the lead is closed, when the company has no mail
    address, or while a mail with the old link still has to leave.
    """
    lead = authorisation.lead(desk, lead_id)
    need = leads.hold(desk, lead.need_id)
    company = desk.session.get_one(Company, lead.company_id)
    if lead.closed_at is not None:
        raise Conflict("lead_closed", "this lead is closed; its link no longer answers")
    if company.email is None:
        raise Conflict("no_address", "fill in the company's mail address first")
    underway = select(Message.id).where(
        Message.lead_id == lead.id, Message.state == MessageState.DUE
    )
    if desk.session.scalar(underway.limit(1)) is not None:
        raise Conflict("mail_underway", "a mail about this lead still has to leave; wait a minute")
    lead.link_version += 1
    desk.session.flush()
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    own = outbox.Recipient(company.email, company.name, company.language)
    also = colleagues.copied(desk, [company.id]).get(company.id, ())
    for rank, to in enumerate((own, *also)):
        outbox.queue(
            desk,
            MessageKind.NEW_LINK,
            to,
            need_id=lead.need_id,
            lead_id=lead.id,
            rank=rank,
            content=broadcast.content,
            deadline=broadcast.deadline,
            late=False,
            company=company.name,
            link=links.lead_link(desk, lead),
        )
    audit.record(
        desk, "renew_link", "lead", lead.id, need.hub_id, company_id=company.id,
        version=lead.link_version,
    )  # fmt: skip
    return lead
