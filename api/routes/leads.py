"""Leads: what a company received, whether it reacted, and how it ended."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import and_, func, or_, select

from api.idempotency import OnceDep
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, LeadsRead, LeadsWrite, PathId, noun
from api.schemas.answers import AnswerOut
from api.schemas.base import Id, Page
from api.schemas.leads import LeadOut
from api.services import answers, authorisation
from api.services.desk import Desk
from models import Answer, Broadcast, Lead, Need

router = noun("leads")
_FACTS = (
    "id", "broadcast_id", "need_id", "company_id", "late", "handed_over_at", "bounced_at",
    "opened_at", "answered_at", "closed_at", "outcome",
)  # fmt: skip


def leads_out(desk: Desk, rows: Sequence[Lead]) -> list[LeadOut]:
    """Leads with the content that all recipients got and the answer that counts."""
    ids = {lead.broadcast_id for lead in rows}
    sent = {
        each.id: each
        for each in desk.session.scalars(select(Broadcast).where(Broadcast.id.in_(ids)))
    }
    newest = (
        select(func.max(Answer.id))
        .where(Answer.lead_id.in_([lead.id for lead in rows]))
        .group_by(Answer.lead_id)
    )
    found = desk.session.scalars(select(Answer).where(Answer.id.in_(newest)))
    counts = {each.lead_id: AnswerOut.model_validate(each) for each in found}
    return [
        LeadOut(
            **{name: getattr(lead, name) for name in _FACTS},
            content=sent[lead.broadcast_id].content,
            released_at=sent[lead.broadcast_id].released_at,
            deadline=sent[lead.broadcast_id].deadline,
            answer=counts.get(lead.id),
        )
        for lead in rows
    ]


@router.get("/leads", responses=LISTED)
def list_leads(
    desk: LeadsRead,
    paging: PagingDep,
    broadcast_id: Annotated[Id | None, Query(description="only of this broadcast")] = None,
    is_open: Annotated[bool | None, Query(description="only open ones, or only closed")] = None,
) -> Page[LeadOut]:
    """The leads of your company, or of the hubs you coordinate. Scope `leads:read`."""
    statement = (
        select(Lead)
        .join(Need, Need.id == Lead.need_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(
            or_(
                and_(Lead.company_id.in_(desk.actor.companies), Broadcast.released_at <= desk.at),
                Need.hub_id.in_(desk.actor.hubs),
            )
        )
    )
    if broadcast_id is not None:
        statement = statement.where(Lead.broadcast_id == broadcast_id)
    if is_open is not None:
        statement = statement.where(
            Lead.closed_at.is_(None) if is_open else Lead.closed_at.is_not(None)
        )
    rows, following = paginate(desk.session, statement, Lead.id, paging)
    return Page(items=leads_out(desk, rows), next_cursor=following)


@router.get("/leads/{lead_id}", responses=FOUND)
def read_lead(desk: LeadsRead, lead_id: PathId) -> LeadOut:
    """One lead. Its company and the coordinators of the hub; scope `leads:read`."""
    return leads_out(desk, [authorisation.lead(desk, lead_id)])[0]


@router.post("/leads/{lead_id}/open", response_model=LeadOut, responses=WRITTEN)
def open_lead(desk: LeadsWrite, lead_id: PathId, once: OnceDep) -> Response:
    """Say that someone at the company has read the lead; the first time is kept."""
    lead = authorisation.lead_as_company(desk, lead_id)
    answers.opened(desk, lead)
    return once.answer(leads_out(desk, [lead])[0])
