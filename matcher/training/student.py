"""What both stages train: a table of token vectors and one of character n-gram vectors.

A text is the mean of its token vectors plus the mean of its n-gram vectors, as
:class:`matcher.encoder.StaticEncoder` reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from matcher.grams import char_grams


@dataclass(frozen=True)
class Vectors:
    """Token vectors, and n-gram vectors with the sorted hashes they belong to."""

    tokens: NDArray[np.float32]
    grams: NDArray[np.float32]
    hashes: NDArray[np.uint64]

    @classmethod
    def untrained(
        cls, tokens: int, hashes: NDArray[np.uint64], dimension: int, seed: int
    ) -> "Vectors":
        """Random tokens; n-grams start from nothing and say only what tokens do not."""
        drawn = np.random.default_rng(seed).normal(size=(tokens, dimension)).astype(np.float32)
        return cls(drawn, np.zeros((len(hashes), dimension), np.float32), hashes)

    def of_tokens(self, kept: NDArray[np.int64]) -> "Vectors":
        """With some of the tokens only, by row."""
        return Vectors(self.tokens[kept], self.grams, self.hashes)


class Bags:
    """Texts as rows of a table, kept flat: looked up once, drawn many times."""

    def __init__(self, ids: Sequence[NDArray[np.int64]], empty: int) -> None:
        """``empty`` is the row a text without any gets."""
        filled = [row if len(row) else np.array([empty]) for row in ids]
        self.lengths = np.array([len(row) for row in filled])
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.flat = np.concatenate(filled).astype(np.int64)

    @classmethod
    def of_tokens(cls, tokenizer: Tokenizer, texts: Sequence[str]) -> "Bags":
        """The tokens of each text."""
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return cls([np.asarray(item.ids, dtype=np.int64) for item in encoded], 0)

    def draw(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Table rows and bag offsets of some texts."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        inside = np.arange(lengths.sum()) - np.repeat(offsets, lengths)
        ids = self.flat[np.repeat(self.starts[rows], lengths) + inside]
        return torch.from_numpy(ids), torch.from_numpy(offsets)


def gram_table(texts: Sequence[str], size: int) -> NDArray[np.uint64]:
    """Sorted hashes of the ``size`` n-grams that most texts hold, of those at least three hold."""
    hashes, rows = char_grams(texts)
    pairs = np.unique(np.stack([hashes, rows.astype(np.uint64)]), axis=1)[0]
    found, counts = np.unique(pairs, return_counts=True)
    best = np.argsort(-counts, kind="stable")[:size]
    return np.sort(found[best[counts[best] >= 3]])


def gram_rows(texts: Sequence[str], table: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """Per text the rows of the table its n-grams have; unknown n-grams are left out."""
    if not len(table):
        return [np.zeros(0, np.int64) for _ in texts]
    hashes, owner = char_grams(texts)
    at = np.searchsorted(table, hashes).clip(max=len(table) - 1)
    known = table[at] == hashes
    order = np.argsort(owner[known], kind="stable")
    counts = np.bincount(owner[known], minlength=len(texts))
    return np.split(at[known][order], np.cumsum(counts)[:-1])


class Student:
    """Tokens and n-grams of a fixed list of texts, and the two tables that are trained."""

    def __init__(self, tokenizer: Tokenizer, start: Vectors, texts: Sequence[str]) -> None:
        self.texts = list(dict.fromkeys(texts))
        self.place = {text: row for row, text in enumerate(self.texts)}
        self.hashes = start.hashes
        self._token_bags = Bags.of_tokens(tokenizer, self.texts)
        self._gram_bags = Bags(gram_rows(self.texts, start.hashes), len(start.hashes))
        dimension = start.tokens.shape[1]
        self._tokens = torch.nn.EmbeddingBag(len(start.tokens), dimension, mode="mean")
        self._grams = torch.nn.EmbeddingBag(
            len(start.hashes) + 1, dimension, mode="mean", padding_idx=len(start.hashes)
        )
        self.set(start)

    def set(self, vectors: Vectors) -> None:
        """Begin from these tables, of the same tokens and n-grams."""
        with torch.no_grad():
            self._tokens.weight.copy_(torch.from_numpy(vectors.tokens))
            self._grams.weight.zero_()
            self._grams.weight[:-1].copy_(torch.from_numpy(vectors.grams))

    def __call__(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """(rows, dimension) of some of the texts, not brought to length 1."""
        tokens: torch.Tensor = self._tokens(*self._token_bags.draw(rows))
        grams: torch.Tensor = self._grams(*self._gram_bags.draw(rows))
        return tokens + grams

    def optimiser(self, rate: float) -> torch.optim.Optimizer:
        """Adam over both tables, in one pass: sparse gradients take four times as long."""
        return torch.optim.Adam([self._tokens.weight, self._grams.weight], lr=rate, fused=True)

    def vectors(self) -> Vectors:
        """The tables as they are now."""
        return Vectors(
            self._tokens.weight.detach().numpy().copy(),
            self._grams.weight.detach().numpy()[:-1].copy(),
            self.hashes,
        )
