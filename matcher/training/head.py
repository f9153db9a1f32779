"""Classifier, fusion weights and calibration for one encoder, from our own blocks.

Everything the fusion and the calibration learn comes from blocks that were held out: of each fold
the encoder and the classifier saw the other folds only, so a signal is never trusted more than it
deserves on new work.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from matcher.activities import Activities
from matcher.classify import NONE, ActivityClassifier
from matcher.encoder import Encoder
from matcher.fusion import PAIRS, SIGNALS, Fusion
from matcher.lexical import BUCKETS, Lexical
from matcher.signals import OfferIndex, OfferLine, Signals, one_line
from matcher.text import LANGUAGES, Language
from matcher.training.lexicon import read_lexicon
from matcher.training.own_texts import Block, Text

SAME_ACTIVITY = 0.35  # how suitable other work of the same activity is, as a soft label
VECTOR_SHARE = 0.3  # of the classifier's logits; the n-grams have the rest
HARD, RANDOM = 30, 30  # offers of other activities taken per need


def labelled_texts(data: Path, blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """(cleaned text, activity code): own texts, near-misses, taxonomy and lexicon."""
    activities = Activities.load(data)
    found = [
        (one_line(text.text), text.activity)
        for block in blocks
        for text in [*block.texts, *block.misses]
    ]
    for activity in activities.all:
        found += [(activity.label(language), activity.code) for language in LANGUAGES]
        found.append((activity.about, activity.code))
    found += [
        (word, code)
        for concept in read_lexicon(data)
        for code in concept.activities
        for word in concept.all_words
    ]
    known = {activity.code for activity in activities.all} | {NONE}
    return [(text, code) for text, code in found if code in known]


def fit_classifier(
    encoder: Encoder,
    lexical: Lexical,
    labelled: Sequence[tuple[str, str]],
    vector_share: float = VECTOR_SHARE,
) -> ActivityClassifier:
    """Two logistic regressions, on vectors and on character n-grams, mixed into one linear model.

    They are fitted apart because the encoder has seen these very texts: fitted together, the
    vectors would look better than they are on a new text and get all the weight.
    """
    texts, codes = [text for text, _ in labelled], [code for _, code in labelled]
    if NONE not in codes:
        raise ValueError("the training texts hold nothing that is no work (not:none)")
    dense = LogisticRegression(C=5.0, max_iter=200)
    dense.fit(encoder.encode(texts), codes)
    chars = lexical.chars(texts)
    sparse = csr_matrix((chars.weights, (chars.rows, chars.buckets)), (len(texts), BUCKETS))
    grams = LogisticRegression(C=30.0, max_iter=40)
    with warnings.catch_warnings():  # stopped early on purpose: more steps only fit the noise
        warnings.simplefilter("ignore", ConvergenceWarning)
        grams.fit(sparse, codes)
    return ActivityClassifier.of(
        [str(code) for code in dense.classes_],
        np.asarray(dense.coef_.T * vector_share, dtype=np.float32),
        np.asarray(grams.coef_.T * (1 - vector_share), dtype=np.float32),
        np.asarray(
            dense.intercept_ * vector_share + grams.intercept_ * (1 - vector_share),
            dtype=np.float32,
        ),
        encoder.identity,
    )


@dataclass(frozen=True)
class JudgedPairs:
    """Signals of judged pairs: one row per pair."""

    signals: NDArray[np.float32]
    label: NDArray[np.float32]
    """1 same work, :data:`SAME_ACTIVITY` other work of the activity, 0 anything else."""
    pair: NDArray[np.str_]
    need: NDArray[np.int64]
    weight: NDArray[np.float32]
    """How many pairs the row stands for: others than the hardest are a sample."""


def held_out_pairs(signals: Signals, blocks: Sequence[Block], seed: int = 7) -> JudgedPairs:
    """Needs against offers of held-out blocks: all of the activity, and hard and random others."""
    rng = np.random.default_rng(seed)
    offers = [(block, text) for block in blocks for text in block.offers]
    index = signals.index([OfferLine(str(row), text.text) for row, (_, text) in enumerate(offers)])
    owner = np.array([id(block) for block, _ in offers])
    activity = np.array([block.activity for block, _ in offers])
    language = np.array([text.language for _, text in offers])
    parts: list[NDArray[np.float32]] = []
    labels, pairs, weights = [], [], []
    needs: list[NDArray[np.int64]] = []
    for block in blocks:
        for text in block.needs if block.offers else []:
            found = _one_need(signals, text, index)
            mine = activity == block.activity
            others = np.flatnonzero(~mine)
            order = others[np.argsort(-found[others, 0])]
            rest = order[HARD:]
            drawn = rng.choice(rest, min(RANDOM, len(rest)), replace=False)
            rows = np.concatenate([np.flatnonzero(mine), order[:HARD], drawn])
            weight = np.ones(len(rows), dtype=np.float32)
            weight[len(rows) - len(drawn) :] = len(rest) / max(1, len(drawn))
            weights.append(weight)
            parts.append(found[rows])
            labels.append(np.where(owner[rows] == id(block), 1.0, mine[rows] * SAME_ACTIVITY))
            pairs.append(np.char.add(f"{text.language}-", language[rows]))
            needs.append(np.full(len(rows), len(needs)))
    return JudgedPairs(
        np.concatenate(parts),
        np.concatenate(labels).astype(np.float32),
        np.concatenate(pairs),
        np.concatenate(needs),
        np.concatenate(weights),
    )


def _one_need(signals: Signals, text: Text, index: OfferIndex) -> NDArray[np.float32]:
    cleaned = one_line(text.text)
    vectors = signals.encoder.encode([cleaned])
    found = signals.activities([cleaned], vectors)
    language: Language = text.language  # type: ignore[assignment]
    compared: NDArray[np.float32] = signals.compare([cleaned], language, vectors, found, index)[0]
    return compared


def fit_fusion(judged: Sequence[JudgedPairs], identity: str) -> Fusion:
    """Logistic regression per language pair on soft labels, drawn towards one over all pairs.

    A pair of languages with few judged pairs leans on the regression over its kind (same language
    or across), which is given to it as a start through a shared part of the features.
    """
    signals = np.concatenate([part.signals for part in judged])
    label = np.concatenate([part.label for part in judged])
    pair = np.concatenate([part.pair for part in judged])
    weight = np.concatenate([part.weight for part in judged])
    scale = signals.std(axis=0) + 1e-6
    weights: dict[str, tuple[float, ...]] = {}
    bias: dict[str, float] = {}
    for name in PAIRS:
        need, offer = name.split("-")
        same = need == offer
        related = np.array([(p[:2] == p[3:]) == same for p in np.unique(pair)])
        kin = np.isin(pair, np.unique(pair)[related])
        if not kin.any():
            kin = np.ones(len(pair), dtype=bool)
        mine = pair[kin] == name
        share = np.where(mine, 1.0, 0.1) * weight[kin]
        x, y = signals[kin] / scale, label[kin]
        model = LogisticRegression(C=1.0, max_iter=500)
        model.fit(
            np.concatenate([x, x]),
            np.concatenate([np.ones(len(x)), np.zeros(len(x))]),
            sample_weight=np.concatenate([share * y, share * (1 - y)]),
        )
        weights[name] = tuple(float(v) for v in model.coef_[0] / scale)
        bias[name] = float(model.intercept_[0])
    assert len(SIGNALS) == signals.shape[1]
    return Fusion(weights, bias, identity)
