"""Calibration on judged needs of our own, until a hub has its own judgements."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import (
    ALPHAS,
    Calibration,
    Judged,
    Threshold,
    fit_calibration,
    risk_threshold,
)
from matcher.evaluation.testsets import Benchmark
from matcher.ranking import Ranker

EXACT = 2
NEEDS_LOST = 0.02  # share of real needs the no-fit gate may stop
RESTS_ON = (
    "the judged needs of the project's own benchmark and of a second set like it (needs and "
    "offers written for them, not collected from hubs): a starting point until the hub has its own"
)


def uncalibrated(identity: str) -> Judged:
    """A plain sigmoid and no promise: what a ranker starts with before it is calibrated."""
    threshold = Threshold(0.0, 0.05, 0, 0.0, 1.0, 0.0, 0.0, "nothing was judged yet", identity)
    curve = Calibration("sigmoid", 1.0, 0.0, (), (), 0, identity)
    return Judged("nothing", curve, (threshold,), 0.5)


def calibrate(ranker: Ranker, sets: Sequence[Benchmark], rests_on: str = RESTS_ON) -> Judged:
    """Probability curve, thresholds per company and no-fit gate on judged needs.

    Each set was written and judged by another hand: a threshold holds for all and for each. An
    offer suits a need when it is judged to be exactly this work for one of its steps. The
    encoder, the classifier and the fusion weights never saw these needs.
    """
    identity = ranker.encoder.identity
    scores, suits, fit = [], [], []
    for one in sets:
        index = ranker.index(one.offers)
        rankings = [ranker.rank(need.text, index) for need in one.needs]
        work = one.has_work
        scores.append(np.stack([ranking.score for ranking in rankings])[work])
        suits.append((one.grades >= EXACT)[work])
        fit.append(np.array([ranking.reading.fit for ranking in rankings])[work])
    curve = fit_calibration(
        np.concatenate([score.ravel() for score in scores]),
        np.concatenate([suit.ravel() for suit in suits]),
        identity,
    )
    best, suited, hands = [], [], []
    for hand, (one, score, suit) in enumerate(zip(sets, scores, suits, strict=True)):
        for row in range(len(score)):
            ours, fits = _by_company(one, curve.probability(score[row]), suit[row])
            best.append(ours)
            suited.append(fits)
            hands.append(hand)
    thresholds = tuple(risk_threshold(best, suited, alpha, identity, hands) for alpha in ALPHAS)
    least = float(np.quantile(np.concatenate(fit), NEEDS_LOST))
    return Judged(rests_on, curve, thresholds, least)


def _by_company(
    judged: Benchmark, probability: NDArray[np.float32], suits: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The best probability of each company, and whether it has an offer that suits."""
    owners = [offer.company_id or offer.id for offer in judged.offers]
    place = {owner: column for column, owner in enumerate(sorted(set(owners)))}
    columns = np.array([place[owner] for owner in owners])
    best = np.zeros(len(place), dtype=np.float32)
    suited = np.zeros(len(place), dtype=bool)
    np.maximum.at(best, columns, probability)
    np.logical_or.at(suited, columns, suits)
    return best, suited
