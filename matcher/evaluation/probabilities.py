"""Whether probabilities say what they mean, and whether the miss rate keeps its promise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import Threshold, brier, miss_rates, reliability
from matcher.evaluation.benchmark import EXACT, OurAnswers
from matcher.evaluation.testsets import Benchmark
from matcher.ranking import Ranker

Bins = list[tuple[float, float, int]]


@dataclass(frozen=True)
class Honesty:
    """Probabilities against judgements, over all pairs of needs and offers.

    ``base`` is the Brier score of always saying the share of suitable pairs.
    """

    name: str
    brier: float
    base: float
    bins: Bins
    error: float
    """Expected calibration error: mean distance between said and found, weighed by pairs."""


def honesty(answers: OurAnswers, benchmark: Benchmark) -> list[Honesty]:
    """Once for exact pairs, which the shipped calibration is about, and once for any grade."""
    found = []
    for name, least in (("exactly this work (grade 2)", EXACT), ("any grade (1 or 2)", 1)):
        said = answers.probability.ravel().astype(np.float64)
        true = (benchmark.grades >= least).ravel().astype(np.float64)
        bins = reliability(said, true)
        error = sum(abs(p - y) * n for p, y, n in bins) / len(said)
        base = brier(np.full_like(true, true.mean()), true)
        found.append(Honesty(name, brier(said, true), base, bins, error))
    return found


@dataclass(frozen=True)
class Kept:
    """What a threshold does on the benchmark, beside what it promises."""

    threshold: Threshold
    offers_missed: float
    """Mean share of exact offers below it."""
    companies_missed: float
    """Mean share of companies with an exact offer that are below it."""
    companies_missed_any: float
    """The same for companies with an offer of any grade."""
    offers_reached: float
    companies_reached: float
    """Mean numbers over needs with work."""
    spread: float
    """Standard error of ``companies_missed``."""
    false_alarms: float
    """Share of no-fit needs that would reach anyone: read as work, and a company above it."""


@dataclass(frozen=True)
class Companies:
    """The benchmark seen by company: best probability and highest grade of its offers."""

    probability: NDArray[np.float32]
    """(needs, companies)."""
    grades: NDArray[np.int8]

    @classmethod
    def of(cls, answers: OurAnswers, benchmark: Benchmark) -> "Companies":
        """Gather the offers of every company."""
        names = [offer.company_id or offer.id for offer in benchmark.offers]
        distinct = sorted(set(names))
        rows = [[i for i, name in enumerate(names) if name == one] for one in distinct]
        return cls(
            np.stack([answers.probability[:, mine].max(axis=1) for mine in rows], axis=1),
            np.stack([benchmark.grades[:, mine].max(axis=1) for mine in rows], axis=1),
        )


def promises(ranker: Ranker, answers: OurAnswers, benchmark: Benchmark) -> list[Kept]:
    """Every shipped threshold, by rising alpha."""
    companies = Companies.of(answers, benchmark)
    work = benchmark.has_work
    found = []
    for threshold in ranker.thresholds:
        at = threshold.value
        by_company = _missed(companies.probability[work], companies.grades[work] == EXACT, at)
        found.append(
            Kept(
                threshold,
                float(
                    _missed(answers.probability[work], benchmark.grades[work] == EXACT, at).mean()
                ),
                float(by_company.mean()),
                float(_missed(companies.probability[work], companies.grades[work] > 0, at).mean()),
                float((answers.probability[work] >= at).sum(axis=1).mean()),
                float((companies.probability[work] >= at).sum(axis=1).mean()),
                float(by_company.std(ddof=1) / np.sqrt(len(by_company))),
                float((answers.fits[~work] & (answers.best[~work] >= at)).mean()),
            )
        )
    return found


def _missed(
    probability: NDArray[np.float32], suitable: NDArray[np.bool_], at: float
) -> NDArray[np.float64]:
    return miss_rates(list(probability), list(suitable), at)
