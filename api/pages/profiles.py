"""The profile of a maatwerkbedrijf: offers, absence, certificates, delivery, for itself and for
coordinators."""

from typing import Any

from fastapi import APIRouter, Response

from api.errors import Invalid, NotFound
from api.pages.fields import Text, Texts, caught, day, number
from api.pages.visit import CoordinatorVisit, MemberVisit, Visit
from api.services import authorisation, companies, feeds
from api.web import Csrf
from models import Offer
from models.company import Delivery, Recognition

router = APIRouter()


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
        feed=f"/feed/{feeds.secret(visit.desk, company_id)}"
        if company_id in visit.desk.actor.companies
        else "",
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


@router.post("/companies/{company_id}/feed", dependencies=[Csrf])
def renew_feed(visit: MemberVisit, company_id: str) -> Response:
    """A new secret address for the feed; the former one stops working."""
    feeds.renew(visit.desk, company_id)
    return visit.go(f"/companies/{company_id}/edit#feed", "feed")
