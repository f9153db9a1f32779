"""Which kind of work a text is about: a linear model over its vector and its character n-grams.

The vector knows words that mean the same, the n-grams know parts of words, compounds and typos;
each alone errs more often. scikit-learn fits both (:mod:`matcher.training.head`), numpy alone reads
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.lexical import Terms

NONE = "none"
"""The class of texts that are no work for a sheltered-work company."""
_CHUNK = 512  # texts whose n-gram weights are gathered at once


@dataclass(frozen=True)
class ActivityClassifier:
    """Multinomial logistic regression: softmax of vector part, n-gram part and bias."""

    codes: tuple[str, ...]
    weights: NDArray[np.float32]
    """(dimension, classes)."""
    grams: NDArray[np.int8]
    """(buckets, classes), to be multiplied by ``gram_scale``."""
    gram_scale: float
    bias: NDArray[np.float32]
    identity: str
    """Identity of the encoder whose vectors it was fitted on."""

    @classmethod
    def load(cls, folder: Path) -> "ActivityClassifier":
        """Read what :meth:`save` wrote."""
        held = np.load(folder / "classifier.npz")
        return cls(
            tuple(str(code) for code in held["codes"]),
            held["weights"].astype(np.float32),
            np.load(folder / "grams.npy", mmap_mode="r"),
            float(held["gram_scale"]),
            held["bias"],
            str(held["identity"]),
        )

    @classmethod
    def of(
        cls,
        codes: Sequence[str],
        weights: NDArray[np.float32],
        grams: NDArray[np.float32],
        bias: NDArray[np.float32],
        identity: str,
    ) -> "ActivityClassifier":
        """Round the n-gram weights to 8 bits."""
        scale = float(np.abs(grams).max()) / 127 or 1.0
        rounded = np.rint(grams / scale).astype(np.int8)
        return cls(tuple(codes), weights, rounded, scale, bias, identity)

    def save(self, folder: Path) -> None:
        """Write ``classifier.npz`` and ``grams.npy``."""
        np.savez_compressed(
            folder / "classifier.npz",
            codes=np.array(self.codes),
            weights=self.weights.astype(np.float16),
            gram_scale=self.gram_scale,
            bias=self.bias,
            identity=self.identity,
        )
        np.save(folder / "grams.npy", self.grams)

    def probabilities(self, vectors: NDArray[np.float32], chars: Terms) -> NDArray[np.float32]:
        """Probability of each class for each text.

        Args:
            vectors: (n, dimension).
            chars: the same texts through :meth:`matcher.lexical.Lexical.chars`.

        Returns:
            (n, classes), rows sum to 1; a text nothing can be read in is surely ``none``.
        """
        logits = vectors @ self.weights + self.bias
        for first in range(0, len(vectors), _CHUNK):
            last = min(first + _CHUNK, len(vectors))
            start, end = np.searchsorted(chars.rows, [first, last])
            if start < end:
                rows = chars.rows[start:end]
                heads = np.flatnonzero(np.diff(rows, prepend=-1))
                parts = self.grams[chars.buckets[start:end]] * (
                    chars.weights[start:end, None] * np.float32(self.gram_scale)
                )
                logits[rows[heads]] += np.add.reduceat(parts, heads, axis=0)
        logits -= logits.max(axis=1, keepdims=True)
        found = np.exp(logits)
        found /= found.sum(axis=1, keepdims=True)
        empty = ~vectors.any(axis=1)
        if empty.any():
            found[empty] = 0
            found[empty, self.codes.index(NONE)] = 1
        return np.asarray(found, dtype=np.float32)
