"""Specific kinds of work, finer than the activities: one prototype for every training block.

A need and an offer that share no word can both resemble the same block ("hotel linen"): the
probability that they mean the same block is a signal no direct comparison of the two gives. It is
a nearest-prototype classifier (Snell et al. 2017) on the vectors.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import Encoder
from matcher.lexical import Terms

SHARPNESS = 26.0
KEPT = 16  # works kept per text: the rest holds next to nothing


class Works:
    """Prototypes of specific kinds of work."""

    def __init__(self, vectors: NDArray[np.float32], identity: str) -> None:
        """``identity`` is that of the encoder that made the (works, dimension) vectors."""
        self.vectors = vectors
        self.identity = identity

    @classmethod
    def fit(cls, encoder: Encoder, groups: Sequence[Sequence[str]]) -> "Works":
        """One prototype per group of cleaned texts: their mean vector, brought to length 1."""
        texts = [text for group in groups for text in group]
        owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        sums = np.zeros((len(groups), encoder.dimension), dtype=np.float32)
        np.add.at(sums, owner, encoder.encode(texts))
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        return cls((sums / np.where(norms > 0, norms, 1)).astype(np.float32), encoder.identity)

    def save(self, path: Path) -> None:
        """Write what :meth:`load` reads."""
        np.savez(path, vectors=self.vectors.astype(np.float16), identity=self.identity)

    @classmethod
    def load(cls, path: Path) -> "Works":
        """Read what :meth:`save` wrote."""
        held = np.load(path)
        return cls(held["vectors"].astype(np.float32), str(held["identity"]))

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, works) which work each of (n, dimension) vectors is about; rows sum to 1."""
        logits = SHARPNESS * (vectors @ self.vectors.T)
        logits -= logits.max(axis=1, keepdims=True)
        found = np.exp(logits)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float32)

    def likeliest(self, vectors: NDArray[np.float32]) -> Terms:
        """The :data:`KEPT` likeliest works of each text, as sparse rows of probabilities."""
        found = self.probabilities(vectors)
        count, kept = len(found), min(KEPT, found.shape[1])
        best = np.sort(np.argpartition(-found, kept - 1, axis=1)[:, :kept], axis=1)
        weights = np.take_along_axis(found, best, axis=1)
        return Terms(best.ravel(), weights.ravel(), np.repeat(np.arange(count), kept), count)
