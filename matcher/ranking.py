"""Ranks offers for a need: scores every piece of work read in it against every offer line.

Nothing about a company enters a score: not its size, name, place, age, clicks or past answers.
The score of a need and an offer depends on their two texts alone, so neither the other offers nor
their order can change it; equal scores are ordered by offer id.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.activities import Activities
from matcher.calibration import Judged, Threshold
from matcher.classify import ActivityClassifier
from matcher.encoder import Encoder, EncoderError, load_encoder
from matcher.fusion import Fusion
from matcher.lexical import Lexical
from matcher.reading import Reader, Reading
from matcher.signals import OfferIndex, OfferLine, Signals, one_line
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
STEP_SHARE, STEP_COST = 0.5, 0.5
"""An offer that does one of several steps: its best step has this share of the score, the rest is
the whole text's, and it must beat the whole text by this much to be lifted by the step alone."""


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
        self._reader = Reader(self.signals)
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
        """See :meth:`matcher.reading.Reader.read`."""
        return self._reader.read(text)

    def read_steps(self, text: str, steps: Sequence[tuple[str, Sequence[str]]]) -> Reading:
        """See :meth:`matcher.reading.Reader.read_steps`."""
        return self._reader.read_steps(text, steps)

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
        rows = self.row_scores(reading, index)
        logits = np.maximum.reduceat(rows, index.starts, axis=1) if index.offers else rows
        if not reading.seen.vectors[0].any():
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

    def row_scores(self, reading: Reading, index: OfferIndex) -> NDArray[np.float32]:
        """(units, rows of the index) weighted sums of the signals; an offer has its best row's."""
        seen = reading.seen
        weights = self.fusion.matrix(seen.language)[index.languages].T.copy()
        logits = np.repeat(weights[-1:], len(seen.units), axis=0)
        for signal, weight in zip(self.signals.compare(seen, index), weights, strict=False):
            logits += signal * weight
        return logits

    def shares(self, reading: Reading, index: OfferIndex, unit: int, row: int) -> dict[str, float]:
        """How much of the score of a unit of a reading and a row of an index each signal brought.

        Only what speaks for the match counts; the parts sum to 1, or all are 0.
        """
        seen = reading.seen
        signals = self.signals.compare(seen, index)[:, unit, row]
        weights = self.fusion.matrix(seen.language)[index.languages[row], :-1]
        brought = np.maximum(signals * weights, 0)
        parts = brought / (brought.sum() or 1.0)
        return {
            "dense": float(parts[0]),
            "chars": float(parts[1]),
            "bm25": float(parts[2]),
            "activity": float(parts[3:6].sum()),
        }
