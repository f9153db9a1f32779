"""Whether a profile still holds: the page of the mail that asks, and who asks for it."""

from fastapi import APIRouter, Response

from api.pages.fields import Text
from api.pages.visit import CoordinatorVisit, MemberVisit, VisitDep
from api.services import offers, profile_mails
from api.web import Csrf

router = APIRouter()


@router.get("/still-right/{token}")
def look(visit: VisitDep, token: str) -> Response:
    """What the network knows of a company, and a button; opening the page does nothing."""
    company = profile_mails.company_of(visit.desk, token)
    asked = company.reminded_at
    return visit.page(
        "companies/still_right.html",
        company=company,
        offers=offers.of_company(visit.desk, company.id),
        municipality=visit.runtime.places.municipality,
        certificates=visit.runtime.certificates,
        confirmed=asked is not None and company.checked_at >= asked,
        token=token,
    )


@router.post("/still-right/{token}")
def still_right(visit: VisitDep, token: str, stop: Text = "") -> Response:
    """All is right still; or `stop`: no such mails any more."""
    if stop:
        profile_mails.stop_by_link(visit.desk, token)
        return visit.go(f"/still-right/{token}", "profile_mail_stopped")
    profile_mails.confirm_by_link(visit.desk, token)
    return visit.go(f"/still-right/{token}", "profile_confirmed")


@router.post("/companies/{company_id}/still-right", dependencies=[Csrf])
def confirm(visit: MemberVisit, company_id: str) -> Response:
    """The same from one's own profile."""
    profile_mails.confirm(visit.desk, company_id)
    return visit.go(f"/companies/{company_id}/edit", "profile_confirmed")


@router.post("/hub/companies/{company_id}/remind", dependencies=[Csrf])
def ask(visit: CoordinatorVisit, company_id: str) -> Response:
    """Mail a company whose profile nobody looked at for a year."""
    profile_mails.ask(visit.desk, company_id)
    return visit.go("/hub#stale_profile", "profile_asked")
