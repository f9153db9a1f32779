"""A company's offers: written with a view of what they would have brought, removed and put back."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.errors import NotFound
from api.pages.fields import Text, caught, number
from api.pages.visit import MemberVisit, Visit
from api.services import authorisation, offer_previews, offers
from api.web import Csrf
from models import Company, Offer

router = APIRouter()


@dataclass
class OfferForm:
    """What the form of an offer sends; `look` is the button that only shows what it would bring."""

    text: Text = ""
    on_site: Text = ""
    at_workshop: Text = ""
    radius_km: Text = ""
    look: Text = ""


OfferDep = Annotated[OfferForm, Depends()]


@router.get("/companies/{company_id}/offers/new")
def new(visit: MemberVisit, company_id: str) -> Response:
    """An empty form for one more kind of work."""
    company = authorisation.company_to_edit(visit.desk, company_id)
    return _page(visit, company, None, OfferForm(at_workshop="1"))


@router.post("/companies/{company_id}/offers", dependencies=[Csrf])
def add(visit: MemberVisit, company_id: str, form: OfferDep) -> Response:
    """One more kind of work."""
    company = authorisation.company_to_edit(visit.desk, company_id)
    errors: dict[str, str] = {}
    if not form.look:
        with caught(visit, errors):
            offers.add(
                visit.desk,
                company_id,
                text=form.text,
                on_site=bool(form.on_site),
                at_workshop=bool(form.at_workshop),
                radius_km=number(form.radius_km, "radius_km"),
            )
            return visit.go(f"/companies/{company_id}/edit#offers", "offer_added")
    return _page(visit, company, None, form, errors)


@router.get("/offers/{offer_id}/edit")
def edit(visit: MemberVisit, offer_id: str) -> Response:
    """One offer, with what it would have brought."""
    offer, company = _find(visit, offer_id)
    form = OfferForm(
        text=offer.text,
        on_site="1" if offer.on_site else "",
        at_workshop="1" if offer.at_workshop else "",
        radius_km="" if offer.radius_km is None else f"{offer.radius_km:g}",
    )
    return _page(visit, company, offer, form)


@router.post("/offers/{offer_id}", dependencies=[Csrf])
def change(visit: MemberVisit, offer_id: str, form: OfferDep) -> Response:
    """Keep an offer as it is written now."""
    offer, company = _find(visit, offer_id)
    errors: dict[str, str] = {}
    if not form.look:
        with caught(visit, errors):
            offers.change(
                visit.desk,
                offer_id,
                text=form.text,
                on_site=bool(form.on_site),
                at_workshop=bool(form.at_workshop),
                radius_km=number(form.radius_km, "radius_km"),
                own_radius=bool(form.radius_km.strip()),
            )
            return visit.go(f"/companies/{company.id}/edit#offers", "offer_changed")
    return _page(visit, company, offer, form, errors)


@router.post("/offers/{offer_id}/remove", dependencies=[Csrf])
def remove(visit: MemberVisit, offer_id: str) -> Response:
    """Take an offer away; it can be put back."""
    _, company = _find(visit, offer_id)
    offers.change(visit.desk, offer_id, active=False)
    return visit.go(f"/companies/{company.id}/edit?removed={offer_id}#offers", "offer_removed")


@router.post("/offers/{offer_id}/restore", dependencies=[Csrf])
def restore(visit: MemberVisit, offer_id: str) -> Response:
    """Put an offer back that was taken away."""
    _, company = _find(visit, offer_id)
    offers.change(visit.desk, offer_id, active=True)
    return visit.go(f"/companies/{company.id}/edit#offers", "offer_restored")


@router.post("/reading/offers/{company_id}", dependencies=[Csrf])
def look(visit: MemberVisit, company_id: str, form: OfferDep) -> Response:
    """What it would have brought alone, for while someone types."""
    company = authorisation.company_to_edit(visit.desk, company_id)
    return visit.page("companies/offer_reach.html", **_reach(visit, company, form, {}))


def _find(visit: Visit, offer_id: str) -> tuple[Offer, Company]:
    offer = visit.desk.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound("offer_not_found", "there is no such offer")
    return offer, authorisation.company_to_edit(visit.desk, offer.company_id)


def _reach(
    visit: Visit, company: Company, form: OfferForm, errors: dict[str, str]
) -> dict[str, Any]:
    radius = None
    with caught(visit, errors):
        radius = number(form.radius_km, "radius_km")
    text = form.text[:2000]
    return {
        "found": offer_previews.preview(
            visit.desk,
            company.id,
            text,
            on_site=bool(form.on_site),
            at_workshop=bool(form.at_workshop),
            radius_km=radius,
        ),
        "kinds": offer_previews.kinds_of(visit.desk, text),
        "activities": visit.runtime.activities,
    }


def _page(
    visit: Visit,
    company: Company,
    offer: Offer | None,
    form: OfferForm,
    errors: dict[str, str] | None = None,
) -> Response:
    wrong = dict(errors or {})
    reach = _reach(visit, company, form, wrong)
    return visit.page(
        "companies/offer.html",
        422 if wrong else 200,
        company=company,
        offer=offer,
        form=form,
        errors=wrong,
        **reach,
    )
