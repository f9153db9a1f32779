"""A personal link that fell into wrong hands: the old one is made worthless, a new one mailed.

Who still opens the old one can have the newest mailed again, to the company's addresses alone.
"""

from datetime import timedelta

from sqlalchemy import select

from api.errors import Conflict, NotFound
from api.services import audit, authorisation, colleagues, leads, links, outbox
from api.services.desk import Desk
from models import Broadcast, Company, Lead, Message
from models.message import MessageKind, MessageState

SELDOM = timedelta(hours=1)  # between two mails that somebody with a replaced link asks for


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
    if _underway(desk, lead):
        raise Conflict("mail_underway", "a mail about this lead still has to leave; wait a minute")
    lead.link_version += 1
    desk.session.flush()
    _mail_link(desk, lead, company, company.email)
    audit.record(
        desk, "renew_link", "lead", lead.id, need.hub_id, company_id=company.id,
        version=lead.link_version,
    )  # fmt: skip
    return lead


def mail_again(desk: Desk, token: str) -> None:
    """Mail the newest link of a lead to its company, at the wish of whoever opens an older one.

    Nobody learns whether a mail leaves: none does when the link was never ours, still counts, or
    when one left within the hour.
    """
    try:
        lead = links.replaced_lead(desk, token)
    except NotFound:
        return
    if lead is None:
        return
    leads.hold(desk, lead.need_id)
    company = desk.session.get_one(Company, lead.company_id)
    lately = desk.session.scalar(
        select(Message.id)
        .where(
            Message.lead_id == lead.id,
            Message.kind == MessageKind.NEW_LINK,
            Message.created_at > desk.at - SELDOM,
        )
        .limit(1)
    )
    if company.email is None or lately is not None or _underway(desk, lead):
        return
    _mail_link(desk, lead, company, company.email)


def _underway(desk: Desk, lead: Lead) -> bool:
    due = select(Message.id).where(Message.lead_id == lead.id, Message.state == MessageState.DUE)
    return desk.session.scalar(due.limit(1)) is not None


def _mail_link(desk: Desk, lead: Lead, company: Company, email: str) -> None:
    broadcast = desk.session.get_one(Broadcast, lead.broadcast_id)
    own = outbox.Recipient(email, company.name, company.language)
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
