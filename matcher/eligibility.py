"""Who may receive a need: facts in, a Verdict with coded reasons out.

Every rule is judged for every company, also after one has failed, so that a company can read
all that stood between it and the need, with the values that decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from matcher.places import distance_km


class Rule(StrEnum):
    RECOGNITION = "recognition"
    TERRITORY = "territory"
    RADIUS = "radius"
    WORK_PLACE = "work_place"
    CERTIFICATES = "certificates"
    AVAILABILITY = "availability"
    CAPACITY = "capacity"
    ACTIVITY = "activity"


Value = str | int | float | bool | None | list[str]


@dataclass(frozen=True)
class Reason:
    """One rule, whether the company meets it, and the values that decided."""

    rule: Rule
    ok: bool
    values: Mapping[str, Value] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return {"rule": self.rule.value, "ok": self.ok, "values": dict(self.values)}


@dataclass(frozen=True)
class Verdict:
    """Eligible when every reason is met."""

    reasons: tuple[Reason, ...]

    @property
    def eligible(self) -> bool:
        return all(reason.ok for reason in self.reasons)

    @property
    def against(self) -> tuple[Reason, ...]:
        """The reasons that exclude; empty when eligible."""
        return tuple(reason for reason in self.reasons if not reason.ok)


@dataclass(frozen=True)
class NeedFacts:
    """`on_site` True: at the firm; False: at a workshop; None: either. Coordinates in degrees."""

    lat: float
    lon: float
    on_site: bool | None
    starts_on: date
    certificates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SiteFacts:
    nis: str
    lat: float
    lon: float


@dataclass(frozen=True)
class OfferFacts:
    """One offer line; `probability` that it suits the need, `radius_km` if it has its own."""

    probability: float
    on_site: bool
    at_workshop: bool
    radius_km: float | None = None


@dataclass(frozen=True)
class CompanyFacts:
    """What eligibility may look at: never size, name, clicks or past popularity.

    `certificates` maps a code to its last valid day (None: no end); `absences` are pairs of
    first and last day; `max_open_leads` None means no limit.
    """

    recognised: bool
    recognition: str
    service_radius_km: float
    sites: Sequence[SiteFacts]
    offers: Sequence[OfferFacts]
    certificates: Mapping[str, date | None] = field(default_factory=dict)
    absences: Sequence[tuple[date, date]] = ()
    open_leads: int = 0
    max_open_leads: int | None = None


@dataclass(frozen=True)
class Terms:
    """The hub's terms for one need.

    `territory` is the set of NIS codes; `threshold` the least probability by activity, or None
    under the policy "all in region"; `today` the day of judging.
    """

    territory: frozenset[str]
    threshold: float | None
    today: date


def judge(need: NeedFacts, company: CompanyFacts, terms: Terms) -> Verdict:
    """The verdict on one company for one need."""
    suited = _suited_offers(company, terms)
    placed = [offer for offer in suited if _able(offer, need)]
    return Verdict(
        (
            Reason(Rule.RECOGNITION, company.recognised, {"status": company.recognition}),
            _territory(company, terms),
            _radius(need, company, placed or suited),
            _work_place(need, bool(placed)),
            _certificates(need, company, terms),
            _availability(company, terms),
            _capacity(company),
            _activity(company, terms),
        )
    )


def _suited_offers(company: CompanyFacts, terms: Terms) -> Sequence[OfferFacts]:
    """The offers that bring the company to this need; all of them if none stands out."""
    if terms.threshold is None:
        return company.offers
    suited = [offer for offer in company.offers if offer.probability >= terms.threshold]
    return suited or company.offers


def _territory(company: CompanyFacts, terms: Terms) -> Reason:
    inside = any(site.nis in terms.territory for site in company.sites)
    return Reason(Rule.TERRITORY, inside, {"sites": len(company.sites)})


def _able(offer: OfferFacts, need: NeedFacts) -> bool:
    if need.on_site is None:
        return True
    return offer.on_site if need.on_site else offer.at_workshop


def _radius(need: NeedFacts, company: CompanyFacts, offers: Sequence[OfferFacts]) -> Reason:
    radius = max(
        (
            company.service_radius_km if offer.radius_km is None else offer.radius_km
            for offer in offers
        ),
        default=company.service_radius_km,
    )
    if not company.sites:
        return Reason(Rule.RADIUS, False, {"distance_km": None, "radius_km": radius})
    distance = min(distance_km(site, need) for site in company.sites)
    # The page shows whole kilometres: "30 km, serves up to 30 km" must never exclude.
    shown = round(distance)
    return Reason(Rule.RADIUS, shown <= radius, {"distance_km": shown, "radius_km": radius})


def _work_place(need: NeedFacts, able: bool) -> Reason:
    if need.on_site is None:
        return Reason(Rule.WORK_PLACE, True, {"wanted": "either"})
    return Reason(Rule.WORK_PLACE, able, {"wanted": "on_site" if need.on_site else "at_workshop"})


def _certificates(need: NeedFacts, company: CompanyFacts, terms: Terms) -> Reason:
    day = max(need.starts_on, terms.today)

    def valid(code: str) -> bool:
        if code not in company.certificates:
            return False
        last = company.certificates[code]
        return last is None or last >= day

    missing = sorted(code for code in need.certificates if not valid(code))
    return Reason(
        Rule.CERTIFICATES,
        not missing,
        {"required": sorted(need.certificates), "missing": missing},
    )


def _availability(company: CompanyFacts, terms: Terms) -> Reason:
    for first, last in company.absences:
        if first <= terms.today <= last:
            values: dict[str, Value] = {"from": first.isoformat(), "until": last.isoformat()}
            return Reason(Rule.AVAILABILITY, False, values)
    return Reason(Rule.AVAILABILITY, True)


def _capacity(company: CompanyFacts) -> Reason:
    limit = company.max_open_leads
    return Reason(
        Rule.CAPACITY,
        limit is None or company.open_leads < limit,
        {"open_leads": company.open_leads, "max_open_leads": limit},
    )


def _activity(company: CompanyFacts, terms: Terms) -> Reason:
    best = max((offer.probability for offer in company.offers), default=0.0)
    values: dict[str, Value] = {"probability": round(best, 4), "threshold": terms.threshold}
    if terms.threshold is None:
        return Reason(Rule.ACTIVITY, True, values)
    return Reason(Rule.ACTIVITY, best >= terms.threshold, values)
