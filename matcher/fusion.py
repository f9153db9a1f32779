"""One score from several signals, with weights of their own for every pair of languages.

A lexical signal that helps from Dutch to Dutch says nothing from French to Dutch, so one weight
for all would hurt both. The weights are a logistic regression on judged pairs
(:mod:`matcher.training.head`); the score is its logit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIGNALS = ("dense", "chars", "bm25", "activity", "near", "works")
"""``activity`` and ``works`` are logarithms of the probability that both texts mean one."""
PAIRS = tuple(f"{need}-{offer}" for need in ("nl", "fr", "en") for offer in ("nl", "fr", "en"))


@dataclass(frozen=True)
class Fusion:
    """``weights[pair]`` holds one weight per signal, in the order of :data:`SIGNALS`."""

    weights: Mapping[str, tuple[float, ...]]
    bias: Mapping[str, float]
    identity: str

    @classmethod
    def load(cls, path: Path) -> "Fusion":
        """Read what :meth:`save` wrote."""
        held = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {pair: tuple(found) for pair, found in held["weights"].items()},
            held["bias"],
            held["identity"],
        )

    def save(self, path: Path) -> None:
        """Write weights and encoder identity as JSON."""
        held = {
            "identity": self.identity,
            "signals": SIGNALS,
            "weights": self.weights,
            "bias": self.bias,
        }
        path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")

    def matrix(self, need: str) -> NDArray[np.float32]:
        """(3 offer languages, signals + 1) weights and bias for needs in one language."""
        return np.array(
            [
                [*self.weights[f"{need}-{offer}"], self.bias[f"{need}-{offer}"]]
                for offer in ("nl", "fr", "en")
            ],
            dtype=np.float32,
        )
