"""Reads a need: its language, its pieces of work, and whether it is work for anyone here at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.classify import NONE
from matcher.signals import Seen, Signals, one_line
from matcher.steps import Piece, split_pieces, without_asking
from matcher.text import Language, detect_language

MOST_STEPS = 12
SHOWN_ACTIVITIES = 5
FIT_ACTIVITIES = 3
LEAST_STEP = 0.6  # probability of its activity from which a piece of text is a step
LEAST_WHOLE = 1e-3  # what the whole text leaves to an activity it does not speak of
LONG, BORROWED = 40, 0.4
"""Words from which the whole text weighs fully on its pieces, and how far it does on verbs."""
SURE, MOST_UNASKED = 0.8, 3
"""From which probability of its activity work that is not asked is told, and how much of it."""


@dataclass(frozen=True, slots=True)
class ReadStep:
    """One piece of work found in a need; activities most probable first."""

    text: str
    activities: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Reading:
    """What the matcher understood of a need.

    ``fit`` is the probability that this is work a sheltered-work company does at all. ``seen`` is
    what ranking needs: a row for the whole text, then one per step where there are several.
    """

    text: str
    language: Language
    steps: tuple[ReadStep, ...]
    fit: float
    unasked: tuple[ReadStep, ...]
    """Work the text speaks of but does not ask for: done by the firm, or only told of."""
    seen: Seen = field(repr=False)


class _Units(NamedTuple):
    """Texts with their vectors and activity probabilities, row by row."""

    units: list[str]
    vectors: NDArray[np.float32]
    activities: NDArray[np.float32]


class Reader:
    """Reads needs with the encoder and the classifier of some signals."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._codes = signals.classifier.codes

    def read(self, text: str) -> Reading:
        """What a need says: language, pieces of work, activities, and whether it is work at all."""
        pieces = split_pieces(text)
        asked = [piece for piece in pieces if not piece.declined][: 4 * MOST_STEPS]
        declined = [piece for piece in pieces if piece.declined] if asked else []
        whole = one_line(text)
        for piece in declined:
            whole = one_line(whole.replace(piece.text, " "))
        units = [whole, *(piece.whole for piece in asked if len(asked) > 1)]
        vectors = self._signals.encoder.encode(units)
        alone = self._alone(asked, units, vectors)
        found = alone.copy()
        # The longer a text, the more of it is not the work asked: every piece is read in the light
        # of the whole, as a product of both. A verb with a borrowed thing is nearly always work.
        light = min(1.0, len(whole.split()) / LONG)
        for row, piece in enumerate(asked[: len(units) - 1], 1):
            seen = found[row] * (found[0] + LEAST_WHOLE) ** (
                light * (BORROWED if piece.thing else 1)
            )
            found[row] = seen / seen.sum()
        lending = {row for row, piece in enumerate(asked, 1) if piece.lends}
        steps = self._join(units, vectors, found, lending)
        language = detect_language(whole)
        rows = [0, *(range(1, len(steps.units)) if len(steps.units) > 2 else [])]
        read = tuple(
            self._step(unit, probabilities)
            for unit, probabilities in zip(steps.units[1:], steps.activities[1:], strict=True)
        )
        return Reading(
            text=text,
            language=language,
            steps=read,
            unasked=self._unasked(read, [*units[1:], *(piece.text for piece in declined)], alone),
            fit=self._fit(whole),
            seen=self._signals.see(
                [steps.units[row] for row in rows],
                language,
                steps.vectors[rows],
                steps.activities[rows],
            ),
        )

    def _alone(
        self, pieces: Sequence[Piece], units: list[str], vectors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Activities of the whole text and of each piece by itself.

        A piece with a borrowed thing is read twice, with it and without: "ophalen" stays transport
        whatever is fetched, "herstellen" becomes the repair of that thing. The geometric mean of
        both readings gives each its say.
        """
        found = self._signals.activities(units, vectors)
        rows = [row for row, piece in enumerate(pieces, 1) if piece.thing and len(units) > 1]
        if rows:
            verbs = [pieces[row - 1].verbs for row in rows]
            bare = self._signals.activities(verbs, self._signals.encoder.encode(verbs))
            both = np.sqrt(found[rows] * bare)
            found[rows] = both / both.sum(axis=1, keepdims=True)
        return found

    def _unasked(
        self, asked: Sequence[ReadStep], units: Sequence[str], alone: NDArray[np.float32]
    ) -> tuple[ReadStep, ...]:
        """Work the text speaks of that is none of its steps: perhaps work for a company too."""
        if len(units) >= len(alone):
            late = list(units[len(alone) - 1 :])
            read = self._signals.activities(late, self._signals.encoder.encode(late))
            alone = np.concatenate([alone, read])
        known = {step.activities[0][0] for step in asked}
        found: dict[str, ReadStep] = {}
        for unit, probabilities in zip(units, alone[1:], strict=True):
            best = int(probabilities.argmax())
            code = self._codes[best]
            if best != self._signals.none and probabilities[best] >= SURE and code not in known:
                found.setdefault(code, self._step(unit, probabilities))
        return tuple(found.values())[:MOST_UNASKED]

    def _fit(self, whole: str) -> float:
        """How surely a text is work: its likeliest activities against no work at all.

        Many activities with a little each, as for meaningless text, speak for none of them.
        """
        asked = without_asking(whole)
        found = self._signals.activities([asked], self._signals.encoder.encode([asked]))[0]
        none = found[self._signals.none]
        work = np.sort(np.delete(found, self._signals.none))[-FIT_ACTIVITIES:].sum()
        return float(work / (work + none))

    def _join(
        self,
        units: list[str],
        vectors: NDArray[np.float32],
        found: NDArray[np.float32],
        lending: set[int],
    ) -> "_Units":
        """The whole text, then its steps: neighbouring pieces of one activity become one step.

        A piece is work when its most probable activity is one, and surely enough; one that only
        lends its thing (rows of ``lending``) is not, where another piece is that work.
        """
        best = found.argmax(axis=1)
        work = (best != self._signals.none) & (found.max(axis=1) >= LEAST_STEP)
        done = {
            int(best[row]) for row in np.flatnonzero(work).tolist() if row and row not in lending
        }
        for row in lending & set(range(len(units))):
            work[row] &= int(best[row]) not in done
        groups: list[list[int]] = []
        for row in range(1, len(units)):
            if not work[row]:
                continue
            if groups and best[groups[-1][-1]] == best[row]:
                groups[-1].append(row)
            else:
                groups.append([row])
        if not groups and vectors[0].any():
            groups = [[0]]  # nothing stands out: the text is read as one piece
        groups = groups[:MOST_STEPS]
        joined = [", ".join(units[row] for row in group) for group in groups]
        sums = np.array([vectors[group].sum(axis=0) for group in groups], dtype=np.float32)
        sums = sums.reshape(len(groups), vectors.shape[1])
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        means = np.array([found[group].mean(axis=0) for group in groups], dtype=np.float32)
        means = means.reshape(len(groups), found.shape[1])
        return _Units(
            [units[0], *joined],
            np.concatenate([vectors[:1], sums / np.where(norms > 0, norms, 1)]),
            np.concatenate([found[:1], means]),
        )

    def read_steps(self, text: str, steps: Sequence[tuple[str, Sequence[str]]]) -> Reading:
        """The reading of a need whose steps a person has corrected.

        Args:
            steps: text and activity codes of each step; codes a person gave replace the
                classifier's, no codes leave its reading.

        Raises:
            ValueError: an activity code is unknown to the classifier.
        """
        whole = one_line(text)
        units = [whole, *(one_line(step) for step, _ in steps)]
        vectors = self._signals.encoder.encode(units)
        found = self._signals.activities(units, vectors)
        for row, (_, codes) in enumerate(steps, start=1):
            if codes:
                found[row] = 0
                found[row, [self._codes.index(code) for code in codes]] = 1 / len(codes)
        # The whole text must not bring back what the person has put right.
        found[0] = found[1:].mean(axis=0) if steps else found[0]
        language = detect_language(whole)
        return Reading(
            text=text,
            language=language,
            steps=tuple(self._step(units[row], found[row]) for row in range(1, len(units))),
            fit=1.0 if steps else 0.0,
            unasked=(),
            seen=self._signals.see(units, language, vectors, found),
        )

    def _step(self, text: str, probabilities: NDArray[np.float32]) -> ReadStep:
        codes = self._codes
        best = [row for row in np.argsort(-probabilities, kind="stable") if codes[row] != NONE]
        return ReadStep(
            text,
            tuple((codes[row], float(probabilities[row])) for row in best[:SHOWN_ACTIVITIES]),
        )
