"""Which kind of work a text is about: a linear model over the text's vector, read as plain arrays.

scikit-learn fits it (:mod:`matcher.training.head`); numpy alone reads it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NONE = "none"
"""The class of texts that are no work for a sheltered-work company."""


@dataclass(frozen=True)
class ActivityClassifier:
    """Multinomial logistic regression: ``softmax(vectors @ weights + bias)``."""

    codes: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    identity: str
    """Identity of the encoder whose vectors it was fitted on."""

    @classmethod
    def load(cls, path: Path) -> "ActivityClassifier":
        """Read what :meth:`save` wrote."""
        held = np.load(path)
        return cls(
            tuple(str(code) for code in held["codes"]),
            held["weights"].astype(np.float32),
            held["bias"].astype(np.float32),
            str(held["identity"]),
        )

    def save(self, path: Path) -> None:
        """Write codes, weights, bias and encoder identity."""
        np.savez_compressed(
            path,
            codes=np.array(self.codes),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            identity=self.identity,
        )

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, classes), rows sum to 1; a zero vector (unreadable text) is surely ``none``."""
        logits = vectors @ self.weights + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        found = np.exp(logits)
        found /= found.sum(axis=1, keepdims=True)
        empty = ~vectors.any(axis=1)
        found[empty] = 0
        if NONE in self.codes:
            found[empty, self.codes.index(NONE)] = 1
        return np.asarray(found, dtype=np.float32)
