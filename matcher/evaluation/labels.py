"""Job-title sets: one row of figures per system, and the proof that the published rows come out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.baselines import Okapi, Rows, System, TfIdf
from matcher.evaluation.metrics import LABEL_MEASURES
from matcher.evaluation.testsets import LabelSet
from matcher.lexical import Postings, pick
from matcher.ranking import Ranker
from matcher.signals import one_line

KEPT = 100  # published MELO runs keep the best 100
TOLERANCE = 0.01
PUBLISHED_AS = {
    "MRR": "recip_rank",
    "hit@1": "success_1",
    "hit@5": "success_5",
    "hit@10": "success_10",
    "recall@10": "recall_10",
    "recall@20": "recall_20",
}
HARNESS: dict[str, Callable[[], System]] = {
    "word_tf_idf": TfIdf,
    "char_tf_idf": lambda: TfIdf("char", (1, 3)),
    "bm25": Okapi,
}
"""Published lexical rows that are made again, by the name they were published under."""
JOB_TITLES_KNOWN = {
    "char 3-5 TF-IDF": {"MAP": 0.286, "MRR": 0.715},
    "word TF-IDF": {"MAP": 0.166, "MRR": 0.617},
}
"""Rows known for job-title similarity in Dutch."""


@dataclass(frozen=True, slots=True)
class HarnessCheck:
    """One published row made again; ``worst`` is the largest difference among its figures."""

    system: str
    set_name: str
    figures: str
    worst: float

    @property
    def ok(self) -> bool:
        """Whether every figure lies within :data:`TOLERANCE` of the published one."""
        return self.worst <= TOLERANCE


def figures(system: System, labels: LabelSet, kept: int | None = KEPT) -> dict[str, float]:
    """Means over the queries of every figure in :data:`matcher.evaluation.metrics.LABEL_MEASURES`.

    Args:
        kept: how many places of each list count; None for all (MAP wants the whole list).
    """
    collected: dict[str, list[float]] = {name: [] for name in LABEL_MEASURES}
    rows = system.scores(labels.queries, labels.documents)
    for scores, relevant in zip(rows, labels.relevant, strict=True):
        found = np.isin(ordered(scores, labels.id_order, kept), relevant)
        for name, measure in LABEL_MEASURES.items():
            collected[name].append(measure(found, len(relevant)))
    return {name: float(np.nanmean(values)) for name, values in collected.items()}


def ordered(
    scores: NDArray[np.floating], id_order: NDArray[np.int64], kept: int | None
) -> NDArray[np.int64]:
    """Rows of documents, best first, as trec_eval orders them.

    The list is cut first (equal scores in order of the file), then read with five decimals, and
    equal scores there go by higher document id.
    """
    cut = np.argsort(-scores, kind="stable")[:kept]
    return np.asarray(cut[np.lexsort((-id_order[cut], -np.round(scores[cut], 5)))])


class Ours:
    """Our encoder and lexical signals on labels, weighed as the shipped fusion weighs them.

    Labels carry no steps and no activity of ours, so the activity signals stay out. Nothing is
    fitted on the sets.
    """

    def __init__(self, ranker: Ranker, dense: System, labels: LabelSet) -> None:
        self.ranker, self.dense, self.labels = ranker, dense, labels

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        """See :class:`matcher.evaluation.baselines.System`."""
        lexical = self.ranker.signals.lexical
        asked = [one_line(text) for text in queries]
        held = [one_line(text) for text in documents]
        from_, to = self.labels.query_lang, self.labels.document_lang
        weight = self.ranker.fusion.weights[f"{from_}-{to}"]
        chars = Postings(lexical.chars(held))
        bm25 = Postings(lexical.bm25(held, [to] * len(held)))
        asked_chars = lexical.chars(asked)
        asked_stems = lexical.bm25_query(asked, [from_] * len(asked))
        for row, similar in enumerate(self.dense.scores(asked, held)):
            yield (
                weight[0] * similar
                + weight[1] * chars.score(*pick(asked_chars, row))
                + weight[2] * bm25.score(*pick(asked_stems, row))
            ).astype(np.float32)


def check_published(
    labels: Sequence[LabelSet], rows: Mapping[tuple[str, str], Mapping[str, float]]
) -> list[HarnessCheck]:
    """Make the published lexical rows again on every given MELO set."""
    return [
        _compare(
            name,
            each.name,
            figures(make(), each),
            {ours: rows[name, each.name][theirs] for ours, theirs in PUBLISHED_AS.items()},
        )
        for each in labels
        for name, make in HARNESS.items()
    ]


def check_job_titles(found: Mapping[str, Mapping[str, float]]) -> list[HarnessCheck]:
    """Compare figures by system with the rows known for job-title similarity."""
    return [
        _compare(name, "job titles nl", found[name], known)
        for name, known in JOB_TITLES_KNOWN.items()
    ]


def _compare(
    system: str, set_name: str, found: Mapping[str, float], known: Mapping[str, float]
) -> HarnessCheck:
    shown = ", ".join(
        f"{name} {found[name]:.4f} ({known[name]:.4f})"
        for name in ("MRR", "hit@10", "MAP")
        if name in known
    )
    worst = max(abs(found[name] - known[name]) for name in known)
    return HarnessCheck(system, set_name, shown, worst)
