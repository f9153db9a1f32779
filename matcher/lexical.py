"""Two signals on the letters themselves: character n-grams, and BM25 on stems and compound parts.

Both hash their terms and weigh them with frequencies counted once, at training time, so that the
score of a need and an offer depends on those two texts alone: adding an offer changes no other
score, and one text pair can be explained without an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from matcher.grams import char_grams
from matcher.text import FUNCTION_WORDS, Language, words

BUCKETS = 1 << 16
K1, B = 1.2, 0.75  # the usual BM25 constants (Robertson & Zaragoza 2009)
SHORTEST_PART, LONGEST_COMPOUND = 4, 60
_STEMMER = {"nl": "dutch", "fr": "french", "en": "english"}
_LINKS = ("", "s", "e", "en", "er")  # what Dutch puts between the parts of a compound


@dataclass(frozen=True)
class Terms:
    """The terms of several texts as sparse rows.

    ``buckets`` and ``weights`` are flat, one entry per distinct term; ``rows`` is the text each
    entry belongs to, ascending.
    """

    buckets: NDArray[np.int64]
    weights: NDArray[np.float32]
    rows: NDArray[np.int64]
    count: int


class Postings:
    """An inverted index over :class:`Terms`: exact sums, only over terms the query has."""

    def __init__(self, terms: Terms) -> None:
        order = np.lexsort((terms.rows, terms.buckets))
        self._rows = terms.rows[order].astype(np.int32)
        self._weights = terms.weights[order]
        self._ends = np.cumsum(np.bincount(terms.buckets, minlength=BUCKETS))
        self.count = terms.count

    def score(
        self, buckets: NDArray[np.int64], weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(count,) sum over shared terms of the two weights."""
        starts = np.where(buckets > 0, self._ends[buckets - 1], 0)
        lengths = self._ends[buckets] - starts
        total = int(lengths.sum())
        if not total:
            return np.zeros(self.count, np.float32)
        before = np.cumsum(lengths) - lengths
        at = np.arange(total) + np.repeat(starts - before, lengths)
        mass = self._weights[at] * np.repeat(weights, lengths)
        return np.bincount(self._rows[at], mass, minlength=self.count).astype(np.float32)


def _sparse(
    buckets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Distinct (row, bucket) with how often each occurs."""
    keys, counts = np.unique(rows * BUCKETS + buckets, return_counts=True)
    return keys % BUCKETS, keys // BUCKETS, counts.astype(np.float32)


def _grams(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Character n-grams hashed to buckets, and the text each comes from."""
    hashes, rows = char_grams(texts)
    return (hashes >> np.uint64(48)).astype(np.int64), rows


def hash_word(stem: str) -> int:
    """The bucket of one stem: the same in every process."""
    value = 5381
    for letter in stem:
        value = (value * 33 ^ ord(letter)) & 0xFFFFFFFF
    return (value * 0x9E3779B1 & 0xFFFFFFFF) >> 16


class Compounds:
    """Splits Dutch compounds into words it knows ("luierwasserij": luier + wasserij)."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known = known

    @lru_cache(maxsize=50_000)  # noqa: B019 - one splitter lives as long as the ranker
    def split(self, word: str) -> tuple[str, ...]:
        """Parts of a compound, or the word alone; the longest last part is taken first."""
        if not 2 * SHORTEST_PART <= len(word) <= LONGEST_COMPOUND:
            return (word,)
        for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
            head, tail = word[:cut], word[cut:]
            if tail not in self.known:
                continue
            for link in _LINKS:
                stem = head[: len(head) - len(link)] if link else head
                if head.endswith(link) and len(stem) >= SHORTEST_PART and stem in self.known:
                    return (stem, tail)
            deeper = self.split(head)
            if len(deeper) > 1:
                return (*deeper, tail)
        return (word,)


@lru_cache(maxsize=100_000)
def stem(word: str, language: Language) -> str:
    """Snowball stem of a normalised word."""
    return str(_stemmer(language).stemWord(word))


@lru_cache(maxsize=3)
def _stemmer(language: Language) -> "snowballstemmer.stemmer":
    return snowballstemmer.stemmer(_STEMMER[language])


@dataclass(frozen=True)
class Lexical:
    """Frequencies counted at training time and the two ways of weighing terms with them."""

    gram_idf: NDArray[np.float32]
    word_idf: NDArray[np.float32]
    mean_length: float
    compounds: Compounds

    @classmethod
    def load(cls, folder: Path) -> "Lexical":
        """Read ``lexical.npz`` and ``words.txt`` as :meth:`save` wrote them."""
        held = np.load(folder / "lexical.npz")
        known = (folder / "words.txt").read_text(encoding="utf-8").split()
        return cls(
            held["gram_idf"].astype(np.float32),
            held["word_idf"].astype(np.float32),
            float(held["mean_length"]),
            Compounds(frozenset(known)),
        )

    @classmethod
    def fit(cls, texts: Sequence[str], known: frozenset[str]) -> "Lexical":
        """Count how many of the texts hold each term."""
        empty = np.ones(BUCKETS, np.float32)
        blank = cls(empty, empty, 1.0, Compounds(known))
        grams, _, _ = _sparse(*_grams(texts))
        stems = [blank.stems(text, "nl") for text in texts]
        flat = [hash_word(item) for found in stems for item in set(found)]

        def idf(buckets: NDArray[np.int64]) -> NDArray[np.float32]:
            seen = np.bincount(buckets, minlength=BUCKETS)
            return np.log((1 + len(texts)) / (1 + seen)).astype(np.float32) + 0.5

        length = float(np.mean([len(found) for found in stems]))
        return cls(idf(grams), idf(np.array(flat, dtype=np.int64)), length, blank.compounds)

    def save(self, folder: Path) -> None:
        """Write what :meth:`load` reads."""
        np.savez_compressed(
            folder / "lexical.npz",
            gram_idf=self.gram_idf.astype(np.float16),
            word_idf=self.word_idf.astype(np.float16),
            mean_length=self.mean_length,
        )
        (folder / "words.txt").write_text(
            "\n".join(sorted(self.compounds.known)) + "\n", encoding="utf-8"
        )

    def stems(self, text: str, language: Language) -> list[str]:
        """Stems of the content words and, for Dutch, of the parts of compounds."""
        skip = FUNCTION_WORDS[language]
        found = []
        for word in words(text):
            if word in skip or len(word) < 2:
                continue
            found.append(stem(word, language))
            parts = self.compounds.split(word) if language == "nl" else (word,)
            if len(parts) > 1:
                found.extend(stem(part, language) for part in parts)
        return found

    def chars(self, texts: Sequence[str]) -> Terms:
        """Unit-length TF-IDF rows over character 3- to 5-grams."""
        buckets, rows, counts = _sparse(*_grams(texts))
        weights: NDArray[np.floating] = (1 + np.log(counts)) * self.gram_idf[buckets]
        norms = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts))).astype(np.float32)
        weights = weights / np.where(norms > 0, norms, 1)[rows]
        return Terms(buckets, weights.astype(np.float32), rows, len(texts))

    def _stemmed(
        self, texts: Sequence[str], languages: Sequence[Language]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        stems = [self.stems(t, lang) for t, lang in zip(texts, languages, strict=True)]
        flat = np.array([hash_word(item) for found in stems for item in found], dtype=np.int64)
        rows = np.repeat(np.arange(len(texts)), [len(found) for found in stems])
        return _sparse(flat, rows)

    def bm25(self, texts: Sequence[str], languages: Sequence[Language]) -> Terms:
        """The offer's side of BM25: saturated, length-normalised counts."""
        buckets, rows, counts = self._stemmed(texts, languages)
        lengths = np.bincount(rows, counts, minlength=len(texts))
        norm = K1 * (1 - B + B * lengths / self.mean_length)
        weights = counts * (K1 + 1) / (counts + norm[rows])
        return Terms(buckets, weights.astype(np.float32), rows, len(texts))

    def bm25_query(self, texts: Sequence[str], languages: Sequence[Language]) -> Terms:
        """The need's side: inverse document frequencies that sum to 1 per text."""
        buckets, rows, _ = self._stemmed(texts, languages)
        weights: NDArray[np.floating] = self.word_idf[buckets]
        sums = np.bincount(rows, weights, minlength=len(texts)).astype(np.float32)
        weights = weights / np.where(sums > 0, sums, 1)[rows]
        return Terms(buckets, weights.astype(np.float32), rows, len(texts))


def pick(terms: Terms, row: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets and weights of one text of :class:`Terms`."""
    first, last = np.searchsorted(terms.rows, [row, row + 1])
    return terms.buckets[first:last], terms.weights[first:last]
