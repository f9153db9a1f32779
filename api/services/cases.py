"""Cases: what came of earlier needs like this one, without saying whose they were.

Kind of work, municipality and result; never the firm, and never the company: who reads this may
be about to choose, and nobody is put forward.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from api.services.desk import Desk
from matcher.ranking import Ranker
from matcher.reading import Reading
from matcher.signals import OfferIndex, OfferLine
from models import Collaboration, Need
from models.states import CollaborationState, NeedState

NEWEST = 500  # how far back is looked
SHOWN_ACTIVITIES = 3
# How far a collaboration came; the furthest of a need tells what became of it.
_FURTHEST = (
    CollaborationState.TALK,
    CollaborationState.TRIAL,
    CollaborationState.ENDED,
    CollaborationState.RUNNING,
)


@dataclass(frozen=True)
class Case:
    """One earlier need: codes of its kinds of work, NIS code of its municipality, the result.

    Hours a week, full-time equivalents and tonnes a year are the sums of its collaborations,
    roughly; None where nobody gave a figure.
    """

    need_id: str
    activities: tuple[str, ...]
    nis: str
    state: CollaborationState
    hours_per_week: float | None
    fte: float | None
    tonnes_per_year: float | None


def similar(desk: Desk, ranker: Ranker, reading: Reading, *, most: int = 3) -> list[Case]:
    """The cases most like a need, best first; none when none is like it.

    The same model that matches needs with offers finds them, under the same threshold.
    """
    index, cases = _index(desk, ranker)
    if not cases:
        return []
    ranking = ranker.rank(reading, index)
    least = ranker.threshold_for(0.5).value  # of the thresholds the one for the surest matches
    best = [row for row in ranking.order.tolist() if ranking.probability[row] >= least]
    return [cases[index.offers[row].id] for row in best[:most]]


def _index(desk: Desk, ranker: Ranker) -> tuple[OfferIndex, dict[str, Case]]:
    """All cases, ready to be ranked; made anew when a collaboration or the model changes."""
    count, newest = desk.session.execute(
        select(func.count(Collaboration.id), func.max(Collaboration.updated_at))
        .join(Need, Need.id == Collaboration.need_id)
        .where(Need.state == NeedState.CHOSEN)
    ).one()
    fingerprint = f"{ranker.encoder.identity}|{count}|{newest}"
    runtime = desk.runtime
    with runtime.lock:
        if runtime.case_index is None or runtime.case_index[0] != fingerprint:
            runtime.case_index = (fingerprint, *_build(desk, ranker))
        return runtime.case_index[1], runtime.case_index[2]


def _build(desk: Desk, ranker: Ranker) -> tuple[OfferIndex, dict[str, Case]]:
    found = desk.session.scalars(
        select(Need)
        .where(Need.state == NeedState.CHOSEN, Need.id.in_(select(Collaboration.need_id)))
        .order_by(Need.id.desc())
        .limit(NEWEST)
        .options(selectinload(Need.steps))
    ).all()
    ended: dict[str, list[Collaboration]] = {}
    for each in desk.session.scalars(
        select(Collaboration).where(Collaboration.need_id.in_([need.id for need in found]))
    ):
        ended.setdefault(each.need_id, []).append(each)
    lines = [
        OfferLine(need.id, "; ".join(step.text for step in need.steps) or need.title)
        for need in found
    ]
    return ranker.index(lines), {need.id: _case(need, ended[need.id]) for need in found}


def _case(need: Need, came: list[Collaboration]) -> Case:
    codes = dict.fromkeys(code for step in need.steps for code in step.activities[:1])
    return Case(
        need.id,
        tuple(codes)[:SHOWN_ACTIVITIES],
        need.nis,
        max((each.state for each in came), key=_FURTHEST.index),
        _about([each.hours_per_week for each in came], 10),
        _about([each.fte for each in came], 0.5),
        _about([each.tonnes_per_year for each in came], 10),
    )


def _about(figures: list[float | None], step: float) -> float | None:
    """The sum in whole steps, at least one: exact figures could point at one firm."""
    given = [each for each in figures if each]
    return max(round(sum(given) / step), 1) * step if given else None
