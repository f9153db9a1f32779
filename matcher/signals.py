"""The signals between a piece of a need and an offer line, and the index that holds the offers.

Every signal depends on the two texts alone, never on the other offers, so adding or leaving out
an offer changes nothing for the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.activities import Activities
from matcher.classify import NONE, ActivityClassifier
from matcher.encoder import Encoder
from matcher.fusion import SIGNALS
from matcher.lexical import Lexical, Postings, Terms, pick
from matcher.steps import split_sentences
from matcher.text import LANGUAGES, Language, clean, detect_language
from matcher.works import Works

SHORTEST_PART, MOST_PARTS = 3, 20  # words of a sentence of an offer, and how many are read
FLOOR = 1e-3  # a probability far below counts as none: its logarithm is taken above this


def one_line(text: str) -> str:
    """A text as it is encoded: cleaned, on one line."""
    return " ".join(clean(text).split())


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One activity a company does, in its own words."""

    id: str
    text: str
    company_id: str | None = None


@dataclass(frozen=True)
class OfferIndex:
    """Offers ready to be ranked; never changed, adding offers is building another.

    An offer of several sentences has a row for its whole text and one for each of them, so that a
    long description is found by any work in it; all arrays but ``starts`` and ``tie_order`` hold
    a row for each, ``activities`` and ``near`` a column.
    """

    offers: tuple[OfferLine, ...]
    texts: tuple[str, ...]
    starts: NDArray[np.int64]
    """Per offer its first row, that of the whole text."""
    vectors: NDArray[np.float32]
    activities: NDArray[np.float32]
    near: NDArray[np.float32]
    """(classes, rows): a need speaks of few classes, and each is read in one go."""
    works: Postings
    languages: NDArray[np.int64]
    chars: Postings
    bm25: Postings
    tie_order: NDArray[np.int64]
    """Rank of each offer's id among all ids: decides between equal scores."""


@dataclass(frozen=True)
class Seen:
    """Pieces of a need as the signals see them: one row each, made once for any index."""

    units: tuple[str, ...]
    language: Language
    vectors: NDArray[np.float32]
    activities: NDArray[np.float32]
    chars: Terms
    stems: Terms
    works: Terms


class Signals:
    """Encoder, lexical frequencies and activity classifier: all that compares two texts."""

    def __init__(
        self,
        encoder: Encoder,
        activities: Activities,
        lexical: Lexical,
        classifier: ActivityClassifier,
        works: Works,
    ) -> None:
        self.encoder = encoder
        self.lexical = lexical
        self.classifier = classifier
        self.works = works
        self.none = classifier.codes.index(NONE)
        self._near = near_matrix(activities, classifier.codes)

    def index(
        self, offers: Sequence[OfferLine], vectors: NDArray[np.float32] | None = None
    ) -> OfferIndex:
        """Make offers ready to be ranked.

        Args:
            vectors: (offers, dimension) made earlier by :meth:`encode_offers` with the same
                encoder; None encodes them now.

        Raises:
            ValueError: the vectors do not fit the offers, or two offers share an id.
        """
        lines = tuple(offers)
        ids = [offer.id for offer in lines]
        if len(set(ids)) != len(ids):
            raise ValueError("two offers share an id")
        texts = [one_line(offer.text) for offer in lines]
        held = self.encoder.encode(texts) if vectors is None else vectors
        if held.shape != (len(lines), self.encoder.dimension):
            raise ValueError(
                f"vectors of shape {held.shape} for {len(lines)} offers of "
                f"{self.encoder.dimension} dimensions"
            )
        parts = [_parts(offer.text, text) for offer, text in zip(lines, texts, strict=True)]
        starts = np.cumsum([0, *(1 + len(some) for some in parts)], dtype=np.int64)[:-1]
        loose = [part for some in parts for part in some]
        if loose:
            after = np.repeat(np.arange(len(lines)) + 1, [len(some) for some in parts])
            held = np.insert(held, after, self.encoder.encode(loose), axis=0)
            texts = [row for text, some in zip(texts, parts, strict=True) for row in (text, *some)]
        languages = [detect_language(text) for text in texts]
        chars = self.lexical.chars(texts)
        found = self.classifier.probabilities(held, chars)
        tie_order = np.empty(len(lines), dtype=np.int64)
        tie_order[np.argsort(np.array(ids, dtype=object), kind="stable")] = np.arange(len(lines))
        return OfferIndex(
            offers=lines,
            texts=tuple(texts),
            starts=starts,
            vectors=held,
            activities=np.ascontiguousarray(found.T),
            near=np.ascontiguousarray((found @ self._near).T),
            works=Postings(self.works.likeliest(held)),
            languages=np.array([LANGUAGES.index(one) for one in languages], dtype=np.int64),
            chars=Postings(chars),
            bm25=Postings(self.lexical.bm25(texts, languages)),
            tie_order=tie_order,
        )

    def activities(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(texts, classes) probabilities of cleaned texts and their vectors."""
        return self.classifier.probabilities(vectors, self.lexical.chars(texts))

    def see(
        self,
        units: Sequence[str],
        language: Language,
        vectors: NDArray[np.float32],
        activities: NDArray[np.float32],
    ) -> Seen:
        """Everything of the pieces of one need that no offer is needed for.

        Args:
            units: the pieces, cleaned; ``vectors`` and ``activities`` hold a row for each.
        """
        chars = self.lexical.chars(units)
        return Seen(
            tuple(units),
            language,
            vectors,
            activities,
            chars,
            self.lexical.bm25_query(units, [language] * len(units)),
            self.works.likeliest(vectors),
        )

    def compare(self, seen: Seen, index: OfferIndex) -> NDArray[np.float32]:
        """Signals of the pieces of one need against all offers.

        Returns:
            (signals, units, rows of the index), signals in the order of
            :data:`matcher.fusion.SIGNALS`.
        """
        found = np.empty((len(SIGNALS), len(seen.units), len(index.texts)), dtype=np.float32)
        # This way round: BLAS takes twice as long for a few rows times a transposed matrix.
        found[0] = (index.vectors @ seen.vectors.T).T
        for row in range(len(seen.units)):
            found[1, row] = index.chars.score(*pick(seen.chars, row))
            found[2, row] = index.bm25.score(*pick(seen.stems, row))
            found[5, row] = index.works.score(*pick(seen.works, row))
        work = seen.activities.copy()
        work[:, self.none] = 0
        work[work < FLOOR] = 0  # each piece by itself: what the others speak of changes nothing
        spoken = np.flatnonzero(work.any(axis=0))
        np.matmul(work[:, spoken], index.activities[spoken], out=found[3])
        np.matmul(work[:, spoken], index.near[spoken], out=found[4])
        for which in (3, 5):
            np.log1p(found[which] / FLOOR, out=found[which])
        return found


def _parts(text: str, whole: str) -> list[str]:
    """The sentences of an offer that has several; none for a single line."""
    found = [one_line(part) for part in split_sentences(clean(text))]
    parts = list(dict.fromkeys(part for part in found if len(part.split()) >= SHORTEST_PART))
    return parts[:MOST_PARTS] if len(parts) > 1 and whole else []


def near_matrix(activities: Activities, codes: Sequence[str]) -> NDArray[np.float32]:
    """(codes, codes) 1 where two activities are near each other by the taxonomy, both ways."""
    place = {code: row for row, code in enumerate(codes)}
    near = np.zeros((len(codes), len(codes)), dtype=np.float32)
    for activity in activities.all:
        for other in activity.near:
            if activity.code in place and other in place:
                near[place[activity.code], place[other]] = 1
                near[place[other], place[activity.code]] = 1
    return near
