"""One company judged for one need: the verdict in full, exceptions with a reason, judgements."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.errors import Invalid, NotFound
from api.pages import explanations
from api.pages.fields import Text, caught
from api.pages.visit import CoordinatorVisit, Visit
from api.services import authorisation, exceptions, judgements, matching, needs, renewals
from api.services.desk import Desk
from api.web import Csrf
from models import Lead
from models.broadcast import ExceptionKind
from models.states import NeedState

router = APIRouter()
WAITING = (NeedState.SUBMITTED, NeedState.RETURNED)


@router.get("/hub/needs/{need_id}/companies/{company_id}")
def company(visit: CoordinatorVisit, need_id: str, company_id: str) -> Response:
    """One company judged for one need: every reason, every step, the words that carried it."""
    return _page(visit, need_id, company_id)


def _page(
    visit: Visit,
    need_id: str,
    company_id: str,
    errors: dict[str, str] | None = None,
    reason: str = "",
) -> Response:
    desk = visit.desk
    need = needs.with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    found = [each for each in matching.assess(desk, need).judged if each.company.id == company_id]
    made = {each.company_id: each for each in exceptions.of_need(desk, need.id)}
    if not found:
        return visit.go(f"/companies/{company_id}")
    judged = found[0]
    return visit.page(
        "hub/company_verdict.html",
        422 if errors else 200,
        need=need,
        judged=judged,
        explanation=explanations.of_match(visit.runtime, need, judged.match),
        exception=made.get(company_id),
        waiting=need.state in WAITING,
        errors=errors or {},
        reason=reason,
        lead=_open_lead(desk, need_id, company_id),
    )


def _open_lead(desk: Desk, need_id: str, company_id: str) -> Lead | None:
    return desk.session.scalar(
        select(Lead).where(
            Lead.need_id == need_id, Lead.company_id == company_id, Lead.closed_at.is_(None)
        )
    )


@router.post("/hub/needs/{need_id}/companies/{company_id}/renew-link", dependencies=[Csrf])
def renew_link(visit: CoordinatorVisit, need_id: str, company_id: str) -> Response:
    """Make the personal link of this company's lead worthless and mail it another."""
    authorisation.need_as_coordinator(visit.desk, need_id)
    lead = _open_lead(visit.desk, need_id, company_id)
    if lead is None:
        raise NotFound("lead_not_found", "this company has no open lead for this need")
    renewals.renew_link(visit.desk, lead.id)
    return visit.go(f"/hub/needs/{need_id}/companies/{company_id}", "link_renewed")


@router.post("/hub/needs/{need_id}/exceptions", dependencies=[Csrf])
def exception(
    visit: CoordinatorVisit,
    need_id: str,
    company_id: Text = "",
    kind: Text = "",
    reason: Text = "",
    undo: Text = "",
) -> Response:
    """Leave out or add a company with a written reason, or undo that."""
    if undo:
        exceptions.undo(visit.desk, need_id, company_id)
        return visit.go(f"/hub/needs/{need_id}", "exception_undone")
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if kind not in list(ExceptionKind):
            raise Invalid("bad_choice", "kind: choose one", field="kind")
        exceptions.make(visit.desk, need_id, company_id, ExceptionKind(kind), reason)
        return visit.go(f"/hub/needs/{need_id}", "exception")
    return _page(visit, need_id, company_id, errors, reason)


@router.post("/hub/needs/{need_id}/judge", dependencies=[Csrf])
def judge(
    visit: CoordinatorVisit, need_id: str, company_id: Text = "", grade: Text = ""
) -> Response:
    """The coordinator's own judgement, for the next calibration."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if grade not in ("0", "1", "2"):
            raise Invalid("bad_choice", "grade: choose one", field="grade")
        judgements.by_coordinator(visit.desk, need_id, company_id, int(grade))
        return visit.go(f"/hub/needs/{need_id}/companies/{company_id}", "judged")
    return _page(visit, need_id, company_id, errors)
