"""Our own benchmark: what every system finds for every need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.baselines import System
from matcher.evaluation.metrics import auc_interval, interval, ndcg, recall, reciprocal_rank
from matcher.evaluation.testsets import Benchmark
from matcher.ranking import Ranker
from matcher.signals import one_line

EXACT = 2
LENGTHS = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100, 200)
Estimate = tuple[float, float, float]
"""A mean and its 95 % bootstrap interval over needs."""


@dataclass(frozen=True)
class Scored:
    """One system's answer to the whole benchmark."""

    scores: NDArray[np.float32]
    """(needs, offers)."""
    order: NDArray[np.int64]
    """(needs, offers) rows of offers, best first."""
    fit: NDArray[np.float32]
    """(needs,) how sure the system is that anything fits at all: its own reading of it."""
    best: NDArray[np.float32]
    """(needs,) the highest score or probability of any offer."""


@dataclass(frozen=True)
class OurAnswers(Scored):
    """With what only our ranking gives: probabilities, and whether a need is work at all."""

    probability: NDArray[np.float32]
    """(needs, offers)."""
    fits: NDArray[np.bool_]
    """(needs,)."""


def run_ranker(
    ranker: Ranker, benchmark: Benchmark, progress: Callable[[], None] = lambda: None
) -> OurAnswers:
    """The full ranking, exactly as the service calls it."""
    index = ranker.index(benchmark.offers)
    scores, orders, fit, probability, fits = [], [], [], [], []
    for need in benchmark.needs:
        ranking = ranker.rank(need.text, index)
        scores.append(ranking.score)
        orders.append(ranking.order)
        fit.append(ranking.reading.fit)
        probability.append(ranking.probability)
        fits.append(ranker.fits(ranking.reading))
        progress()
    held = np.stack(probability)
    return OurAnswers(
        np.stack(scores),
        np.stack(orders),
        np.array(fit, dtype=np.float32),
        held.max(axis=1),
        held,
        np.array(fits),
    )


def run_system(system: System, benchmark: Benchmark) -> Scored:
    """A baseline over the same texts; equal scores go by offer id, as in the ranking."""
    ids = np.array([offer.id for offer in benchmark.offers])
    offers = [one_line(offer.text) for offer in benchmark.offers]
    needs = [one_line(need.text) for need in benchmark.needs]
    scores = np.stack(list(system.scores(needs, offers)))
    order = np.stack([np.lexsort((ids, -row)) for row in scores])
    best = scores.max(axis=1)
    return Scored(scores, order, best, best)


@dataclass(frozen=True)
class NeedFigures:
    """One value per need; nan where a figure does not apply (needs that are no work)."""

    ndcg: NDArray[np.float64]
    mrr: NDArray[np.float64]
    """Reciprocal rank of the first exact offer."""
    recall: NDArray[np.float64]
    """Share of the exact offers among the first 20."""
    recall_any: NDArray[np.float64]
    """Share of all suitable offers, exact or partly, among the first 20."""
    steps: NDArray[np.float64]
    """Share of the steps of which an exact offer is among the first 20."""


def per_need(scored: Scored, benchmark: Benchmark) -> NeedFigures:
    """The figures of every need."""
    held: list[tuple[float, float, float, float, float]] = []
    for row, order in enumerate(scored.order):
        grades = benchmark.grades[row, order]
        exact = grades == EXACT
        steps = [one[order] == EXACT for one in benchmark.step_grades[row]]
        found = [float(one[:20].any()) for one in steps if one.any()]
        held.append(
            (
                ndcg(grades),
                reciprocal_rank(exact) if exact.any() else float("nan"),
                recall(exact, 20),
                recall(grades > 0, 20),
                float(np.mean(found)) if found else float("nan"),
            )
        )
    return NeedFigures(*np.array(held).T)


def summary(figures: NeedFigures, rows: NDArray[np.bool_] | None = None) -> dict[str, Estimate]:
    """Means with intervals over the picked needs, all when None."""
    picked = np.ones(len(figures.ndcg), dtype=bool) if rows is None else rows
    return {
        "nDCG@10": interval(figures.ndcg[picked]),
        "MRR": interval(figures.mrr[picked]),
        "recall@20": interval(figures.recall[picked]),
        "recall@20 any": interval(figures.recall_any[picked]),
        "steps@20": interval(figures.steps[picked]),
    }


def separation(scored: Scored, benchmark: Benchmark) -> dict[str, Estimate]:
    """AUC of needs with work above no-fit needs, by the reading's fit and by the best score."""
    work = benchmark.has_work
    return {
        "fit": auc_interval(scored.fit[work], scored.fit[~work]),
        "best": auc_interval(scored.best[work], scored.best[~work]),
    }


def recall_by_length(scored: Scored, benchmark: Benchmark) -> dict[int, float]:
    """Mean share of exact offers within the first k, by k."""
    exact = np.take_along_axis(benchmark.grades, scored.order, axis=1) == EXACT
    return {k: float(np.nanmean([recall(row, k) for row in exact])) for k in LENGTHS}


def groups(benchmark: Benchmark) -> Mapping[str, NDArray[np.bool_]]:
    """Needs with work by language, style, and both where there are at least ten."""
    lang = np.array([need.lang for need in benchmark.needs])
    style = np.array([need.style for need in benchmark.needs])
    work = benchmark.has_work
    found = {one: (lang == one) & work for one in ("nl", "fr", "en")}
    styles = [one for one in dict.fromkeys(style.tolist()) if (work & (style == one)).any()]
    found |= {one: (style == one) & work for one in sorted(styles)}
    return found
