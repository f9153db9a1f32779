"""Needs: submitted, read, corrected, and what a hub may do with one that waits."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from api.errors import NotAllowed
from api.idempotency import OnceDep
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, NeedsRead, NeedsWrite, PathId, noun
from api.schemas.base import Id, Page
from api.schemas.judgements import JudgementIn, JudgementOut
from api.schemas.needs import FactsIn, NeedIn, NeedOut, ReasonIn, StepsIn
from api.schemas.referrals import ReferralIn, ReferralOut
from api.services import (
    authorisation,
    closing,
    companies,
    contacts,
    judgements,
    needs,
    referrals,
)
from api.services.desk import Desk
from api.services.needs import NeedDraft
from models import Firm, Need, Person
from models.states import NeedState

router = noun("needs")


def need_out(desk: Desk, need: Need) -> NeedOut:
    """A need as it stands now, with its steps."""
    return NeedOut.model_validate(needs.with_steps(desk, need))


@router.post("/needs", status_code=201, response_model=NeedOut, responses=WRITTEN)
def submit_need(desk: NeedsWrite, body: NeedIn, once: OnceDep) -> Response:
    """Submit a need; it goes to the hub's intake queue at once. Scope `needs:write`.

    With a firm's token the need is that firm's and the contact is one of its members; a
    coordinator submits for a firm by giving `firm_name`, `contact_name` and `contact_email`.
    """
    values = body.model_dump()
    values["language"] = values["language"] or ""
    if desk.actor.firms:
        firm = desk.session.get_one(Firm, min(desk.actor.firms))
        person = desk.session.get_one(Person, desk.actor.person_id)
        values |= {
            "firm_id": firm.id,
            "firm_name": firm.name,
            "contact_email": body.contact_email or person.email,
            "contact_name": body.contact_name or person.name or firm.name,
        }
    elif not desk.actor.hubs:
        raise NotAllowed("firms_only", "only a firm, or a coordinator for it, submits needs")
    need = needs.submit(desk, NeedDraft(**values), proven=True)
    return once.answer(need_out(desk, need), 201)


@router.get("/needs", responses=LISTED)
def list_needs(
    desk: NeedsRead,
    paging: PagingDep,
    state: Annotated[NeedState | None, Query(description="only in this state")] = None,
    hub_id: Annotated[Id | None, Query(description="only of this hub")] = None,
) -> Page[NeedOut]:
    """The needs of your firm, or of the hubs you coordinate. Scope `needs:read`."""
    mine = or_(Need.hub_id.in_(desk.actor.hubs), Need.firm_id.in_(desk.actor.firms))
    statement = select(Need).where(mine).options(selectinload(Need.steps))
    if state is not None:
        statement = statement.where(Need.state == state)
    if hub_id is not None:
        statement = statement.where(Need.hub_id == hub_id)
    rows, following = paginate(desk.session, statement, Need.id, paging)
    contacts.seen(desk, *rows)
    return Page(items=[NeedOut.model_validate(row) for row in rows], next_cursor=following)


@router.get("/needs/{need_id}", responses=FOUND)
def read_need(desk: NeedsRead, need_id: PathId) -> NeedOut:
    """One need. Its firm and the coordinators of its hub; scope `needs:read`."""
    need = authorisation.need(desk, need_id)
    contacts.seen(desk, need)
    return need_out(desk, need)


@router.patch("/needs/{need_id}", responses=WRITTEN)
def change_facts(desk: NeedsWrite, need_id: PathId, body: FactsIn) -> NeedOut:
    """Change facts before release. Its firm or hub; scope `needs:write`.

    After release nothing changes silently: send a correction instead.
    """
    given = body.model_dump(exclude_unset=True)
    facts = {
        name: value for name, value in given.items() if value is not None or name == "starts_on"
    }
    return need_out(desk, needs.change_facts(desk, need_id, facts))


@router.put("/needs/{need_id}/steps", responses=WRITTEN)
def correct_steps(desk: NeedsWrite, need_id: PathId, body: StepsIn) -> NeedOut:
    """Replace the steps that were read by the coordinator's. Scope `needs:write`."""
    steps = [(step.text, step.activities) for step in body.steps]
    return need_out(desk, needs.correct_steps(desk, need_id, steps))


@router.post("/needs/{need_id}/no-fit", response_model=NeedOut, responses=WRITTEN)
def declare_no_fit(desk: NeedsWrite, need_id: PathId, body: ReasonIn, once: OnceDep) -> Response:
    """There is no work in it for a maatwerkbedrijf; the firm reads why. Coordinators."""
    need = needs.declare_no_fit(desk, need_id, body.reason)
    return once.answer(need_out(desk, need))


@router.post("/needs/{need_id}/withdraw", response_model=NeedOut, responses=WRITTEN)
def withdraw(desk: NeedsWrite, need_id: PathId, body: ReasonIn, once: OnceDep) -> Response:
    """Take a need back; recipients are told if it was out. Its firm or hub."""
    return once.answer(need_out(desk, closing.withdraw(desk, need_id, body.reason)))


@router.post("/needs/{need_id}/take-back", response_model=NeedOut, responses=WRITTEN)
def take_back(desk: NeedsWrite, need_id: PathId, once: OnceDep) -> Response:
    """Undo a referral, a "no fit" or a withdrawal: back to the intake queue. Coordinators."""
    return once.answer(need_out(desk, needs.take_back(desk, need_id)))


@router.post(
    "/needs/{need_id}/refer", status_code=201, response_model=ReferralOut, responses=WRITTEN
)
def refer(desk: NeedsWrite, need_id: PathId, body: ReferralIn, once: OnceDep) -> Response:
    """Hand a need to another hub, or by mail to a partner, expert or funder. Coordinators."""
    referral = referrals.refer(
        desk,
        need_id,
        body.kind,
        body.message,
        to_hub=body.to_hub,
        to_name=body.to_name,
        to_email=body.to_email,
    )
    desk.session.flush()
    return once.answer(ReferralOut.model_validate(referral), 201)


@router.get("/needs/{need_id}/referrals", responses=FOUND)
def list_referrals(desk: NeedsRead, need_id: PathId) -> list[ReferralOut]:
    """To whom a need was handed on, oldest first. Its firm and hub; scope `needs:read`."""
    need = authorisation.need(desk, need_id)
    return [ReferralOut.model_validate(each) for each in referrals.of_need(desk, need)]


@router.post(
    "/needs/{need_id}/judgements", status_code=201, response_model=JudgementOut, responses=WRITTEN
)
def judge(desk: NeedsWrite, need_id: PathId, body: JudgementIn, once: OnceDep) -> Response:
    """Say whether a company suits a need: for the next calibration, never for this broadcast."""
    company = companies.load(desk, body.company_id)
    kept = judgements.by_coordinator(desk, need_id, company.id, body.grade)
    return once.answer(JudgementOut.model_validate(kept), 201)
