"""From score to probability, and from probability to a threshold with a bounded miss rate.

* Sigmoid (Platt 1999) below :data:`ENOUGH_FOR_ISOTONIC` judged pairs, isotonic (Zadrozny & Elkan
  2002) above, fitted on pairs that trained nothing else.
* Conformal risk control (Angelopoulos, Bates, Fisch, Lei & Schuster 2022): the largest threshold
  whose corrected mean miss rate over judged needs stays at or below alpha. The promise is about
  the expectation over needs like the judged ones, and holds on average over calibration sets.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ENOUGH_FOR_ISOTONIC = 1_000
ROUNDING = 1e-4
"""Share by which a threshold is lowered: it stands on the probability of a suitable offer, which
another processor may compute a little lower."""
ENOUGH_FOR_PROMISE = 300
ALPHAS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)


class CalibrationError(ValueError):
    """The judged pairs cannot be calibrated on; the message says why."""


@dataclass(frozen=True)
class Calibration:
    """A monotone map from score to probability, linear between its knots.

    A sigmoid is kept as its two parameters, an isotonic fit as its knots.
    """

    kind: str
    slope: float
    offset: float
    scores: tuple[float, ...]
    values: tuple[float, ...]
    pairs: int
    identity: str
    """Encoder the scores were made with: another encoder needs another calibration."""

    def probability(self, score: ArrayLike) -> NDArray[np.float32]:
        """Probabilities in (0, 1), same shape as ``score``; never decreasing in it."""
        given = np.asarray(score, dtype=np.float64)
        if self.kind == "isotonic":
            found = np.interp(given, self.scores, self.values)
        else:
            found = 1 / (1 + np.exp(-np.clip(self.slope * given + self.offset, -40, 40)))
        return np.asarray(found, dtype=np.float32)


def _platt(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> tuple[float, float]:
    """Newton's method on the regularised targets of Platt (1999)."""
    positive, negative = labels.sum(), (1 - labels).sum()
    target = np.where(labels > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    centre, spread = scores.mean(), scores.std() or 1.0
    x = (scores - centre) / spread
    slope, offset = 0.0, math.log((positive + 1) / (negative + 1))
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(slope * x + offset, -40, 40)))
        gradient = np.array([((p - target) * x).sum(), (p - target).sum()])
        w = np.maximum(p * (1 - p), 1e-12)
        hessian = np.array([[(w * x * x).sum() + 1e-9, (w * x).sum()], [(w * x).sum(), w.sum()]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        slope, offset = slope - step[0], offset - step[1]
        if np.abs(step).max() < 1e-9:
            break
    return float(slope / spread), float(offset - slope * centre / spread)


def _isotonic(
    scores: NDArray[np.float64], labels: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Pool adjacent violators; one knot in the middle of every pooled block."""
    order = np.lexsort((-labels, scores))
    blocks: list[list[float]] = []  # sum, count, first score, last score
    for score, label in zip(scores[order].tolist(), labels[order].tolist(), strict=True):
        blocks.append([label, 1.0, score, score])
        while len(blocks) > 1 and (
            blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]
            or blocks[-2][3] == blocks[-1][2]
        ):
            last = blocks.pop()
            blocks[-1][0] += last[0]
            blocks[-1][1] += last[1]
            blocks[-1][3] = last[3]
    knots: list[float] = []
    values: list[float] = []
    for total, count, begin, end in blocks:
        value = (total + 0.5) / (count + 1)  # keeps 0 and 1 out: a few pairs prove nothing
        knots.append((begin + end) / 2)  # a point per block: between them the map keeps rising
        values.append(value)
    return tuple(knots), tuple(np.maximum.accumulate(values).tolist())


def fit_calibration(scores: ArrayLike, labels: ArrayLike, identity: str) -> Calibration:
    """Fit on judged pairs: ``labels`` 1 where the offer suits the need, else 0.

    Raises:
        CalibrationError: fewer than 20 pairs, or only one kind of them.
    """
    x = np.asarray(scores, dtype=np.float64)
    y = (np.asarray(labels) > 0).astype(np.float64)
    if len(x) < 20 or y.sum() in (0, len(y)):
        raise CalibrationError(
            f"{len(x)} judged pairs, {int(y.sum())} of them suitable: calibration needs at least "
            "20 with both kinds"
        )
    slope, offset = _platt(x, y)
    if len(x) < ENOUGH_FOR_ISOTONIC:
        return Calibration("sigmoid", slope, offset, (), (), len(x), identity)
    knots, values = _isotonic(x, y)
    return Calibration("isotonic", slope, offset, knots, values, len(x), identity)


def brier(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean squared error of the probabilities (Brier 1950); 0 is perfect."""
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    return float(np.mean((p - y) ** 2))


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Per bin of equal width: mean probability, share that was suitable, number of pairs."""
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    bin_of = np.minimum((p * bins).astype(int), bins - 1)
    return [
        (float(p[bin_of == b].mean()), float(y[bin_of == b].mean()), int((bin_of == b).sum()))
        for b in range(bins)
        if (bin_of == b).any()
    ]


@dataclass(frozen=True)
class Threshold:
    """The probability from which an offer counts as suitable, and what it promises.

    ``refused`` holds the reason when no promise can be made; ``value`` is then still the best
    estimate, to be shown as such. ``reached`` and ``all_companies`` are means per need: how many
    offers the threshold lets through, out of how many.
    """

    value: float
    alpha: float
    n_needs: int
    miss_rate: float
    spread: float
    reached: float
    all_companies: float
    refused: str | None
    identity: str


def miss_rates(
    probabilities: Sequence[NDArray[np.floating]],
    suitable: Sequence[NDArray[np.bool_]],
    threshold: float,
) -> NDArray[np.float64]:
    """Per need, the share of its suitable offers below the threshold."""
    return np.array(
        [
            float((p[s] < threshold).mean())
            for p, s in zip(probabilities, suitable, strict=True)
            if s.any()
        ]
    )


def risk_threshold(
    probabilities: Sequence[NDArray[np.floating]],
    suitable: Sequence[NDArray[np.bool_]],
    alpha: float = 0.05,
    identity: str = "",
    hands: Sequence[int] | None = None,
) -> Threshold:
    """Largest threshold t with (n * risk(t) + 1) / (n + 1) + spread(t) <= alpha.

    Conformal risk control (Angelopoulos et al. 2024) bounds the expected miss rate with the first
    term alone. The spread that so many needs leave is put on the safe side: other needs than the
    judged ones differ from them, and a company too many costs less than one forgotten.

    Args:
        probabilities: one array per judged need, over the same offers as ``suitable``.
        suitable: which offers suit that need; needs without any are left out.
        alpha: the accepted expected share of suitable offers missed.
        hands: per judged need who wrote and judged it; then the bound must hold for each of them
            apart too, because the next firm writes like none of them (the largest risk over
            groups, as in group distributionally robust optimisation, Sagawa et al. 2020).

    Returns:
        The threshold. ``spread`` is the standard error of the miss rate over needs: what a
        calibration set of this size leaves open.

    Raises:
        CalibrationError: no judged need has a suitable offer, or alpha is not within (0, 1).
    """
    if not 0 < alpha < 1:
        raise CalibrationError(f"alpha must lie between 0 and 1, not {alpha}")
    whose = [0] * len(probabilities) if hands is None else hands
    kept = [
        (p, s, hand) for p, s, hand in zip(probabilities, suitable, whose, strict=True) if s.any()
    ]
    if not kept:
        raise CalibrationError("no judged need has a suitable offer")
    p_all, s_all = [p for p, *_ in kept], [s for _, s, _ in kept]
    n = len(kept)
    best = _largest(p_all, s_all, alpha)
    for one in {hand for *_, hand in kept}:
        theirs = [(p, s) for p, s, hand in kept if hand == one]
        best = min(best, _largest([p for p, _ in theirs], [s for _, s in theirs], alpha))
    best *= 1 - ROUNDING
    rates = miss_rates(p_all, s_all, best)
    refused = None
    if n < ENOUGH_FOR_PROMISE:
        refused = f"{n} judged needs with a suitable offer; a promise takes {ENOUGH_FOR_PROMISE}"
    elif best == 0.0:
        refused = f"no threshold keeps the miss rate at {alpha:g} on these needs"
    return Threshold(
        value=best,
        alpha=alpha,
        n_needs=n,
        miss_rate=float(rates.mean()),
        spread=_spread(rates),
        reached=float(np.mean([(p >= best).sum() for p in p_all])),
        all_companies=float(np.mean([len(p) for p in p_all])),
        refused=refused,
        identity=identity,
    )


def _largest(
    probabilities: Sequence[NDArray[np.floating]],
    suitable: Sequence[NDArray[np.bool_]],
    alpha: float,
) -> float:
    """The largest threshold whose corrected miss rate stays at or below alpha; 0 if none does."""
    n = len(probabilities)
    # The risk only changes at the probabilities of suitable offers: try those.
    steps = np.unique(np.concatenate([p[s] for p, s in zip(probabilities, suitable, strict=True)]))
    low, high, best = 0, len(steps) - 1, 0.0
    while low <= high:  # risk and spread grow with t, so bisection finds the last good step
        middle = (low + high) // 2
        rates = miss_rates(probabilities, suitable, float(steps[middle]))
        if (rates.sum() + 1) / (n + 1) + _spread(rates) <= alpha:
            best, low = float(steps[middle]), middle + 1
        else:
            high = middle - 1
    return best


def _spread(rates: NDArray[np.float64]) -> float:
    """Standard error of the mean of some rates; 1 where one need tells nothing of others."""
    return float(rates.std(ddof=1) / math.sqrt(len(rates))) if len(rates) > 1 else 1.0


@dataclass(frozen=True)
class Judged:
    """All that was learnt from judged needs, and on which judgements it rests."""

    rests_on: str
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    """By rising alpha."""
    least_fit: float
    """:attr:`matcher.ranking.Reading.fit` below which a need is no work for anyone here."""

    @property
    def identity(self) -> str:
        """Short content hash: kept with every broadcast whose eligible set it decided."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Judged":
        """Read what :meth:`save` wrote."""
        return cls.of_dict(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of_dict(cls, held: dict[str, Any]) -> "Judged":
        """From what ``dataclasses.asdict`` gave."""
        curve = dict(held["calibration"])
        curve["scores"], curve["values"] = tuple(curve["scores"]), tuple(curve["values"])
        return cls(
            str(held["rests_on"]),
            Calibration(**curve),
            tuple(Threshold(**each) for each in held["thresholds"]),
            float(held["least_fit"]),
        )
