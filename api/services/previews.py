"""Previews: what a text would mean and whom it would reach, before anything is kept."""

from dataclasses import dataclass

from api.services import cases, hubs, matching
from api.services.cases import Case
from api.services.desk import Desk
from api.services.titles import title_of
from matcher.places import Place
from matcher.reading import Reading
from models import Hub, Need
from models.need import WorkPlace

LEAST_TEXT = 10  # characters below which a reading says nothing


@dataclass(frozen=True)
class Preview:
    """What was understood. `reach` counts the eligible companies; None without a known place."""

    reading: Reading
    fits: bool
    hub: Hub | None
    reach: int | None
    companies: int
    title: str
    cases: tuple[Case, ...]  # what came of earlier needs like this one


def preview(
    desk: Desk,
    text: str,
    place: Place | None = None,
    *,
    work_place: WorkPlace = WorkPlace.EITHER,
    certificates: tuple[str, ...] = (),
) -> Preview | None:
    """Read a text and count whom it would reach now; None when it is too short to read."""
    words = text.strip()
    if len(words) < LEAST_TEXT:
        return None
    reading = matching.read(desk.runtime, words)
    fits = desk.runtime.ranker.fits(reading)
    title = title_of(words)
    alike = tuple(cases.similar(desk, desk.runtime.ranker, reading)) if fits else ()
    if place is None:
        return Preview(reading, fits, None, None, 0, title, alike)
    hub = hubs.owner_of(desk, place.nis)
    need = Need(  # never added to the session: it only carries facts to the judging
        hub_id=hub.id,
        text=words,
        lat=place.lat,
        lon=place.lon,
        work_place=work_place,
        certificates=[code for code in certificates if code in desk.runtime.certificates],
        steps=[],
    )
    assessment = matching.assess(desk, need)
    reach = len(assessment.eligible) if fits else 0
    return Preview(reading, fits, hub, reach, len(assessment.judged), title, alike)
