"""Figures about ranked lists, with the spread that the number of needs leaves.

Every function takes one list at a time, best first; means over needs are taken by the caller, so
that a bootstrap can draw needs again.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 2_000
SEED = 20


def ndcg(grades: ArrayLike, k: int = 10) -> float:
    """nDCG@k with gains 2^grade - 1 (Burges et al. 2005); nan when no grade is above 0.

    Args:
        grades: of all offers in the order of the list; the ideal list is taken from the same.
    """
    gains = 2.0 ** np.asarray(grades, dtype=np.float64) - 1
    best = np.sort(gains)[::-1][:k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = float(best @ discount[: len(best)])
    got = gains[:k]
    return float(got @ discount[: len(got)]) / ideal if ideal else float("nan")


def reciprocal_rank(relevant: ArrayLike) -> float:
    """1 / place of the first relevant, 0 when there is none."""
    places = np.flatnonzero(relevant)
    return 1 / (float(places[0]) + 1) if len(places) else 0.0


def recall(relevant: ArrayLike, k: int, total: int | None = None) -> float:
    """Share of the relevant within the first k; nan when there is none.

    Args:
        total: how many are relevant in all; those in the list when None.
    """
    found = np.asarray(relevant, dtype=bool)
    all_ = int(found.sum()) if total is None else total
    return float(found[:k].sum()) / all_ if all_ else float("nan")


def average_precision(relevant: ArrayLike, total: int | None = None) -> float:
    """Mean of the precision at every relevant place; nan when none is relevant."""
    found = np.asarray(relevant, dtype=bool)
    all_ = int(found.sum()) if total is None else total
    places = np.flatnonzero(found) + 1
    return float((np.arange(1, len(places) + 1) / places).sum()) / all_ if all_ else float("nan")


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties half (area under the ROC curve)."""
    p = np.asarray(positive, dtype=np.float64)
    n = np.sort(np.asarray(negative, dtype=np.float64))
    if not len(p) or not len(n):
        return float("nan")
    below = np.searchsorted(n, p, side="left") + np.searchsorted(n, p, side="right")
    return float(below.mean()) / 2 / len(n)


def interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Mean, and the percentile bootstrap interval of the mean over needs (Efron 1979).

    Values that are nan (needs to which the figure does not apply) are left out.
    """
    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(SEED)
    means = kept[rng.integers(0, len(kept), (DRAWS, len(kept)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(kept.mean()), float(low), float(high)


def auc_interval(
    positive: NDArray[np.floating], negative: NDArray[np.floating], level: float = 0.95
) -> tuple[float, float, float]:
    """AUC and its bootstrap interval, both groups drawn again."""
    rng = np.random.default_rng(SEED)

    def again(group: NDArray[np.floating]) -> NDArray[np.floating]:
        return group[rng.integers(0, len(group), len(group))]

    drawn = [auc(again(positive), again(negative)) for _ in range(DRAWS // 4)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return auc(positive, negative), float(low), float(high)


Measure = Callable[[NDArray[np.bool_], int], float]
"""From a list of relevant or not, and how many are relevant in all, to a figure."""

LABEL_MEASURES: dict[str, Measure] = {
    "MRR": lambda found, total: reciprocal_rank(found),
    "hit@1": lambda found, total: float(found[:1].any()),
    "hit@5": lambda found, total: float(found[:5].any()),
    "hit@10": lambda found, total: float(found[:10].any()),
    "recall@10": lambda found, total: recall(found, 10, total),
    "recall@20": lambda found, total: recall(found, 20, total),
    "MAP": average_precision,
}
