"""Calibration on the judged needs of our own benchmark, until a hub has its own judgements."""

import numpy as np

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
    "the judged needs of the project's own benchmark (needs and offers written for it, not "
    "collected from hubs): a starting point until the hub has its own judgements"
)


def uncalibrated(identity: str) -> Judged:
    """A plain sigmoid and no promise: what a ranker starts with before it is calibrated."""
    threshold = Threshold(0.0, 0.05, 0, 0.0, 1.0, 0.0, 0.0, "nothing was judged yet", identity)
    curve = Calibration("sigmoid", 1.0, 0.0, (), (), 0, identity)
    return Judged("nothing", curve, (threshold,), 0.5)


def calibrate(ranker: Ranker, benchmark: Benchmark, rests_on: str = RESTS_ON) -> Judged:
    """Probability curve, thresholds per company and no-fit gate on judged needs.

    An offer suits a need when it is judged to be exactly this work for one of its steps. The
    encoder, the classifier and the fusion weights never saw these needs.
    """
    index = ranker.index(benchmark.offers)
    rankings = [ranker.rank(need.text, index) for need in benchmark.needs]
    score = np.stack([ranking.score for ranking in rankings])
    suits = benchmark.grades >= EXACT
    work = benchmark.has_work
    identity = ranker.encoder.identity
    curve = fit_calibration(score[work].ravel(), suits[work].ravel(), identity)
    probability = curve.probability(score)
    companies = sorted({offer.company_id or offer.id for offer in benchmark.offers})
    place = {company: column for column, company in enumerate(companies)}
    owner = np.array([place[offer.company_id or offer.id] for offer in benchmark.offers])
    best = np.zeros((len(score), len(companies)), dtype=np.float32)
    suited = np.zeros((len(score), len(companies)), dtype=bool)
    for row in np.flatnonzero(work):
        np.maximum.at(best[row], owner, probability[row])
        np.logical_or.at(suited[row], owner, suits[row])
    thresholds = tuple(
        risk_threshold(list(best[work]), list(suited[work]), alpha, identity) for alpha in ALPHAS
    )
    fit = np.array([ranking.reading.fit for ranking in rankings])
    return Judged(rests_on, curve, thresholds, float(np.quantile(fit[work], NEEDS_LOST)))
