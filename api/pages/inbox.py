"""The company's inbox: its leads, why it got them, and what it did not get and why."""

from fastapi import APIRouter, Response

from api import wording
from api.pages.visit import MemberVisit
from api.services import inbox

router = APIRouter()


@router.get("/leads")
def leads(visit: MemberVisit) -> Response:
    """All leads of the visitor's companies: those to answer first."""
    if not visit.desk.actor.companies:
        return visit.page("leads/no_company.html")
    return visit.page(
        "leads/inbox.html",
        inbox=inbox.of_caller(visit.desk),
        several=len(visit.desk.actor.companies) > 1,
    )


@router.get("/leads/why")
def why(visit: MemberVisit, show: str = "") -> Response:
    """Every need of the last time, why it did or did not reach one's company, what to change."""
    if not visit.desk.actor.companies:
        return visit.page("leads/no_company.html")
    received = {"missed": False, "received": True}.get(show)
    return visit.page(
        "leads/why.html",
        rows=inbox.verdicts(visit.desk, received=received),
        show=show if received is not None else "",
        activities=visit.runtime.activities,
        advice=wording.ADVICE,
        several=len(visit.desk.actor.companies) > 1,
    )


@router.get("/leads/offers")
def own_profile(visit: MemberVisit) -> Response:
    """The profile of one's own company (the first, for people of several)."""
    mine = sorted(visit.desk.actor.companies)
    if not mine:
        return visit.page("leads/no_company.html")
    return visit.go(f"/companies/{mine[0]}/edit")
