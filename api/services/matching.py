"""Matching: stored vectors kept fresh, a need read, every company of a territory judged."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from api.runtime import Runtime
from api.services import candidates, hubs, vectors
from api.services.candidates import Candidate
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
from matcher.ranking import CompanyMatch, Ranker
from matcher.reading import Reading, ReadStep
from matcher.signals import OfferIndex
from models import BroadcastException, CalibrationRow, Company, Hub, Need, Offer, Step
from models.broadcast import ExceptionKind
from models.company import Recognition
from models.hub import Policy
from models.need import StepSource, WorkPlace

MOST_KEPT = 128  # readings and rankings of needs, per process


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

    company: Candidate
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
    kept = runtime.kept.get(text)
    if not isinstance(kept, Reading):
        kept = runtime.ranker.read(text)
        _keep(runtime, text, kept)
    return kept


def _keep(runtime: Runtime, key: Hashable, made: object) -> None:
    """Keep what was read or ranked in this process: both follow from texts alone."""
    with runtime.lock:
        runtime.kept.pop(key, None)
        runtime.kept[key] = made
        while len(runtime.kept) > MOST_KEPT:
            del runtime.kept[next(iter(runtime.kept))]


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
    corrected = _corrected(need)
    if corrected is None:
        return read(runtime, need.text)
    return runtime.ranker.read_steps(need.text, corrected)


def _corrected(need: Need) -> Sequence[tuple[str, tuple[str, ...]]] | None:
    if not any(step.source is StepSource.CORRECTED for step in need.steps):
        return None
    return tuple((step.text, tuple(step.activities)) for step in need.steps)


def unasked(runtime: Runtime, need: Need) -> tuple[ReadStep, ...]:
    """Work the need tells of without asking for it, that none of its steps is. Needs `steps`.

    A company could perhaps do it too: the coordinator may add it as a step.
    """
    asked = {code for step in need.steps for code in step.activities}
    found = read(runtime, need.text).unasked
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


@dataclass(frozen=True)
class Weighed:
    """A need weighed against every candidate: all of a judging but the threshold."""

    hub: Hub
    ranker: Ranker
    reading: Reading
    facts: NeedFacts
    territory: frozenset[str]
    today: date
    candidates: Sequence[Candidate]
    company_facts: Sequence[CompanyFacts]
    best: Mapping[str, CompanyMatch]

    def judged(self, *, alpha: float | None = None) -> Assessment:
        """The verdict on every candidate; with `alpha` a what-if under another than the hub's.

        Companies come in order of their id: a ranking is never an order of people.
        """
        threshold = self.ranker.threshold_for(self.hub.alpha if alpha is None else alpha)
        least = threshold.value if self.hub.policy is Policy.ACTIVITY else None
        terms = Terms(self.territory, least, self.today)
        judged = tuple(
            Judged(
                candidate,
                judge(self.facts, facts, terms),
                _match(self.best.get(candidate.id), self.reading, threshold.value),
            )
            for candidate, facts in zip(self.candidates, self.company_facts, strict=True)
        )
        fits = self.ranker.fits(self.reading)
        return Assessment(judged, threshold, least, self.ranker.judged.identity, fits)


def assess(desk: Desk, need: Need) -> Assessment:
    """Judge every company of the hub's territory for a need, and those added by exception.

    Needs `steps` loaded.
    """
    return weigh(desk, need).judged()


def weigh(desk: Desk, need: Need) -> Weighed:
    """Read the need and every candidate, and compare their texts. Needs `steps` loaded."""
    hub = desk.session.get_one(Hub, need.hub_id)
    ranker = calibrated(desk)
    territory = hubs.territory(desk, hub.id)
    found = candidates.of_territory(desk, territory, also=_added(desk, need.id))
    ranked = _ranked(desk.runtime, ranker, _index(desk, found), need)
    return Weighed(
        hub=hub,
        ranker=ranker,
        reading=ranked.reading,
        facts=need_facts(need, desk),
        territory=territory,
        today=desk.today,
        candidates=found,
        company_facts=[each.facts(ranked.probabilities) for each in found],
        best=ranked.best,
    )


def _index(desk: Desk, found: Sequence[Candidate]) -> OfferIndex:
    """The kept index, or a new one when it does not hold the very offers of the candidates.

    Its fingerprint tells changes apart by their moment; a change that was made earlier and
    committed later than another would pass unseen. The rows themselves decide.
    """
    index = vectors.offer_index(desk)
    active = {each.id for each in found if each.active}
    held = {line.id: line.text for line in index.offers if line.company_id in active}
    wanted = {offer.id: offer.text for each in found if each.active for offer in each.offers}
    return index if held == wanted else vectors.offer_index(desk, anew=True)


@dataclass(frozen=True)
class _Ranked:
    """A need ranked against an index: per offer id its probability, per company id its best."""

    index: OfferIndex
    reading: Reading
    probabilities: Mapping[str, float]
    best: Mapping[str, CompanyMatch]


def _ranked(runtime: Runtime, ranker: Ranker, index: OfferIndex, need: Need) -> _Ranked:
    """Read and rank a need, or find that this process did so before.

    A ranking follows from texts alone, and is found again only with the very index it was made
    with: nothing in it can grow old. Who is eligible is judged anew each time.
    """
    key = (need.text, _corrected(need), ranker.judged.identity)
    kept = runtime.kept.get(key)
    if isinstance(kept, _Ranked) and kept.index is index:
        return kept
    reading = reading_of(runtime, need)
    ranking = ranker.rank(reading, index)
    ids = [line.id for line in ranking.offers]
    probabilities = dict(zip(ids, ranking.probability.tolist(), strict=True))
    made = _Ranked(index, reading, probabilities, ranking.best_by_company())
    _keep(runtime, key, made)
    return made


def _added(desk: Desk, need_id: str) -> frozenset[str]:
    return frozenset(
        desk.session.scalars(
            select(BroadcastException.company_id).where(
                BroadcastException.need_id == need_id,
                BroadcastException.kind == ExceptionKind.ADDED,
            )
        )
    )


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


def _match(found: CompanyMatch | None, reading: Reading, least: float) -> Match:
    if found is None:
        return Match(0.0, None, "", ())
    steps = tuple(
        StepMatch(
            position, step.text, round(probability, 6), line.id, line.text, probability >= least
        )
        for position, (step, (line, probability)) in enumerate(
            zip(reading.steps, found.steps, strict=True)
        )
    )
    return Match(found.probability, found.offer.id, found.offer.text, steps)
