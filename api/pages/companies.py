"""Maatwerkbedrijven: directory and public pages for all, the list that coordinators manage."""

import json
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.errors import NotFound
from api.pages.fields import Text, caught
from api.pages.maps import Map
from api.pages.visit import CoordinatorVisit, Visit, VisitDep
from api.services import checks, companies, hubs, offers, vectors
from api.web import Csrf
from matcher.places import distance_km, fold
from models import Company, Site
from models.company import Recognition

router = APIRouter()
SHOWN = 60
BEST, FALL = 30, 4  # a search shows at most 30, and none four times less likely than the best
LIKELY = 0.25  # below it, nothing is said to do what was asked
NEAR_KM = 30


@router.get("/companies")
def directory(visit: VisitDep, q: str = "", activity: str = "", place: str = "") -> Response:
    """The directory: by meaning, kind of work or place. Without a question: all, by name."""
    return _directory(visit, q, activity, place)


@router.get("/search")
def search(visit: VisitDep, q: str = "", activity: str = "", place: str = "") -> Response:
    """The same, at the address whose use is limited per caller."""
    return _directory(visit, q, activity, place)


def _directory(visit: Visit, q: str, activity: str, place: str) -> Response:
    desk = visit.desk
    found = {
        each.id: each
        for each in desk.session.scalars(
            select(Company)
            .where(Company.active, Company.recognition == Recognition.RECOGNISED)
            .order_by(Company.name)
            .options(selectinload(Company.sites))
        )
    }
    errors: dict[str, str] = {}
    centre = None
    if place.strip():
        with caught(visit, errors):
            centre = checks.place(visit.runtime, place, "place")
    if centre is not None:
        found = {
            key: each
            for key, each in found.items()
            if any(distance_km(site, centre) <= NEAR_KM for site in each.sites)
        }
    question = q.strip()[:500]
    if activity in visit.runtime.activities:
        kind = visit.runtime.activities[activity]
        question = f"{question} {kind.label('nl')}: {kind.about}".strip()
    shown: list[tuple[Company, str]] = []
    unsure = False
    if question:
        ranking = visit.runtime.ranker.rank(question, vectors.offer_index(desk))
        best = sorted(ranking.best_by_company().values(), key=lambda each: -each.probability)
        near = [each for each in best if each.company_id in found]
        named = [each for each in found.values() if q.strip() and fold(q) in fold(each.name)]
        unsure = not named and bool(near) and near[0].probability < LIKELY
        shown = [(each, "") for each in named] + [
            (found[each.company_id], each.offer.text)
            for each in near[:BEST]
            if each.probability >= near[0].probability / FALL
            and not (named and each.probability < LIKELY)
            and found[each.company_id] not in named
        ]
    else:
        shown = [(each, "") for each in found.values()]
    return visit.page(
        "companies/directory.html",
        total=len(shown),
        shown=shown[:SHOWN],
        unsure=unsure,
        q=q,
        activity=activity,
        place=place,
        errors=errors,
        activities=visit.runtime.activities,
        municipality=visit.runtime.places.municipality,
        map=Map.of(visit.runtime).all_of(each for each, _ in shown),
    )


@router.get("/companies/{company_id}")
def show(visit: VisitDep, company_id: str) -> Response:
    """The public page of a maatwerkbedrijf, with structured data."""
    company = companies.load(visit.desk, company_id)
    if not company.active:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    described = offers.of_company(visit.desk, company_id)
    actor = visit.desk.actor
    return visit.page(
        "companies/show.html",
        company=company,
        offers=described,
        municipality=visit.runtime.places.municipality,
        certificates=visit.runtime.certificates,
        structured=_structured(visit, company, [offer.text for offer in described]),
        map=Map.of(visit.runtime).all_of([company]),
        may_edit=company.id in actor.companies or bool(actor.hubs),
    )


def _structured(visit: Visit, company: Company, offers: list[str]) -> str:
    """schema.org data as JSON that is safe inside a script element."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": company.name,
        "url": company.website or f"{visit.runtime.settings.base_url}/companies/{company.id}",
        "description": company.description,
        "address": [
            {
                "@type": "PostalAddress",
                "streetAddress": site.street,
                "postalCode": site.postcode,
                "addressLocality": visit.runtime.places.municipality(site.nis).name_nl,
                "addressCountry": "BE",
            }
            for site in company.sites
        ],
        "makesOffer": [
            {"@type": "Offer", "itemOffered": {"@type": "Service", "name": text}} for text in offers
        ],
    }
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


@router.get("/hub/companies")
def manage(visit: CoordinatorVisit, q: str = "") -> Response:
    """The companies of one's territory, with what needs care."""
    desk = visit.desk
    territory = frozenset[str]().union(
        *(hubs.territory(desk, hub_id) for hub_id in desk.actor.hubs)
    )
    statement = (
        select(Company)
        .where(Company.id.in_(select(Site.company_id).where(Site.nis.in_(territory))))
        .order_by(Company.name)
        .options(selectinload(Company.sites))
    )
    if q.strip():
        statement = statement.where(Company.name.icontains(q.strip(), autoescape=True))
    return visit.page(
        "companies/manage.html",
        companies=desk.session.scalars(statement).all(),
        q=q,
        errors={},
        form={},
        municipality=visit.runtime.places.municipality,
    )


@router.get("/hub/companies/new")
def new(visit: CoordinatorVisit) -> Response:
    """An empty form for a new maatwerkbedrijf."""
    return visit.page("companies/new.html", form={}, errors={})


@router.post("/hub/companies/new", dependencies=[Csrf])
def add(
    visit: CoordinatorVisit,
    name: Text = "",
    kbo: Text = "",
    email: Text = "",
    sites: Text = "",
    street: Text = "",
) -> Response:
    """A new maatwerkbedrijf; the rest of its profile follows on its own page."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        company = companies.add(
            visit.desk, name=name, kbo=kbo, email=email, places=[(sites, street)]
        )
        return visit.go(f"/companies/{company.id}/edit", "company_added")
    form = {"name": name, "kbo": kbo, "email": email, "sites": sites, "street": street}
    return visit.page("companies/new.html", 422, form=form, errors=errors)
