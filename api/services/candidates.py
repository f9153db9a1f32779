"""Candidates for a need: the companies of a territory with all that eligibility looks at.

Read anew for every judging, as plain rows: judging 150 companies takes a page's time, so nothing
has to be kept that could grow old and leave a company out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import func, or_, select

from api.services.desk import Desk
from matcher.eligibility import CompanyFacts, OfferFacts, SiteFacts
from models import Absence, Certificate, Company, Lead, Offer, Site
from models.company import Recognition

_Value = TypeVar("_Value")


class OfferRow(NamedTuple):
    """One active offer line of a candidate; `radius_km` None: the company's own radius."""

    id: str
    text: str
    on_site: bool
    at_workshop: bool
    radius_km: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One company as it stands now; `certificates` and `absences` as in CompanyFacts."""

    id: str
    name: str
    email: str | None
    active: bool
    recognition: Recognition
    service_radius_km: float
    max_open_leads: int | None
    sites: Sequence[SiteFacts]
    offers: Sequence[OfferRow]
    certificates: dict[str, date | None]
    absences: Sequence[tuple[date, date]]
    open_leads: int

    def facts(self, probabilities: Mapping[str, float]) -> CompanyFacts:
        """What eligibility looks at; `probabilities` maps an offer id to its probability."""
        return CompanyFacts(
            recognised=self.recognition is Recognition.RECOGNISED,
            recognition=self.recognition.value,
            service_radius_km=self.service_radius_km,
            sites=self.sites,
            offers=[
                OfferFacts(probabilities.get(o.id, 0.0), o.on_site, o.at_workshop, o.radius_km)
                for o in self.offers
            ],
            certificates=self.certificates,
            absences=self.absences,
            open_leads=self.open_leads,
            max_open_leads=self.max_open_leads,
        )


def of_territory(
    desk: Desk, territory: frozenset[str], *, also: frozenset[str] = frozenset()
) -> list[Candidate]:
    """The active companies with a site in a territory (NIS codes), by company id.

    `also` names companies from anywhere, active or not.
    """
    companies = desk.session.execute(
        select(
            Company.id,
            Company.name,
            Company.email,
            Company.active,
            Company.recognition,
            Company.service_radius_km,
            Company.max_open_leads,
        )
        .where(or_(Company.active, Company.id.in_(also)))
        .order_by(Company.id)
    ).all()
    sites = _sites(desk)
    companies = [
        row
        for row in companies
        if row[0] in also or any(site.nis in territory for site in sites.get(row[0], ()))
    ]
    ids = [row[0] for row in companies]
    offers, absences, leads = _offers(desk, ids), _absences(desk, ids), _open_leads(desk, ids)
    certificates = _grouped(
        (company_id, (code, valid_until))
        for company_id, code, valid_until in desk.session.execute(
            select(Certificate.company_id, Certificate.code, Certificate.valid_until).where(
                Certificate.company_id.in_(ids)
            )
        )
    )
    return [
        Candidate(
            *row,
            sites=sites.get(row[0], ()),
            offers=offers.get(row[0], ()),
            certificates=dict(certificates.get(row[0], ())),
            absences=absences.get(row[0], ()),
            open_leads=leads.get(row[0], 0),
        )
        for row in companies
    ]


def _grouped(pairs: Iterable[tuple[str, _Value]]) -> dict[str, list[_Value]]:
    found: dict[str, list[_Value]] = defaultdict(list)
    for company_id, value in pairs:
        found[company_id].append(value)
    return found


def _sites(desk: Desk) -> dict[str, list[SiteFacts]]:
    rows = desk.session.execute(
        select(Site.company_id, Site.nis, Site.lat, Site.lon).order_by(Site.id)
    )
    return _grouped((company_id, SiteFacts(nis, lat, lon)) for company_id, nis, lat, lon in rows)


def _offers(desk: Desk, company_ids: Sequence[str]) -> dict[str, list[OfferRow]]:
    rows = desk.session.execute(
        select(
            Offer.company_id,
            Offer.id,
            Offer.text,
            Offer.on_site,
            Offer.at_workshop,
            Offer.radius_km,
        )
        .where(Offer.active, Offer.company_id.in_(company_ids))
        .order_by(Offer.id)
    )
    return _grouped((row[0], OfferRow._make(row[1:])) for row in rows)


def _absences(desk: Desk, company_ids: Sequence[str]) -> dict[str, list[tuple[date, date]]]:
    rows = desk.session.execute(
        select(Absence.company_id, Absence.starts_on, Absence.ends_on)
        .where(Absence.company_id.in_(company_ids))
        .order_by(Absence.starts_on)
    )
    return _grouped((company_id, (starts_on, ends_on)) for company_id, starts_on, ends_on in rows)


def _open_leads(desk: Desk, company_ids: Sequence[str]) -> dict[str, int]:
    """How many leads of each company still wait for its answer."""
    rows = desk.session.execute(
        select(Lead.company_id, func.count())
        .where(
            Lead.company_id.in_(company_ids),
            Lead.closed_at.is_(None),
            Lead.answered_at.is_(None),
        )
        .group_by(Lead.company_id)
    )
    return {row[0]: row[1] for row in rows}
