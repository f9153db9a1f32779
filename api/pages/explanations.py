"""Why an offer matched, for people: both texts with the words that carried it, and the signals."""

from dataclasses import dataclass

from api.runtime import Runtime
from api.services.matching import Match
from matcher.explain import explain, word_spans
from matcher.text import normalise
from models import Need
from models.need import StepSource

Piece = tuple[str, bool]  # text, and whether it carried the match
LEAST_SHARE = 0.005  # a signal below half a percent said nothing


@dataclass(frozen=True)
class Explained:
    """What a page shows of a match; `signals` holds (signal, share), the strongest first."""

    step: tuple[Piece, ...]
    offer: tuple[Piece, ...]
    pairs: tuple[tuple[str, str], ...]
    signals: tuple[tuple[str, float], ...]
    probability: float


def of_match(runtime: Runtime, need: Need, match: Match) -> Explained | None:
    """The match of a company in words; None when it has no offer. Needs `steps` loaded.

    When the coordinator corrected the steps, the step that fits best is explained, else the
    firm's own text.
    """
    if not match.offer_text:
        return None
    text, offer = need.text, match.offer_text
    if match.steps and any(step.source is StepSource.CORRECTED for step in need.steps):
        best = max(match.steps, key=lambda step: step.probability)
        text, offer = best.text, best.offer_text
    found = explain(runtime.ranker, text, offer)
    shares = sorted(found.shares.items(), key=lambda each: -each[1])
    return Explained(
        step=marked(found.step, [word for word, _ in found.need_words]),
        offer=marked(offer, [word for word, _ in found.offer_words]),
        pairs=tuple((a, b) for a, b, _ in found.pairs if normalise(a) != normalise(b)),
        signals=tuple(each for each in shares if each[1] >= LEAST_SHARE),
        probability=found.probability,
    )


def marked(text: str, words: list[str]) -> tuple[Piece, ...]:
    """The text in pieces; those that are one of the words are marked. Nothing gets lost."""
    wanted = {normalise(word) for word in words}
    pieces: list[Piece] = []
    end = 0
    for word, start, stop in word_spans(text):
        if normalise(word) in wanted:
            pieces += [(text[end:start], False), (word, True)]
            end = stop
    return tuple(piece for piece in [*pieces, (text[end:], False)] if piece[0])
