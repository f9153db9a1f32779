"""The people of a maatwerkbedrijf: invite, remove, and who gets its mail."""

from fastapi import APIRouter, Response

from api.pages.fields import Text, caught
from api.pages.visit import MemberVisit, Visit
from api.services import authorisation, colleagues
from api.web import Csrf

router = APIRouter()


@router.get("/companies/{company_id}/people")
def people(visit: MemberVisit, company_id: str) -> Response:
    """Who works in the company's room, and who gets its mail."""
    return _page(visit, company_id)


def _page(
    visit: Visit,
    company_id: str,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    return visit.page(
        "companies/people.html",
        422 if errors else 200,
        company=authorisation.company_itself(visit.desk, company_id),
        people=colleagues.of_company(visit.desk, company_id),
        form=form or {"person_email": "", "person_name": "", "wants_leads": "1"},
        errors=errors or {},
    )


@router.post("/companies/{company_id}/people", dependencies=[Csrf])
def invite(
    visit: MemberVisit,
    company_id: str,
    person_email: Text = "",
    person_name: Text = "",
    wants_leads: Text = "",
) -> Response:
    """Give a colleague access; a mail tells so."""
    authorisation.company_itself(visit.desk, company_id)
    errors: dict[str, str] = {}
    with caught(visit, errors):
        colleagues.invite(
            visit.desk, company_id, person_email, name=person_name, wants_leads=bool(wants_leads)
        )
        return visit.go(f"/companies/{company_id}/people", "colleague_invited")
    form = {
        "person_email": person_email,
        "person_name": person_name,
        "wants_leads": wants_leads,
    }
    return _page(visit, company_id, form, errors)


@router.post("/companies/{company_id}/first-person", dependencies=[Csrf])
def first(visit: MemberVisit, company_id: str) -> Response:
    """A coordinator opens the room for a company without people: to its own mail address."""
    company = authorisation.company_to_edit(visit.desk, company_id)
    colleagues.invite(visit.desk, company.id, company.email or "", name=company.name)
    return visit.go(f"/companies/{company_id}/edit", "colleague_invited")


@router.post("/companies/{company_id}/people/mail", dependencies=[Csrf])
def mail(
    visit: MemberVisit, company_id: str, membership: Text = "", wants_leads: Text = ""
) -> Response:
    """Whether a colleague gets the leads by mail too."""
    colleagues.change_wish(visit.desk, company_id, membership, bool(wants_leads))
    return visit.go(f"/companies/{company_id}/people", "colleague_mail")


@router.post("/companies/{company_id}/people/remove", dependencies=[Csrf])
def remove(visit: MemberVisit, company_id: str, membership: Text = "") -> Response:
    """Take a colleague's access away."""
    colleagues.remove(visit.desk, company_id, membership)
    here = company_id in visit.desk.actor.companies
    return visit.go(f"/companies/{company_id}/people" if here else "/account", "colleague_removed")
