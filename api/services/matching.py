"""Matching: stored vectors kept fresh, a need read, every company of a territory judged."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from api.runtime import Runtime
from api.services import hubs, vectors
from api.services.desk import Desk
from matcher.calibration import Judged as JudgedNeeds
from matcher.calibration import Threshold
from matcher.eligibility import (
    CompanyFacts,
    NeedFacts,
    OfferFacts,
    SiteFacts,
    Terms,
    Verdict,
    judge,
)
from matcher.ranking import CompanyMatch, Ranker, Ranking
from matcher.reading import Reading, ReadStep
from models import (
    BroadcastException,
    CalibrationRow,
    Company,
    Hub,
    Lead,
    Need,
    Offer,
    Step,
)
from models.broadcast import ExceptionKind
from models.company import Recognition
from models.hub import Policy
from models.need import StepSource, WorkPlace


@dataclass(frozen=True)
class StepMatch:
    """One step of a need and the company's offer that suits it best."""

    position: int
    text: str
    probability: float
    offer_id: str
    offer_text: str
    suits: bool

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Match:
    """How well a company's offers suit a need: the best offer, and the best one per step."""

    probability: float
    offer_id: str | None
    offer_text: str
    steps: tuple[StepMatch, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "probability": round(self.probability, 6),
            "offer_id": self.offer_id,
            "offer_text": self.offer_text,
            "steps": [step.as_dict() for step in self.steps],
        }


@dataclass(frozen=True)
class Judged:
    """One company, its verdict for one need, and its match."""

    company: Company
    verdict: Verdict
    match: Match


@dataclass(frozen=True)
class Assessment:
    """Every company judged for one need, under the terms in force."""

    judged: tuple[Judged, ...]
    threshold: Threshold
    least: float | None  # the probability in force; None under "all in region"
    calibration: str  # identity of the calibration in force
    fits: bool  # whether there is any work in it for a company

    @property
    def eligible(self) -> tuple[Judged, ...]:
        return tuple(each for each in self.judged if each.verdict.eligible)


def read(runtime: Runtime, text: str) -> Reading:
    """What the matcher understands of a need: language, steps, activities, fit."""
    return runtime.ranker.read(text)


def write_steps(need: Need, reading: Reading) -> None:
    """Put what was read into the need's steps. The need's `steps` must be loaded or new."""
    need.fit = reading.fit
    need.steps[:] = [
        Step(
            position=position,
            text=step.text,
            activities=[code for code, probability in step.activities if probability >= 0.15][:3],
            source=StepSource.READ,
        )
        for position, step in enumerate(reading.steps)
    ]


def reading_of(runtime: Runtime, need: Need) -> Reading:
    """The reading of a need with the coordinator's corrections. Needs `steps` loaded."""
    if not any(step.source is StepSource.CORRECTED for step in need.steps):
        return runtime.ranker.read(need.text)
    return runtime.ranker.read_steps(
        need.text, [(step.text, step.activities) for step in need.steps]
    )


def unasked(runtime: Runtime, need: Need) -> tuple[ReadStep, ...]:
    """Work the need tells of without asking for it, that none of its steps is. Needs `steps`.

    A company could perhaps do it too: the coordinator may add it as a step.
    """
    asked = {code for step in need.steps for code in step.activities}
    found = runtime.ranker.read(need.text).unasked
    return tuple(step for step in found if step.activities[0][0] not in asked)


def threshold_of(desk: Desk, hub: Hub) -> Threshold:
    """The threshold that keeps the expected share of missed companies under the hub's alpha."""
    return calibrated(desk).threshold_for(hub.alpha)


def calibrated(desk: Desk) -> Ranker:
    """The ranker with the newest calibration for its encoder, or the shipped one."""
    ranker = desk.runtime.ranker
    row = desk.session.scalar(
        select(CalibrationRow)
        .where(CalibrationRow.encoder == ranker.encoder.identity)
        .order_by(CalibrationRow.id.desc())
        .limit(1)
    )
    return ranker if row is None else ranker.recalibrated(JudgedNeeds.of_dict(row.parameters))


def assess(desk: Desk, need: Need, *, alpha: float | None = None) -> Assessment:
    """Judge every company of the hub's territory for a need, and those added by exception.

    Needs `steps` loaded.
    Companies come in order of their id: a ranking is never an order of people. With `alpha`
    the judging is a what-if under another alpha than the hub's.
    """
    hub = desk.session.get_one(Hub, need.hub_id)
    ranker = calibrated(desk)
    threshold = ranker.threshold_for(hub.alpha if alpha is None else alpha)
    reading = reading_of(desk.runtime, need)
    ranking = ranker.rank(reading, vectors.offer_index(desk))
    least = threshold.value if hub.policy is Policy.ACTIVITY else None
    terms = Terms(hubs.territory(desk, hub.id), least, desk.today)
    fits = ranker.fits(reading)
    companies = companies_of(desk, terms.territory, also=_added(desk, need.id))
    offers = _offers_of(desk, [company.id for company in companies])
    open_leads = _open_leads(desk, [company.id for company in companies])
    scores = _scores(ranking)
    best = ranking.best_by_company()
    facts = need_facts(need, desk)
    judged = tuple(
        Judged(
            company,
            judge(
                facts,
                company_facts(company, offers[company.id], scores, open_leads[company.id]),
                terms,
            ),
            _match(best.get(company.id), reading, offers[company.id], threshold.value),
        )
        for company in companies
    )
    return Assessment(judged, threshold, least, ranker.judged.identity, fits)


def _added(desk: Desk, need_id: str) -> frozenset[str]:
    return frozenset(
        desk.session.scalars(
            select(BroadcastException.company_id).where(
                BroadcastException.need_id == need_id,
                BroadcastException.kind == ExceptionKind.ADDED,
            )
        )
    )


def companies_of(
    desk: Desk, territory: frozenset[str], *, also: frozenset[str] = frozenset()
) -> Sequence[Company]:
    """The active companies with a site in a territory, with all that eligibility looks at.

    `also` names companies from anywhere.
    """
    found = desk.session.scalars(
        select(Company)
        .where(Company.active | Company.id.in_(also))
        .order_by(Company.id)
        .options(
            selectinload(Company.sites),
            selectinload(Company.certificates),
            selectinload(Company.absences),
        )
    ).all()
    return [
        each
        for each in found
        if each.id in also or any(site.nis in territory for site in each.sites)
    ]


def need_facts(need: Need, desk: Desk) -> NeedFacts:
    """What eligibility looks at in a need."""
    on_site = {WorkPlace.ON_SITE: True, WorkPlace.AT_WORKSHOP: False, WorkPlace.EITHER: None}
    return NeedFacts(
        lat=need.lat,
        lon=need.lon,
        on_site=on_site[need.work_place],
        starts_on=need.starts_on or desk.today,
        certificates=frozenset(need.certificates),
    )


def company_facts(
    company: Company, offers: Sequence[Offer], scores: dict[str, int | float], open_leads: int
) -> CompanyFacts:
    """What eligibility looks at in a company; `scores` maps an offer id to a probability."""
    return CompanyFacts(
        recognised=company.recognition is Recognition.RECOGNISED,
        recognition=company.recognition.value,
        service_radius_km=company.service_radius_km,
        sites=[SiteFacts(site.nis, site.lat, site.lon) for site in company.sites],
        offers=[
            OfferFacts(scores.get(o.id, 0.0), o.on_site, o.at_workshop, o.radius_km) for o in offers
        ],
        certificates={each.code: each.valid_until for each in company.certificates},
        absences=[(each.starts_on, each.ends_on) for each in company.absences],
        open_leads=open_leads,
        max_open_leads=company.max_open_leads,
    )


def _offers_of(desk: Desk, company_ids: Sequence[str]) -> dict[str, list[Offer]]:
    found: dict[str, list[Offer]] = defaultdict(list)
    for offer in desk.session.scalars(
        select(Offer).where(Offer.active, Offer.company_id.in_(company_ids)).order_by(Offer.id)
    ):
        found[offer.company_id].append(offer)
    return found


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
    return defaultdict(int, {row[0]: row[1] for row in rows})


def _scores(ranking: Ranking) -> dict[str, int | float]:
    return {
        line.id: float(probability)
        for line, probability in zip(ranking.offers, ranking.probability, strict=True)
    }


def _match(
    found: CompanyMatch | None, reading: Reading, offers: Sequence[Offer], least: float
) -> Match:
    if found is None:
        return Match(0.0, None, "", ())
    texts = {offer.id: offer.text for offer in offers}
    steps = tuple(
        StepMatch(
            position,
            step.text,
            round(probability, 6),
            line.id,
            texts[line.id],
            probability >= least,
        )
        for position, (step, (line, probability)) in enumerate(
            zip(reading.steps, found.steps, strict=True)
        )
    )
    return Match(found.probability, found.offer.id, texts[found.offer.id], steps)
