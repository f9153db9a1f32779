"""Gentle reminders after the deadline: to who has yet to choose, and how a collaboration goes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from api.services import answers, audit, leads, links, needs, outbox, people, signin
from api.services.desk import Desk
from models import Broadcast, Collaboration, Company, Firm, Lead, LedgerEntry, Message, Need
from models.message import MessageKind
from models.states import CollaborationState, NeedState

MOST_NUDGES = 2
BETWEEN = timedelta(days=7)  # after the deadline, and between two nudges
ASK_AFTER = timedelta(weeks=6)  # a collaboration is asked after once, six weeks from the choice
FRESH = timedelta(weeks=2)  # not when somebody told how it goes as recently as this


def undecided(desk: Desk) -> Sequence[str]:
    """The needs whose firm has had a week to choose and may be nudged; only reads."""
    found = desk.session.scalars(
        select(Need)
        .where(Need.state == NeedState.DECIDING, Need.nudges < MOST_NUDGES)
        .order_by(Need.id)
    )
    return [need.id for need in found if _nudge_at(desk, need) <= desk.at]


def _nudge_at(desk: Desk, need: Need) -> datetime:
    """When the next nudge is due: a week after the deadline, the last reopening, the last nudge."""
    broadcast = leads.present(desk, need.id)
    if broadcast is None:
        return datetime.max.replace(tzinfo=desk.at.tzinfo)
    reopened = desk.session.scalar(
        select(func.max(LedgerEntry.at)).where(
            LedgerEntry.broadcast_id == broadcast.id, LedgerEntry.event == "reopened"
        )
    )
    nudged = desk.session.scalar(
        select(func.max(Message.created_at)).where(
            Message.need_id == need.id, Message.kind == MessageKind.NUDGE
        )
    )
    moments = (broadcast.deadline, reopened, nudged)
    return max(moment for moment in moments if moment is not None) + BETWEEN


def nudge(desk: Desk, need_id: str) -> None:
    """Tell the firm and the hub's coordinators that companies still wait for a choice."""
    need = leads.hold(desk, need_id)
    if need.state is not NeedState.DECIDING or need.nudges >= MOST_NUDGES:
        return
    if _nudge_at(desk, need) > desk.at:
        return
    need.nudges += 1
    interested = len(answers.interested(desk, need.id))
    needs.notify_firm(desk, need, MessageKind.NUDGE, interested=interested, for_hub=False)
    for person in people.coordinators(desk, need.hub_id):
        outbox.queue(
            desk,
            MessageKind.NUDGE,
            outbox.Recipient(person.email, person.name, person.language),
            need_id=need.id,
            need=need,
            interested=interested,
            for_hub=True,
            link=f"{desk.runtime.settings.base_url}/hub/needs/{need.id}",
        )
    audit.record(desk, "nudge", "need", need.id, need.hub_id, number=need.nudges)


def unasked(desk: Desk) -> Sequence[str]:
    """The collaborations that nobody has told about for weeks; only reads."""
    return desk.session.scalars(
        select(Collaboration.id)
        .where(
            Collaboration.asked_at.is_(None),
            Collaboration.state != CollaborationState.ENDED,
            Collaboration.created_at <= desk.at - ASK_AFTER,
            Collaboration.updated_at <= desk.at - FRESH,
        )
        .order_by(Collaboration.id)
    ).all()


def follow_up(desk: Desk, collaboration_id: str) -> None:
    """Ask both sides, once, what came of it."""
    found = desk.session.get(Collaboration, collaboration_id, with_for_update=True)
    if found is None or found.asked_at is not None:  # its choice was undone, or another asked
        return
    need = desk.session.get_one(Need, found.need_id)
    company = desk.session.get_one(Company, found.company_id)
    found.asked_at = desk.at
    person = people.find_or_add(desk, need.contact_email, language=need.language)
    to_firm = outbox.Recipient(need.contact_email, need.contact_name, need.language)
    path = f"/needs/{need.id}#collaborations"
    _ask(
        desk,
        need,
        to_firm,
        company.name,
        signin.new_link(desk, person, path, lasts=signin.MAIL_LINK),
    )
    lead = desk.session.scalar(
        select(Lead)
        .join(Broadcast)
        .where(Lead.need_id == need.id, Lead.company_id == company.id)
        .order_by(Broadcast.number.desc())
        .limit(1)
    )
    if company.email is not None and lead is not None:
        to_company = outbox.Recipient(company.email, company.name, company.language)
        firm = desk.session.get_one(Firm, need.firm_id)
        _ask(desk, need, to_company, firm.name, links.lead_link(desk, lead))
    audit.record(desk, "ask_after", "collaboration", found.id, need.hub_id)


def _ask(desk: Desk, need: Need, to: outbox.Recipient, other: str, link: str) -> None:
    outbox.queue(
        desk,
        MessageKind.FOLLOW_UP,
        to,
        need_id=need.id,
        title=need.title,
        other=other,
        link=link,
    )
