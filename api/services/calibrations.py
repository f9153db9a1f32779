"""Calibrations: the shipped one is a starting point; judgements made here replace it."""

from collections import defaultdict
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import select

from api.services import audit, matching, needs, vectors
from api.services.desk import Desk
from matcher.calibration import (
    ALPHAS,
    ENOUGH_FOR_PROMISE,
    Judged,
    fit_calibration,
    risk_threshold,
)
from models import CalibrationRow, JudgementRow

GRADES = dict[str, dict[str, int]]


def judged_needs(desk: Desk) -> GRADES:
    """Need id -> company id -> grade; a coordinator's judgement comes before a company's own."""
    found: GRADES = defaultdict(dict)
    rows = desk.session.scalars(select(JudgementRow).order_by(JudgementRow.source.desc()))
    for row in rows:  # "coordinator" sorts after "company" downwards, so it is written last
        found[row.need_id][row.company_id] = row.grade
    return found


def calibrate(desk: Desk) -> CalibrationRow | None:
    """Fit probability and thresholds on the judgements kept here; None below 300 judged needs.

    Companies are judged only where they were reached, by the threshold in force or as a
    correction: what was never sent cannot count as missed. A hub that now and then uses the
    policy "all in region" gets judgements without that blind spot.

    Raises CalibrationError when all judgements say the same.
    """
    judged = judged_needs(desk)
    suitable = {need_id for need_id, grades in judged.items() if max(grades.values()) > 0}
    if len(suitable) < ENOUGH_FOR_PROMISE:
        return None
    ranker = desk.runtime.ranker
    index = vectors.offer_index(desk)
    scores, labels = [], []
    for need_id, grades in sorted(judged.items()):
        reading = matching.reading_of(desk.runtime, needs.load(desk, need_id))
        ranking = ranker.rank(reading, index)
        best: dict[str, float] = {}
        for offer, score in zip(index.offers, ranking.score.tolist(), strict=True):
            if offer.company_id in grades:
                best[offer.company_id] = max(score, best.get(offer.company_id, -np.inf))
        scores.append(np.array([best[company] for company in sorted(best)]))
        labels.append(np.array([grades[company] > 0 for company in sorted(best)], dtype=bool))
    identity = ranker.encoder.identity
    calibration = fit_calibration(np.concatenate(scores), np.concatenate(labels), identity)
    probabilities = [calibration.probability(each) for each in scores]
    found = Judged(
        rests_on=f"{len(judged)} needs judged by this hub's coordinators and companies",
        calibration=calibration,
        thresholds=tuple(risk_threshold(probabilities, labels, a, identity) for a in ALPHAS),
        least_fit=ranker.least_fit,
    )
    row = CalibrationRow(
        hub_id=None,
        encoder=identity,
        identity=found.identity,
        needs=len(judged),
        parameters=asdict(found),
        created_at=desk.at,
    )
    desk.session.add(row)
    desk.session.flush()
    audit.record(desk, "calibrate", "calibration", row.id, needs=len(judged))
    return row


@dataclass(frozen=True)
class Basis:
    """On what the threshold in force rests.

    `own`: on judgements made here, else on the shipped ones (`rests_on` says which).
    `judged` counts the needs judged here so far, `enough` those that a promise takes.
    """

    own: bool
    rests_on: str
    judged: int
    enough: int


def basis(desk: Desk) -> Basis:
    """On what the probabilities and thresholds in force rest."""
    ranker = matching.calibrated(desk)
    judged, enough = progress_towards(desk)
    return Basis(
        ranker.judged.identity != desk.runtime.ranker.judged.identity,
        ranker.rests_on,
        judged,
        enough,
    )


def progress_towards(desk: Desk) -> tuple[int, int]:
    """(judged needs with a suitable company, how many a promise takes)."""
    judged = judged_needs(desk)
    return sum(max(grades.values()) > 0 for grades in judged.values()), ENOUGH_FOR_PROMISE
