"""Specific kinds of work, finer than the activities: one prototype for every training block.

A need and an offer that share no word can both resemble the same block ("hotel linen"): the
probability that they mean the same block is a signal no direct comparison of the two gives. It is
a nearest-prototype classifier (Snell et al. 2017) on vectors and on character n-grams.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import Encoder, Table
from matcher.lexical import BUCKETS, Lexical, Postings, Terms, pick

VECTOR_SHARPNESS = 12.0
GRAM_SHARPNESS = 20.0
KEPT = 16  # works kept per text: the rest holds next to nothing
GRAMS_KEPT = 400  # n-grams of a prototype: the others weigh next to nothing


class Works:
    """Prototypes of specific kinds of work."""

    def __init__(self, vectors: Table, grams: Terms, identity: str) -> None:
        """``identity`` is that of the encoder that made the vectors."""
        self.vectors = vectors
        self.grams = grams
        self.identity = identity
        self._rows = vectors.rows(np.arange(len(vectors.values)))
        self._postings = Postings(grams)

    @classmethod
    def fit(cls, encoder: Encoder, lexical: Lexical, groups: Sequence[Sequence[str]]) -> "Works":
        """One prototype per group of cleaned texts: mean vector and mean n-gram weights."""
        texts = [text for group in groups for text in group]
        owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        sums = np.zeros((len(groups), encoder.dimension), dtype=np.float32)
        np.add.at(sums, owner, encoder.encode(texts))
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        chars = lexical.chars(texts)
        keys, inverse = np.unique(owner[chars.rows] * BUCKETS + chars.buckets, return_inverse=True)
        weights = np.bincount(inverse, chars.weights)
        rows, buckets = keys // BUCKETS, keys % BUCKETS
        lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(groups)))
        weights = weights / lengths[rows]
        order = np.lexsort((-weights, rows))
        place = np.arange(len(rows)) - np.searchsorted(rows, rows)  # by weight within its row
        kept = np.sort(order[place < GRAMS_KEPT])
        grams = Terms(buckets[kept], weights[kept].astype(np.float32), rows[kept], len(groups))
        return cls(
            Table.of((sums / np.where(norms > 0, norms, 1)).astype(np.float32)),
            grams,
            encoder.identity,
        )

    def save(self, path: Path) -> None:
        """Write what :meth:`load` reads."""
        np.savez(
            path,
            values=self.vectors.values,
            scales=self.vectors.scales.astype(np.float16),
            buckets=self.grams.buckets.astype(np.uint16),
            weights=self.grams.weights.astype(np.float16),
            rows=self.grams.rows.astype(np.uint16),
            identity=self.identity,
        )

    @classmethod
    def load(cls, path: Path) -> "Works":
        """Read what :meth:`save` wrote."""
        held = np.load(path)
        values = held["values"]
        grams = Terms(
            held["buckets"].astype(np.int64),
            held["weights"].astype(np.float32),
            held["rows"].astype(np.int64),
            len(values),
        )
        return cls(Table(values, held["scales"].astype(np.float32)), grams, str(held["identity"]))

    def probabilities(self, vectors: NDArray[np.float32], chars: Terms) -> NDArray[np.float32]:
        """(n, works) which work each text is about; rows sum to 1.

        Args:
            vectors: (n, dimension).
            chars: the same texts through :meth:`matcher.lexical.Lexical.chars`.
        """
        logits = VECTOR_SHARPNESS * (vectors @ self._rows.T)
        for row in range(len(vectors)):
            logits[row] += GRAM_SHARPNESS * self._postings.score(*pick(chars, row))
        logits -= logits.max(axis=1, keepdims=True)
        found = np.exp(logits)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float32)

    def likeliest(self, vectors: NDArray[np.float32], chars: Terms) -> Terms:
        """The :data:`KEPT` likeliest works of each text, as sparse rows of probabilities."""
        found = self.probabilities(vectors, chars)
        count, kept = len(found), min(KEPT, found.shape[1])
        best = np.sort(np.argpartition(-found, kept - 1, axis=1)[:, :kept], axis=1)
        weights = np.take_along_axis(found, best, axis=1)
        return Terms(best.ravel(), weights.ravel(), np.repeat(np.arange(count), kept), count)
