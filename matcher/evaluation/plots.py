"""Plots as SVG files: reliability, recall against list length, miss rate against its promise."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matcher.evaluation.probabilities import Honesty, Kept
from matcher.evaluation.testsets import EvaluationError


def figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    """A matplotlib figure and its one pair of axes.

    Raises:
        EvaluationError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EvaluationError("plots need matplotlib: pip install 'maatmatch[plots]'") from error
    drawn = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = drawn.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return drawn, axes


def draw(
    folder: Path,
    honesty: Sequence[Honesty],
    lengths: Mapping[str, Mapping[int, float]],
    kept: Sequence[Kept],
) -> list[Path]:
    """Write reliability.svg, recall_by_length.svg and miss_rate.svg; the folder is made.

    Raises:
        EvaluationError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "reliability": _reliability(honesty),
        "recall_by_length": _recall(lengths),
        "miss_rate": _miss_rate(kept),
    }
    paths = []
    for name, (image, axes) in drawn.items():
        axes.legend()
        path = folder / f"{name}.svg"
        image.savefig(path, metadata={"Date": None})
        paths.append(path)
    return paths


def _reliability(honesty: Sequence[Honesty]) -> tuple[Any, Any]:
    image, axes = figure("Reliability on the benchmark", "probability said", "share suitable")
    axes.plot([0, 1], [0, 1], "--", color="grey", label="as it should be")
    for each in honesty:
        axes.plot(
            [said for said, _, _ in each.bins],
            [found for _, found, _ in each.bins],
            marker="o",
            label=f"{each.name}, Brier {each.brier:.4f}",
        )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return image, axes


def _recall(lengths: Mapping[str, Mapping[int, float]]) -> tuple[Any, Any]:
    image, axes = figure(
        "Exact offers found against list length", "offers looked at", "share of exact offers found"
    )
    for name, found in lengths.items():
        axes.plot(list(found), list(found.values()), marker=".", label=name)
    axes.set(xscale="log", ylim=(0, 1.02))
    return image, axes


def _miss_rate(kept: Sequence[Kept]) -> tuple[Any, Any]:
    image, axes = figure("Miss rate: promised and found", "alpha", "share of companies missed")
    alphas = [each.threshold.alpha for each in kept]
    axes.plot(alphas, alphas, "--", color="grey", label="promised at most")
    axes.errorbar(
        alphas,
        [each.companies_missed for each in kept],
        [1.96 * each.spread for each in kept],
        marker="o",
        capsize=3,
        label="found on the benchmark",
    )
    return image, axes
