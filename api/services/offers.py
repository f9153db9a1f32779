"""Offers: the kinds of work that a company does, each in its own words."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Invalid, NotFound
from api.services import audit, authorisation, checks, companies
from api.services.desk import Desk
from matcher.text import detect_language
from models import Offer, now


def of_company(desk: Desk, company_id: str, *, all_of_them: bool = False) -> Sequence[Offer]:
    """The offers of a company, active ones only unless asked otherwise."""
    statement = select(Offer).where(Offer.company_id == company_id).order_by(Offer.id)
    if not all_of_them:
        statement = statement.where(Offer.active)
    return desk.session.scalars(statement).all()


def add(
    desk: Desk,
    company_id: str,
    *,
    text: str,
    language: str = "",
    on_site: bool = False,
    at_workshop: bool = True,
    radius_km: float | None = None,
    external_id: str | None = None,
) -> Offer:
    """One more kind of work the company does, in its own words."""
    company = authorisation.company_to_edit(desk, company_id)
    words = checks.text(text, "text", least=3, most=2000)
    offer = Offer(
        company_id=company.id,
        text=words,
        language=checks.language(language or detect_language(words)),
        on_site=on_site,
        at_workshop=at_workshop,
        radius_km=None if radius_km is None else companies.radius(radius_km, "radius_km"),
        external_id=external_id,
        created_at=desk.at,
    )
    _somewhere(offer)
    desk.session.add(offer)
    desk.session.flush()
    companies.looked_through(desk, company, changed=True)
    audit.record(desk, "add", "offer", offer.id, company_id=company.id)
    return offer


def change(
    desk: Desk,
    offer_id: str,
    *,
    text: str | None = None,
    on_site: bool | None = None,
    at_workshop: bool | None = None,
    radius_km: float | None = None,
    own_radius: bool = True,
    active: bool | None = None,
) -> Offer:
    """Change an offer, or switch it off and on; only what is given changes.

    Without `own_radius` the company's service radius counts for it.
    """
    offer = desk.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound("offer_not_found", "there is no such offer")
    company = authorisation.company_to_edit(desk, offer.company_id)
    if text is not None:
        offer.text = checks.text(text, "text", least=3, most=2000)
    if on_site is not None:
        offer.on_site = on_site
    if at_workshop is not None:
        offer.at_workshop = at_workshop
    if radius_km is not None:
        offer.radius_km = companies.radius(radius_km, "radius_km")
    if not own_radius:
        offer.radius_km = None
    if active is not None:
        offer.active = active
    _somewhere(offer)
    companies.looked_through(desk, company, desk.session.is_modified(offer))
    offer.updated_at = now()
    audit.record(desk, "change", "offer", offer.id, company_id=offer.company_id)
    return offer


def _somewhere(offer: Offer) -> None:
    if not offer.on_site and not offer.at_workshop:
        raise Invalid(
            "nowhere",
            "say where the work is done: on site, at the workshop or both",
            field="on_site",
        )
