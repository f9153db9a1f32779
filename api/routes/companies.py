"""Companies (maatwerkbedrijven): who they are, where they work, what they hold."""

from collections.abc import Callable
from typing import Any

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.idempotency import OnceDep
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, CompaniesRead, CompaniesWrite, PathId, noun
from api.schemas.base import Page
from api.schemas.companies import (
    AbsencesIn,
    CertificatesIn,
    CompanyChangeIn,
    CompanyIn,
    CompanyOut,
    CompanyPrivate,
    SitesIn,
)
from api.services import certificates, companies
from api.services.desk import Desk
from models import Company

router = noun("companies")


def company_out(desk: Desk, company: Company) -> CompanyOut:
    """A company with what the caller may see of it. Needs sites and the rest loaded."""
    shown = CompanyOut(
        **{name: getattr(company, name) for name in CompanyOut.model_fields if name != "private"}
    )
    if desk.actor.hubs or company.id in desk.actor.companies:
        shown.private = CompanyPrivate.model_validate(company)
    return shown


def _reloaded(desk: Desk, company: Company) -> CompanyOut:
    desk.session.flush()
    return company_out(desk, companies.load(desk, company.id))


@router.post("/companies", status_code=201, response_model=CompanyOut, responses=WRITTEN)
def add_company(desk: CompaniesWrite, body: CompanyIn, once: OnceDep) -> Response:
    """Add a company with its sites. Coordinators; scope `companies:write`."""
    values = body.model_dump(exclude={"sites"})
    places = [(site.place, site.street) for site in body.sites]
    company = companies.add(desk, places=places, **values)
    return once.answer(_reloaded(desk, company), 201)


@router.get("/companies", responses=LISTED)
def list_companies(desk: CompaniesRead, paging: PagingDep) -> Page[CompanyOut]:
    """All companies of the network, by id. Scope `companies:read`."""
    statement = select(Company).options(
        selectinload(Company.sites),
        selectinload(Company.certificates),
        selectinload(Company.absences),
    )
    rows, following = paginate(desk.session, statement, Company.id, paging)
    return Page(items=[company_out(desk, row) for row in rows], next_cursor=following)


@router.get("/companies/{company_id}", responses=FOUND)
def read_company(desk: CompaniesRead, company_id: PathId) -> CompanyOut:
    """One company. Scope `companies:read`."""
    return company_out(desk, companies.load(desk, company_id))


@router.patch("/companies/{company_id}", responses=WRITTEN)
def change_company(desk: CompaniesWrite, company_id: PathId, body: CompanyChangeIn) -> CompanyOut:
    """Change what a company says about itself. Itself and coordinators.

    `recognition` and `active` are facts of the hub: coordinators only. Scope `companies:write`.
    """
    given = body.model_dump(exclude_unset=True)
    special: dict[str, Callable[[Any], Company]] = {
        "max_open_leads": lambda most: companies.set_capacity(desk, company_id, most),
        "recognition": lambda held: companies.set_recognition(desk, company_id, held),
        "active": lambda on: companies.deactivate(desk, company_id, active=on),
    }
    own = {k: v for k, v in given.items() if k not in special and v is not None}
    company = companies.change(desk, company_id, **own)
    for name, change in special.items():
        if name in given and (given[name] is not None or name == "max_open_leads"):
            company = change(given[name])
    return _reloaded(desk, company)


@router.put("/companies/{company_id}/sites", responses=WRITTEN)
def set_sites(desk: CompaniesWrite, company_id: PathId, body: SitesIn) -> CompanyOut:
    """Replace a company's sites. Itself and coordinators; scope `companies:write`."""
    places = [(site.place, site.street) for site in body.sites]
    return company_out(desk, companies.set_sites(desk, company_id, places))


@router.put("/companies/{company_id}/certificates", responses=WRITTEN)
def set_certificates(desk: CompaniesWrite, company_id: PathId, body: CertificatesIn) -> CompanyOut:
    """Replace a company's certificates. Itself and coordinators; scope `companies:write`."""
    held = [(each.code, each.valid_until) for each in body.certificates]
    return company_out(desk, certificates.set_all(desk, company_id, held))


@router.put("/companies/{company_id}/absences", responses=WRITTEN)
def set_absences(desk: CompaniesWrite, company_id: PathId, body: AbsencesIn) -> CompanyOut:
    """Replace the days on which a company takes no new leads. Itself and coordinators."""
    days = [(each.starts_on, each.ends_on, each.note) for each in body.absences]
    return company_out(desk, companies.set_absences(desk, company_id, days))
