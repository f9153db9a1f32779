"""Why an offer matched a need: the words on both sides that carried it, and each signal's share.

A text's vector is the mean of its token vectors, so the similarity of two texts is exactly a sum
over pairs of tokens; a word's weight is the sum over its tokens. With a configured transformer
no such sum exists, and a word's weight is what the similarity loses when the word is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import Encoder, StaticEncoder
from matcher.ranking import Ranker
from matcher.signals import OfferLine
from matcher.text import FUNCTION_WORDS, WORD, detect_language, normalise

MOST_WORDS = 8
MOST_PAIRS = 6


@dataclass(frozen=True)
class Explanation:
    """What carried the match of one need, or one step of it, and one offer.

    Weights are parts of the similarity (they sum to it over all words, also those not listed);
    ``shares`` sum to 1 over the signals that spoke for the match, or are all 0 when none did.
    """

    step: str
    """The piece of the need that matched best; the whole need when it has one piece."""
    need_words: tuple[tuple[str, float], ...]
    offer_words: tuple[tuple[str, float], ...]
    pairs: tuple[tuple[str, str, float], ...]
    shares: dict[str, float]
    similarity: float
    probability: float


def word_spans(text: str) -> list[tuple[str, int, int]]:
    """Words of a text with where they begin and end."""
    return [(match.group(), match.start(), match.end()) for match in WORD.finditer(text)]


def word_vectors(encoder: StaticEncoder, text: str) -> tuple[list[str], NDArray[np.float32]]:
    """Per word its part of the text's vector: all rows add up to the unit vector."""
    spans = word_spans(text)
    rows = np.zeros((len(spans), encoder.dimension), dtype=np.float32)
    if not spans:
        return [], rows
    tokens = encoder.token_spans(text)
    vectors = encoder.tokens.rows(np.array([token for token, _ in tokens], dtype=np.int64))
    begins = np.array([begin for _, begin, _ in spans])
    for (_, (start, end)), vector in zip(tokens, vectors, strict=True):
        # A piece may begin with the space before its word: its middle tells the word.
        place = int(np.searchsorted(begins, (start + end) / 2, side="right")) - 1
        rows[max(place, 0)] += vector / len(tokens)
    found = [word for word, _, _ in spans]
    picked, counts = encoder.gram_rows(found)
    if len(picked):
        grams = encoder.grams.rows(picked) / len(picked)
        np.add.at(rows, np.repeat(np.arange(len(found)), counts), grams)
    length = float(np.linalg.norm(rows.sum(axis=0)))
    return found, rows / (length or 1.0)


def _left_out(encoder: Encoder, text: str, other: NDArray[np.float32]) -> list[tuple[str, float]]:
    spans = word_spans(text)
    without = [text[:start] + " " + text[end:] for _, start, end in spans]
    lost = float(encoder.encode([text])[0] @ other) - encoder.encode(without) @ other
    return [(word, float(loss)) for (word, _, _), loss in zip(spans, lost, strict=True)]


def _strongest(
    weighted: list[tuple[str, float]], skip: frozenset[str]
) -> tuple[tuple[str, float], ...]:
    summed: dict[str, float] = {}
    shown: dict[str, str] = {}
    for word, weight in weighted:
        key = normalise(word)
        if key not in skip:
            summed[key] = summed.get(key, 0.0) + weight
            shown.setdefault(key, word)
    best = sorted(summed.items(), key=lambda item: (-item[1], item[0]))
    return tuple((shown[key], weight) for key, weight in best[:MOST_WORDS] if weight > 0)


def explain(ranker: Ranker, need_text: str, offer_text: str) -> Explanation:
    """Explain one need and one offer; needs no index, scores depend on the two texts alone.

    Of an offer of several sentences the one that carried the match is explained.
    """
    index = ranker.index([OfferLine("offer", offer_text)])
    ranking = ranker.rank(need_text, index)
    reading, unit = ranking.reading, 0
    if len(ranking.step_probabilities) > 1:
        unit = 1 + int(ranking.step_probabilities[:, 0].argmax())
    row = int(ranker.row_scores(reading, index)[unit].argmax())
    step, offer = reading.seen.units[unit], index.texts[row]
    skip_need = FUNCTION_WORDS[reading.language]
    skip_offer = FUNCTION_WORDS[detect_language(offer)]
    encoder = ranker.encoder
    pairs: tuple[tuple[str, str, float], ...] = ()
    if isinstance(encoder, StaticEncoder):
        left, a = word_vectors(encoder, step)
        right, b = word_vectors(encoder, offer)
        table = a @ b.T
        need_words = list(zip(left, table.sum(axis=1).tolist(), strict=True))
        offer_words = list(zip(right, table.sum(axis=0).tolist(), strict=True))
        found = [
            (left[row], right[column], float(table[row, column]))
            for row, column in zip(*np.nonzero(table > 0), strict=True)
            if normalise(left[row]) not in skip_need and normalise(right[column]) not in skip_offer
        ]
        pairs = tuple(sorted(found, key=lambda pair: (-pair[2], pair[:2]))[:MOST_PAIRS])
    else:
        need_words = _left_out(encoder, step, index.vectors[row])
        offer_words = _left_out(encoder, offer, reading.seen.vectors[unit])
    return Explanation(
        step=step,
        need_words=_strongest(need_words, skip_need),
        offer_words=_strongest(offer_words, skip_offer),
        pairs=pairs,
        shares=ranker.shares(reading, index, unit, row),
        similarity=float(reading.seen.vectors[unit] @ index.vectors[row]),
        probability=float(ranking.probability[0]),
    )
