"""Maatwerkbedrijven: directory and public pages for all, profile and offers for themselves
and for coordinators."""

import json
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.errors import Invalid, NotFound
from api.pages.fields import Text, Texts, caught, day, number
from api.pages.maps import Map
from api.pages.visit import CoordinatorVisit, MemberVisit, Visit, VisitDep
from api.services import authorisation, checks, companies, hubs, vectors
from api.web import Csrf
from matcher.places import distance_km
from models import Company, Offer, Site
from models.company import Delivery, Recognition

router = APIRouter()
SHOWN = 60
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
    if question:
        ranking = visit.runtime.ranker.rank(question, vectors.offer_index(desk))
        least = visit.runtime.ranker.threshold_for(0.2).value
        for match in sorted(ranking.best_by_company().values(), key=lambda each: -each.probability):
            if match.company_id in found and match.probability >= least:
                shown.append((found[match.company_id], match.offer.text))
    else:
        shown = [(each, "") for each in found.values()]
    return visit.page(
        "companies/directory.html",
        total=len(shown),
        shown=shown[:SHOWN],
        q=q,
        activity=activity,
        place=place,
        errors=errors,
        activities=visit.runtime.activities,
        municipality=visit.runtime.places.municipality,
        map=Map(visit.runtime.places).all_of(each for each, _ in shown),
    )


@router.get("/companies/{company_id}")
def show(visit: VisitDep, company_id: str) -> Response:
    """The public page of a maatwerkbedrijf, with structured data."""
    company = companies.load(visit.desk, company_id)
    if not company.active:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    offers = companies.offers_of(visit.desk, company_id)
    actor = visit.desk.actor
    return visit.page(
        "companies/show.html",
        company=company,
        offers=offers,
        municipality=visit.runtime.places.municipality,
        certificates=visit.runtime.certificates,
        structured=_structured(visit, company, [offer.text for offer in offers]),
        map=Map(visit.runtime.places).all_of([company]),
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


@router.get("/companies/{company_id}/edit")
def edit(visit: MemberVisit, company_id: str) -> Response:
    """The profile, offers, absence and certificates, for itself and for coordinators."""
    return _edit(visit, company_id, {})


def _edit(
    visit: Visit, company_id: str, errors: dict[str, str], form: dict[str, Any] | None = None
) -> Response:
    authorisation.company_to_edit(visit.desk, company_id)
    company = companies.load(visit.desk, company_id)
    kept: dict[str, Any] = {
        "name": company.name,
        "email": company.email or "",
        "phone": company.phone or "",
        "website": company.website or "",
        "description": company.description,
        "language": company.language,
        "service_radius_km": f"{company.service_radius_km:g}",
        "max_open_leads": "" if company.max_open_leads is None else company.max_open_leads,
        "delivery": company.delivery.value,
        "wants_reminders": company.wants_reminders,
        "text": "",
        "starts_on": "",
        "ends_on": "",
        "note": "",
    }
    return visit.page(
        "companies/edit.html",
        422 if errors else 200,
        company=company,
        offers=companies.offers_of(visit.desk, company_id, all_of_them=True),
        form=kept | (form or {}),
        errors=errors,
        certificates=visit.runtime.certificates,
        held={each.code: each.valid_until for each in company.certificates},
        deliveries=[each.value for each in Delivery],
        recognitions=[each.value for each in Recognition],
        today=visit.desk.today,
    )


@router.post("/companies/{company_id}/profile", dependencies=[Csrf])
def profile(
    visit: MemberVisit,
    company_id: str,
    name: Text = "",
    email: Text = "",
    phone: Text = "",
    website: Text = "",
    description: Text = "",
    language: Text = "nl",
    service_radius_km: Text = "",
    max_open_leads: Text = "",
    delivery: Text = "each",
    wants_reminders: Text = "",
) -> Response:
    """What the company says about itself, and how it wants its leads."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if delivery not in list(Delivery):
            raise Invalid("bad_choice", "delivery: choose one", field="delivery")
        companies.change(
            visit.desk,
            company_id,
            name=name,
            email=email,
            phone=phone,
            website=website,
            description=description,
            language=language,
            service_radius_km=number(service_radius_km, "service_radius_km"),
            delivery=Delivery(delivery),
            wants_reminders=bool(wants_reminders),
        )
        capacity = number(max_open_leads, "max_open_leads")
        companies.set_capacity(visit.desk, company_id, None if capacity is None else int(capacity))
        return visit.go(f"/companies/{company_id}/edit", "profile")
    typed = {
        "name": name,
        "email": email,
        "phone": phone,
        "website": website,
        "description": description,
        "language": language,
        "service_radius_km": service_radius_km,
        "max_open_leads": max_open_leads,
        "delivery": delivery,
        "wants_reminders": bool(wants_reminders),
    }
    return _edit(visit, company_id, errors, typed)


@router.post("/companies/{company_id}/offers", dependencies=[Csrf])
def add_offer(
    visit: MemberVisit,
    company_id: str,
    text: Text = "",
    on_site: Text = "",
    at_workshop: Text = "",
) -> Response:
    """One more kind of work."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        companies.add_offer(
            visit.desk,
            company_id,
            text=text,
            on_site=bool(on_site),
            at_workshop=bool(at_workshop),
        )
        return visit.go(f"/companies/{company_id}/edit#offers", "offer_added")
    return _edit(visit, company_id, errors, {"text": text})


@router.post("/offers/{offer_id}", dependencies=[Csrf])
def change_offer(
    visit: MemberVisit,
    offer_id: str,
    text: Text = "",
    on_site: Text = "",
    at_workshop: Text = "",
    active: Text = "",
) -> Response:
    """Change an offer, or switch it off."""
    known = visit.desk.session.get(Offer, offer_id)
    if known is None:
        raise NotFound("offer_not_found", "there is no such offer")
    offer = companies.change_offer(
        visit.desk,
        offer_id,
        text=text,
        on_site=bool(on_site),
        at_workshop=bool(at_workshop),
        active=bool(active),
    )
    return visit.go(f"/companies/{offer.company_id}/edit#offers", "offer_changed")


@router.post("/companies/{company_id}/absences", dependencies=[Csrf])
def absences(
    visit: MemberVisit,
    company_id: str,
    starts_on: Text = "",
    ends_on: Text = "",
    note: Text = "",
    drop: Text = "",
) -> Response:
    """Add days without new leads, or drop a period."""
    errors: dict[str, str] = {}
    with caught(visit, errors):
        authorisation.company_to_edit(visit.desk, company_id)
        company = companies.load(visit.desk, company_id)
        kept = [
            (each.starts_on, each.ends_on, each.note)
            for each in company.absences
            if each.id != drop
        ]
        first, last = day(starts_on, "starts_on"), day(ends_on, "ends_on")
        if not drop:
            if first is None or last is None:
                field = "starts_on" if first is None else "ends_on"
                raise Invalid("missing", f"{field}: fill this in", field=field)
            kept.append((first, last, note))
        companies.set_absences(visit.desk, company_id, kept)
        return visit.go(f"/companies/{company_id}/edit#absence", "absence")
    errors = {"ends_on" if key == "absences" else key: value for key, value in errors.items()}
    return _edit(
        visit, company_id, errors, {"starts_on": starts_on, "ends_on": ends_on, "note": note}
    )


@router.post("/companies/{company_id}/certificates", dependencies=[Csrf])
def certificates(visit: MemberVisit, company_id: str, codes: Texts = []) -> Response:  # noqa: B006
    """The certificates a company holds; the last valid day of those it keeps stays."""
    authorisation.company_to_edit(visit.desk, company_id)
    held = {
        each.code: each.valid_until for each in companies.load(visit.desk, company_id).certificates
    }
    companies.set_certificates(visit.desk, company_id, [(code, held.get(code)) for code in codes])
    return visit.go(f"/companies/{company_id}/edit#certificates", "certificates")


@router.post("/companies/{company_id}/standing", dependencies=[Csrf])
def standing(
    visit: CoordinatorVisit, company_id: str, recognition: Text = "", active: Text = ""
) -> Response:
    """Recognition and whether the company takes part: facts the hub keeps."""
    if recognition not in list(Recognition):
        raise Invalid("bad_choice", "recognition: choose one", field="recognition")
    companies.set_recognition(visit.desk, company_id, Recognition(recognition))
    companies.deactivate(visit.desk, company_id, active=bool(active))
    return visit.go(f"/companies/{company_id}/edit", "profile")
