"""What an offer would have brought: the recent needs it would have reached, before it is kept.

A need is told by its kind of work, its place and its month, never by whose it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.services import authorisation, companies, hubs, matching
from api.services.desk import Desk
from matcher.eligibility import Rule, Terms, judge
from matcher.explain import explain
from matcher.reading import Reading
from matcher.signals import OfferLine
from matcher.text import normalise
from models import Broadcast, Firm, Hub, HubMunicipality, Need, Offer, Site
from models.hub import Policy

SINCE = timedelta(days=365)
MOST_NEEDS = 12
MOST_EXPLAINED = 6  # explaining takes as long as ranking
MOST_WORDS = 5
LEAST_TEXT = 3  # characters
LASTING = (Rule.RECOGNITION, Rule.TERRITORY, Rule.RADIUS, Rule.WORK_PLACE, Rule.CERTIFICATES)


@dataclass(frozen=True)
class Reached:
    """One recent need beside one offer, without whose need it is.

    `least` is the probability in force, None where the hub reaches all in the region; `against`
    holds the reasons beside the work itself that would still keep it away.
    """

    activities: tuple[str, ...]
    place: str
    released_at: datetime
    probability: float
    least: float | None
    against: tuple[dict[str, Any], ...]
    words: tuple[str, ...]

    @property
    def suits(self) -> bool:
        return self.least is None or self.probability >= self.least

    @property
    def reached(self) -> bool:
        return self.suits and not self.against


def preview(
    desk: Desk,
    company_id: str,
    text: str,
    *,
    on_site: bool,
    at_workshop: bool,
    radius_km: float | None = None,
) -> list[Reached] | None:
    """The newest needs of the hubs in reach beside this one offer: those it would have reached
    first, then by probability. None when the text is too short to read.

    Raises NotFound or NotAllowed for others than the company and coordinators.
    """
    authorisation.company_to_edit(desk, company_id)
    words = text.strip()
    if len(words) < LEAST_TEXT:
        return None
    ranker = matching.calibrated(desk)
    line = OfferLine("offer", words, company_id)
    index = ranker.index([line])
    company = companies.load(desk, company_id)
    offer = Offer(
        id=line.id, text=words, on_site=on_site, at_workshop=at_workshop, radius_km=radius_km
    )
    found = []
    for need, broadcast, hub, firm in _recent(desk, company_id):
        reading = matching.reading_of(desk.runtime, need)
        probability = float(ranker.rank(reading, index).probability[0])
        least = ranker.threshold_for(hub.alpha).value if hub.policy is Policy.ACTIVITY else None
        verdict = judge(
            matching.need_facts(need, desk),
            matching.company_facts(company, [offer], {line.id: probability}, 0),
            Terms(hubs.territory(desk, hub.id), least, desk.today),
        )
        against = tuple(each.as_dict() for each in verdict.against if each.rule in LASTING)
        kinds = _kinds(reading)
        reached = Reached(kinds, need.place, broadcast.released_at, probability, least, against, ())
        found.append((reached, need, firm))
    found.sort(key=lambda each: (not each[0].reached, -each[0].probability))
    return [
        _explained(desk, reached, need, firm, words) if place < MOST_EXPLAINED else reached
        for place, (reached, need, firm) in enumerate(found)
    ]


def kinds_of(desk: Desk, text: str) -> tuple[str, ...]:
    """The kinds of work that are read in an offer's text, most likely first."""
    return _kinds(matching.read(desk.runtime, text)) if len(text.strip()) >= LEAST_TEXT else ()


def _kinds(reading: Reading) -> tuple[str, ...]:
    likely: dict[str, float] = {}
    for step in reading.steps:
        for code, probability in step.activities:
            likely[code] = max(likely.get(code, 0.0), probability)
    best = sorted(likely, key=lambda code: (-likely[code], code))
    return tuple(code for code in best if likely[code] >= 0.15)[:2]


def _recent(desk: Desk, company_id: str) -> Sequence[tuple[Need, Broadcast, Hub, Firm]]:
    near = (
        select(HubMunicipality.hub_id)
        .join(Site, Site.nis == HubMunicipality.nis)
        .where(Site.company_id == company_id)
    )
    rows = desk.session.execute(
        select(Need, Broadcast, Hub, Firm)
        .join(Broadcast, Broadcast.need_id == Need.id)
        .join(Hub, Hub.id == Broadcast.hub_id)
        .join(Firm, Firm.id == Need.firm_id)
        .where(
            Broadcast.hub_id.in_(near),
            Broadcast.number == 1,
            Broadcast.released_at <= desk.at,
            Broadcast.released_at > desk.at - SINCE,
        )
        .order_by(Broadcast.released_at.desc(), Broadcast.id)
        .limit(MOST_NEEDS)
        .options(selectinload(Need.steps))
    )
    return [(need, broadcast, hub, firm) for need, broadcast, hub, firm in rows]


def _explained(desk: Desk, reached: Reached, need: Need, firm: Firm, text: str) -> Reached:
    """With the offer's own words that carried it; a name of the firm's is never among them."""
    names = {normalise(word) for word in f"{firm.name} {need.contact_name}".split()}
    told = explain(desk.runtime.ranker, need.text, text).offer_words
    words: Sequence[str] = [word for word, _ in told if normalise(word) not in names]
    return replace(reached, words=tuple(words[:MOST_WORDS]))
