"""A broadcast as it runs: delivered, opened, answered, bounced; and its proof to download."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.errors import Conflict
from api.pages.needs import proof_download
from api.pages.visit import CoordinatorVisit, Visit
from api.services import answers, authorisation, delays, leads, ledger, proof
from matcher.neutrality import neutral_order
from models import Broadcast, Company, Hub, Message, Need
from models.message import MessageKind, MessageState

router = APIRouter()


def _broadcast(visit: Visit, need_id: str) -> tuple[Need, Broadcast]:
    need = authorisation.need_as_coordinator(visit.desk, need_id)
    broadcast = leads.present(visit.desk, need.id)
    if broadcast is None:
        raise Conflict("not_released", "this need has not been released yet")
    return need, broadcast


@router.get("/hub/needs/{need_id}/broadcast")
def show(visit: CoordinatorVisit, need_id: str) -> Response:
    """The live view of the present broadcast."""
    need, broadcast = _broadcast(visit, need_id)
    return visit.page("hub/broadcast.html", **_live(visit, need, broadcast))


@router.get("/hub/needs/{need_id}/broadcast/live")
def live(visit: CoordinatorVisit, need_id: str) -> Response:
    """The part of the page that changes, for browsers that refresh it."""
    need, broadcast = _broadcast(visit, need_id)
    return visit.page("hub/live.html", **_live(visit, need, broadcast))


def _live(visit: Visit, need: Need, broadcast: Broadcast) -> dict[str, Any]:
    desk = visit.desk
    sent = {lead.company_id: lead for lead in leads.leads_of(desk, broadcast.id)}
    companies = {
        each.id: each for each in desk.session.scalars(select(Company).where(Company.id.in_(sent)))
    }
    mails: dict[str, Message] = {}
    for message in desk.session.scalars(
        select(Message)
        .where(
            Message.kind == MessageKind.LEAD,
            Message.lead_id.in_([lead.id for lead in sent.values()]),
        )
        .order_by(Message.id)
    ):
        mails[message.lead_id or ""] = message
    given = answers.last_of_need(desk, need.id)
    rows: list[dict[str, Any]] = [
        {
            "lead": sent[company_id],
            "company": companies[company_id],
            "mail": mails.get(sent[company_id].id),
            "answer": given.get(sent[company_id].id),
        }
        for company_id in neutral_order(need.id, sent)
    ]
    return {
        "need": need,
        "hub": desk.session.get_one(Hub, need.hub_id),
        "broadcast": broadcast,
        "rows": rows,
        "delay": delays.present(desk),
        "total": len(rows),
        "delivered": _count(sent.values(), "handed_over_at"),
        "opened": _count(sent.values(), "opened_at"),
        "answered": _count(sent.values(), "answered_at"),
        "interested": sum(1 for each in given.values() if each.kind.value == "interested"),
        "trouble": [
            row
            for row in rows
            if row["mail"] is None
            or row["mail"].state in (MessageState.FAILED, MessageState.BOUNCED)
        ],
        "spread": leads.spread_seconds(desk, broadcast.id),
        "late": sum(lead.late for lead in sent.values()),
    }


def _count(found: Any, moment: str) -> int:
    return sum(getattr(lead, moment) is not None for lead in found)


@router.get("/hub/needs/{need_id}/proof")
def proof_page(visit: CoordinatorVisit, need_id: str) -> Response:
    """The ledger of the broadcast, in order, and what recomputing it says."""
    need, broadcast = _broadcast(visit, need_id)
    names = {
        lead.id: visit.desk.session.get_one(Company, lead.company_id).name
        for lead in leads.leads_of(visit.desk, broadcast.id)
    }
    return visit.page(
        "hub/proof.html",
        need=need,
        broadcast=broadcast,
        entries=ledger.entries(visit.desk, broadcast.id),
        names=names,
        checks=proof.verify_broadcast(visit.desk, broadcast.id),
    )


@router.get("/hub/needs/{need_id}/proof.json")
def proof_file(visit: CoordinatorVisit, need_id: str) -> Response:
    """The proof as a file that anyone can recompute."""
    _, broadcast = _broadcast(visit, need_id)
    return proof_download(visit, broadcast)
