"""The company's inbox: its leads, why it got them, and what it did not get and why."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.pages.visit import MemberVisit
from api.services import answers
from models import Broadcast, Company, Lead, Need, VerdictRow

router = APIRouter()


@router.get("/leads")
def inbox(visit: MemberVisit) -> Response:
    """All leads of the visitor's companies: those to answer first."""
    desk = visit.desk
    rows = desk.session.execute(
        select(Lead, Need, Broadcast, Company)
        .join(Need, Need.id == Lead.need_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .join(Company, Company.id == Lead.company_id)
        .where(Lead.company_id.in_(desk.actor.companies), Broadcast.released_at <= desk.at)
        .order_by(Lead.id.desc())
    ).all()
    found: list[dict[str, Any]] = [
        {
            "lead": lead,
            "need": need,
            "broadcast": broadcast,
            "company": company,
            "answer": answers.last(desk, lead.id),
        }
        for lead, need, broadcast, company in rows
    ]
    waiting = [row for row in found if row["lead"].closed_at is None and not row["answer"]]
    running = [row for row in found if row["lead"].closed_at is None and row["answer"]]
    past = [row for row in found if row["lead"].closed_at is not None]
    return visit.page("leads/inbox.html", waiting=waiting, running=running, past=past)


@router.get("/leads/why")
def why(visit: MemberVisit) -> Response:
    """Every broadcast of the last time and why it did or did not reach one's company."""
    desk = visit.desk
    rows = desk.session.execute(
        select(VerdictRow, Broadcast, Need, Company)
        .join(Broadcast, Broadcast.id == VerdictRow.broadcast_id)
        .join(Need, Need.id == Broadcast.need_id)
        .join(Company, Company.id == VerdictRow.company_id)
        .where(VerdictRow.company_id.in_(desk.actor.companies), Broadcast.released_at <= desk.at)
        .order_by(Broadcast.id.desc())
        .limit(50)
    ).all()
    return visit.page(
        "leads/why.html",
        rows=[
            {"verdict": verdict, "broadcast": broadcast, "need": need, "company": company}
            for verdict, broadcast, need, company in rows
        ],
    )


@router.get("/leads/offers")
def own_profile(visit: MemberVisit) -> Response:
    """The profile of one's own company (the first, for people of several)."""
    mine = sorted(visit.desk.actor.companies)
    if not mine:
        return visit.page("leads/no_company.html")
    return visit.go(f"/companies/{mine[0]}/edit")
