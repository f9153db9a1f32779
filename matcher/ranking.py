"""Ranks offers for a need: reads the need, scores every piece of work against every offer line.

Nothing about a company enters a score: not its size, name, place, age, clicks or past answers.
The score of a need and an offer depends on their two texts alone, so neither the other offers nor
their order can change it; equal scores are ordered by offer id.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.activities import Activities
from matcher.calibration import Judged, Threshold
from matcher.classify import NONE, ActivityClassifier
from matcher.encoder import Encoder, EncoderError, load_encoder
from matcher.fusion import Fusion
from matcher.lexical import Lexical
from matcher.signals import OfferIndex, OfferLine, Signals, one_line
from matcher.text import Language, detect_language, split_steps, without_asking
from matcher.works import Works

DATA = Path(__file__).resolve().parent.parent / "data"
FILES = (
    "lexical.npz",
    "words.txt",
    "classifier.npz",
    "grams.npy",
    "works.npz",
    "fusion.json",
    "calibration.json",
)
MOST_STEPS = 12
SHOWN_ACTIVITIES = 5
FIT_ACTIVITIES = 3
LEAST_STEP = 0.3  # probability of its activity from which a piece of text is a step
STEP_SHARE, STEP_COST = 0.7, 1.0
"""An offer that does one of several steps: its best step has this share of the score, the rest is
the whole text's, and it must beat the whole text by this much to be lifted by the step alone."""


@dataclass(frozen=True, slots=True)
class ReadStep:
    """One piece of work found in a need; activities most probable first."""

    text: str
    activities: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Reading:
    """What the matcher understood of a need.

    ``fit`` is the probability that this is work a sheltered-work company does at all. The arrays
    are what ranking needs: one row for the whole text, then one per step.
    """

    text: str
    language: Language
    steps: tuple[ReadStep, ...]
    fit: float
    units: tuple[str, ...] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)
    activities: NDArray[np.float32] = field(repr=False)


class _Units(NamedTuple):
    """Texts with their vectors and activity probabilities, row by row."""

    units: list[str]
    vectors: NDArray[np.float32]
    activities: NDArray[np.float32]


@dataclass(frozen=True)
class CompanyMatch:
    """The best a company offers for a need."""

    company_id: str
    offer: OfferLine
    probability: float
    steps: tuple[tuple[OfferLine, float], ...]
    """Per step of the need: the company's best offer line and its probability."""


@dataclass(frozen=True)
class Ranking:
    """Scores of one need against all offers of an index; arrays follow ``offers``."""

    reading: Reading
    offers: tuple[OfferLine, ...]
    score: NDArray[np.float32]
    probability: NDArray[np.float32]
    step_probabilities: NDArray[np.float32]
    """(steps, offers)."""
    tie_order: NDArray[np.int64] = field(repr=False)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Rows of ``offers``, best first; equal scores by offer id."""
        return np.lexsort((self.tie_order, -self.score))

    def best_by_company(self) -> dict[str, CompanyMatch]:
        """Company id -> its best offer, in order of company id; offers without one are left out."""
        rows: dict[str, list[int]] = {}
        for row in self.order.tolist():
            company = self.offers[row].company_id
            if company is not None:
                rows.setdefault(company, []).append(row)
        found = {}
        for company in sorted(rows):
            mine = np.array(rows[company])
            steps = []
            for probabilities in self.step_probabilities:
                best = int(mine[np.argmax(probabilities[mine])])
                steps.append((self.offers[best], float(probabilities[best])))
            found[company] = CompanyMatch(
                company,
                self.offers[int(mine[0])],
                float(self.probability[mine].max()),
                tuple(steps),
            )
        return found


class Ranker:
    """Encoder, lexical signals, classifier, fusion and calibration that belong together."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        activities: Activities,
        lexical: Lexical,
        classifier: ActivityClassifier,
        works: Works,
        fusion: Fusion,
        judged: Judged,
    ) -> None:
        for part, identity in (
            ("activity classifier", classifier.identity),
            ("works", works.identity),
            ("fusion", fusion.identity),
            ("calibration", judged.calibration.identity),
        ):
            if identity != encoder.identity:
                raise EncoderError(
                    f"the {part} was made for encoder {identity}, not {encoder.identity}; "
                    "make its files with matcher.training.run.fit_ranking, or: maatmatch train"
                )
        self.encoder = encoder
        self.activities = activities
        self.classifier = classifier
        self.signals = Signals(encoder, activities, lexical, classifier, works)
        self.fusion = fusion
        self.judged = judged
        self.calibration = judged.calibration
        self.thresholds = judged.thresholds
        self.least_fit = judged.least_fit
        self.rests_on = judged.rests_on

    @classmethod
    def load(
        cls, data_dir: Path = DATA, encoder: Encoder | None = None, ranking: Path | None = None
    ) -> "Ranker":
        """Read everything that ranks from a data folder.

        Args:
            encoder: None for the one shipped in ``data_dir/encoder``.
            ranking: folder with classifier, fusion and calibration of that encoder;
                ``data_dir/ranking`` when None.

        Raises:
            EncoderError: files are missing or were made for another encoder.
        """
        encoder = encoder or load_encoder(data_dir / "encoder")
        folder = ranking or data_dir / "ranking"
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise EncoderError(
                f"{folder} lacks {', '.join(missing)}; make them with: maatmatch train"
            )
        return cls(
            encoder=encoder,
            activities=Activities.load(data_dir),
            lexical=Lexical.load(folder),
            classifier=ActivityClassifier.load(folder),
            works=Works.load(folder / "works.npz"),
            fusion=Fusion.load(folder / "fusion.json"),
            judged=Judged.load(folder / "calibration.json"),
        )

    def read(self, text: str) -> Reading:
        """What a need says: language, pieces of work, activities, and whether it is work at all."""
        whole = one_line(text)
        pieces = split_steps(text)[: 4 * MOST_STEPS]
        units = [whole, *(pieces if len(pieces) > 1 else [])]
        vectors = self.encoder.encode(units)
        found = self.signals.activities(units, vectors)
        steps = self._join(units, vectors, found)
        rows = [0, *(range(1, len(steps.units)) if len(units) > 1 else [])]
        return Reading(
            text=text,
            language=detect_language(whole),
            steps=tuple(
                self._step(unit, probabilities)
                for unit, probabilities in zip(steps.units[1:], steps.activities[1:], strict=True)
            ),
            fit=self._fit(whole),
            units=tuple(steps.units[row] for row in rows),
            vectors=steps.vectors[rows],
            activities=steps.activities[rows],
        )

    def _fit(self, whole: str) -> float:
        """How surely a text is work: its likeliest activities against no work at all.

        Many activities with a little each, as for meaningless text, speak for none of them.
        """
        asked = without_asking(whole)
        found = self.signals.activities([asked], self.encoder.encode([asked]))[0]
        none = found[self.signals.none]
        work = np.sort(np.delete(found, self.signals.none))[-FIT_ACTIVITIES:].sum()
        return float(work / (work + none))

    def _join(
        self, units: list[str], vectors: NDArray[np.float32], found: NDArray[np.float32]
    ) -> "_Units":
        """The whole text, then its steps: neighbouring pieces of one activity become one step.

        A piece is work when its most probable activity is one, and surely enough.
        """
        best = found.argmax(axis=1)
        work = (best != self.signals.none) & (found.max(axis=1) >= LEAST_STEP)
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
        vectors = self.encoder.encode(units)
        found = self.signals.activities(units, vectors)
        for row, (_, codes) in enumerate(steps, start=1):
            if codes:
                found[row] = 0
                found[row, [self.classifier.codes.index(code) for code in codes]] = 1 / len(codes)
        # The whole text must not bring back what the person has put right.
        found[0] = found[1:].mean(axis=0) if steps else found[0]
        return Reading(
            text=text,
            language=detect_language(whole),
            steps=tuple(self._step(units[row], found[row]) for row in range(1, len(units))),
            fit=1.0 if steps else 0.0,
            units=tuple(units),
            vectors=vectors,
            activities=found,
        )

    def recalibrated(self, judged: Judged) -> "Ranker":
        """The same ranking with another calibration; indexes made before stay good.

        Raises:
            EncoderError: the calibration was made for another encoder.
        """
        if judged.calibration.identity != self.encoder.identity:
            raise EncoderError(
                f"the calibration was made for encoder {judged.calibration.identity}, "
                f"not {self.encoder.identity}; run: maatmatch calibrate"
            )
        other = copy.copy(self)
        other.judged = judged
        other.calibration, other.thresholds = judged.calibration, judged.thresholds
        other.least_fit, other.rests_on = judged.least_fit, judged.rests_on
        return other

    def fits(self, reading: Reading) -> bool:
        """Whether there is any work in a need for a sheltered-work company."""
        return reading.fit >= self.least_fit

    def threshold_for(self, alpha: float) -> Threshold:
        """The threshold that keeps the expected share of suitable offers missed under alpha.

        Thresholds are made for :data:`matcher.calibration.ALPHAS`; the nearest one that promises
        no less is taken, or the strictest there is.
        """
        fitting = [each for each in self.thresholds if each.alpha <= alpha]
        return max(fitting or self.thresholds[:1], key=lambda each: each.alpha)

    def _step(self, text: str, probabilities: NDArray[np.float32]) -> ReadStep:
        codes = self.classifier.codes
        best = [row for row in np.argsort(-probabilities, kind="stable") if codes[row] != NONE]
        return ReadStep(
            text,
            tuple((codes[row], float(probabilities[row])) for row in best[:SHOWN_ACTIVITIES]),
        )

    def index(
        self, offers: Sequence[OfferLine], vectors: NDArray[np.float32] | None = None
    ) -> OfferIndex:
        """See :meth:`matcher.signals.Signals.index`."""
        return self.signals.index(offers, vectors)

    def encode_offers(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of offer texts, to be stored with :attr:`Encoder.identity`."""
        return self.encoder.encode([one_line(text) for text in texts])

    def rank(self, need: Reading | str, index: OfferIndex) -> Ranking:
        """Score a need against every offer of the index."""
        reading = self.read(need) if isinstance(need, str) else need
        signals = self.signals.compare(
            reading.units, reading.language, reading.vectors, reading.activities, index
        )
        weights = self.fusion.matrix(reading.language)[index.languages]
        logits = np.einsum("uof,of->uo", signals, weights[:, :-1]) + weights[:, -1]
        if not reading.vectors[0].any():
            logits = np.full_like(logits, -20.0)
        score = logits[0]
        if len(logits) > 2:
            lifted = STEP_SHARE * logits[1:].max(axis=0) + (1 - STEP_SHARE) * logits[0]
            score = np.maximum(score, lifted - STEP_COST)
        steps = logits[1:] if len(logits) > 1 else logits[: len(reading.steps)]
        return Ranking(
            reading=reading,
            offers=index.offers,
            score=score.astype(np.float32),
            probability=self.calibration.probability(score),
            step_probabilities=self.calibration.probability(steps),
            tie_order=index.tie_order,
        )

    def shares(self, reading: Reading, index: OfferIndex, offer: int = 0) -> list[dict[str, float]]:
        """Per unit of a reading, how much of the score of one offer each signal brought.

        Only what speaks for the match counts; the parts sum to 1, or all are 0.
        """
        signals = self.signals.compare(
            reading.units, reading.language, reading.vectors, reading.activities, index
        )[:, offer]
        weights = self.fusion.matrix(reading.language)[index.languages[offer], :-1]
        brought = np.maximum(signals * weights, 0)
        total = brought.sum(axis=1, keepdims=True)
        parts = brought / np.where(total > 0, total, 1)
        return [
            {
                "dense": float(row[0]),
                "chars": float(row[1]),
                "bm25": float(row[2]),
                "activity": float(row[3] + row[4] + row[5]),
            }
            for row in parts
        ]
