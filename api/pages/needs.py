"""The firm's room: its needs, one need from intake to choice, and what came of it."""

import json
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import and_, or_, select

from api.errors import Invalid
from api.pages import words
from api.pages.fields import Text, Texts, number
from api.pages.visit import MemberVisit, Visit
from api.services import (
    answers,
    attachments,
    authorisation,
    choices,
    closing,
    collaborations,
    companies,
    corrections,
    leads,
    needs,
    proof,
    questions,
)
from api.services.desk import Desk
from api.web import Csrf
from matcher.places import distance_km
from models import Broadcast, Collaboration, Company, Hub, Need
from models.states import COLLABORATION_TRANSITIONS, CollaborationState, NeedState

router = APIRouter()


@router.get("/needs")
def own(visit: MemberVisit) -> Response:
    """All needs of the visitor's firms, newest first."""
    found = visit.desk.session.scalars(
        select(Need)
        .where(
            or_(
                Need.firm_id.in_(visit.desk.actor.firms),
                and_(
                    Need.state == NeedState.DRAFT,
                    Need.contact_email == visit.desk.actor.email,
                ),
            )
        )
        .order_by(Need.id.desc())
    ).all()
    counts = {
        need.id: len(answers.interested(visit.desk, need.id))
        for need in found
        if need.state in (NeedState.OPEN, NeedState.DECIDING)
    }
    return visit.page("needs/list.html", needs=found, counts=counts)


@router.get("/needs/{need_id}")
def show(visit: MemberVisit, need_id: str) -> Response:
    """One need of one's own firm; its coordinators are taken to their own page of it."""
    return _page(visit, need_id)


def _page(
    visit: Visit, need_id: str, *, reason: str = "", errors: dict[str, str] | None = None
) -> Response:
    desk = visit.desk
    need = needs.with_steps(desk, authorisation.need(desk, need_id))
    if not authorisation.is_mine(desk.actor, need):
        return visit.go(f"/hub/needs/{need.id}")
    broadcast = leads.present(desk, need.id)
    sent = leads.leads_of(desk, broadcast.id) if broadcast else []
    return visit.page(
        "needs/show.html",
        422 if errors else 200,
        need=need,
        hub=desk.session.get_one(Hub, need.hub_id),
        activities=visit.runtime.activities,
        certificate_names=visit.runtime.certificates,
        attachments=attachments.of_need(desk, need.id),
        broadcast=broadcast,
        recipients=_names(desk, [lead.company_id for lead in sent]),
        declined=len(answers.decliners(desk, need.id)),
        questions=questions.of_need(desk, need.id),
        interested=_compared(desk, need, broadcast),
        choices={lead.id: choice for choice, lead in choices.of_need(desk, need.id)},
        collaborations=_collaborations(desk, need),
        next_states=COLLABORATION_TRANSITIONS,
        now=desk.at,
        reason=reason,
        errors=errors or {},
    )


@router.get("/needs/{need_id}/proof.json")
def proof_file(visit: MemberVisit, need_id: str) -> Response:
    """The proof of the broadcast as the firm may read it."""
    need = authorisation.need(visit.desk, need_id)
    return proof_download(visit, leads.present(visit.desk, need.id))


def proof_download(visit: Visit, broadcast: Broadcast | None) -> Response:
    """A proof as a file, as much of it as this visitor may read. Raises NotFound."""
    found, audience = proof.find(visit.desk, broadcast.id if broadcast else "")
    return Response(
        json.dumps(proof.proof(visit.desk, found, audience), ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="proof-{found.id}.json"'},
    )


def _names(desk: Desk, company_ids: list[str]) -> list[Company]:
    return list(
        desk.session.scalars(
            select(Company).where(Company.id.in_(company_ids)).order_by(Company.name)
        )
    )


def _compared(desk: Desk, need: Need, broadcast: Broadcast | None) -> list[dict[str, Any]]:
    """The interested side by side, in the neutral order, with the same facts for each.

    `match` is the frozen one of the broadcast: which steps a company's own offers cover.
    """
    matches = leads.matches_of(desk, broadcast.id) if broadcast else {}
    rows = []
    for each in answers.interested(desk, need.id):
        company = companies.load(desk, each.company.id)
        rows.append(
            {
                "lead": each.lead,
                "company": company,
                "answer": each.answer,
                "distance": min((distance_km(site, need) for site in company.sites), default=None),
                "match": matches[company.id],
                "certificates": [held.code for held in company.certificates],
            }
        )
    return rows


def _collaborations(desk: Desk, need: Need) -> list[tuple[Collaboration, Company]]:
    return [
        (each, desk.session.get_one(Company, each.company_id))
        for each in collaborations.of_need(desk, need.id)
    ]


@router.post("/needs/{need_id}/choose", dependencies=[Csrf])
def choose(
    visit: MemberVisit,
    need_id: str,
    leads: Texts = [],  # noqa: B006
    none: Text = "",
    reason: Text = "",
    sure: Text = "",
) -> Response:
    """Choose the ticked companies, or none; asked once more, because all are told at once."""
    if not leads and not none:
        problem = Invalid("nothing_ticked", "tick a company, or choose none", field="leads")
        errors = {"leads": words.problem(visit.language, problem)}
        return _page(visit, need_id, reason=reason, errors=errors)
    if not sure:
        return _are_you_sure(visit, need_id, [] if none else leads, reason)
    choices.choose(visit.desk, need_id, [] if none else leads, reason)
    return visit.go(f"/needs/{need_id}", "chosen")


def _are_you_sure(visit: Visit, need_id: str, lead_ids: list[str], reason: str) -> Response:
    need = authorisation.need_as_firm(visit.desk, need_id)
    found = answers.interested(visit.desk, need.id)
    return visit.page(
        "needs/choose.html",
        need=need,
        chosen=[each for each in found if each.lead.id in lead_ids],
        others=[each for each in found if each.lead.id not in lead_ids],
        reason=reason,
    )


@router.post("/needs/{need_id}/reopen", dependencies=[Csrf])
def reopen(visit: MemberVisit, need_id: str) -> Response:
    """Undo the choice."""
    choices.reopen(visit.desk, need_id)
    return visit.go(f"/needs/{need_id}", "reopened")


@router.get("/needs/{need_id}/withdraw")
def withdraw_page(visit: MemberVisit, need_id: str) -> Response:
    """Ask once more: withdrawing tells every recipient."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    return visit.page("needs/withdraw.html", need=need)


@router.post("/needs/{need_id}/withdraw", dependencies=[Csrf])
def withdraw(visit: MemberVisit, need_id: str, reason: Text = "") -> Response:
    """Take the need back."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    closing.withdraw(visit.desk, need.id, reason)
    return visit.go(f"/needs/{need.id}", "withdrawn")


@router.post("/needs/{need_id}/correct", dependencies=[Csrf])
def correct(visit: MemberVisit, need_id: str, text: Text = "") -> Response:
    """Send an addition to all recipients."""
    corrections.correct(visit.desk, need_id, text)
    return visit.go(f"/needs/{need_id}", "corrected")


@router.post("/questions/{question_id}/answer", dependencies=[Csrf])
def answer(visit: MemberVisit, question_id: str, answer: Text = "") -> Response:
    """Answer a question; it goes to all recipients."""
    question = questions.answer(visit.desk, question_id, answer)
    return visit.go(f"/needs/{question.need_id}#questions", "answered_question")


@router.post("/collaborations/{collaboration_id}", dependencies=[Csrf])
def collaboration(
    visit: MemberVisit,
    collaboration_id: str,
    state: Text = "",
    hours_per_week: Text = "",
    fte: Text = "",
    tonnes_per_year: Text = "",
    note: Text = "",
) -> Response:
    """Say how the collaboration goes."""
    if state not in list(CollaborationState):
        raise Invalid("bad_choice", "state: choose one", field="state")
    found = collaborations.update(
        visit.desk,
        collaboration_id,
        state=CollaborationState(state),
        hours_per_week=number(hours_per_week, "hours_per_week"),
        fte=number(fte, "fte"),
        tonnes_per_year=number(tonnes_per_year, "tonnes_per_year"),
        note=note,
    )
    if found.company_id in visit.desk.actor.companies:
        lead_path = leads_path(visit.desk, found)
        return visit.go(lead_path, "collaboration")
    return visit.go(f"/needs/{found.need_id}#collaborations", "collaboration")


def leads_path(desk: Desk, found: Collaboration) -> str:
    """The company's own page of the lead a collaboration came from."""
    broadcast = leads.present(desk, found.need_id)
    sent = leads.leads_of(desk, broadcast.id) if broadcast else []
    mine = [lead.id for lead in sent if lead.company_id == found.company_id]
    return f"/leads/{mine[0]}" if mine else "/leads"
