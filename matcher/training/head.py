"""Activity classifier and work prototypes for one encoder, from our own texts."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from matcher.activities import Activities
from matcher.classify import NONE, ActivityClassifier
from matcher.encoder import Encoder
from matcher.lexical import BUCKETS, Lexical
from matcher.signals import one_line
from matcher.text import LANGUAGES
from matcher.training.lexicon import read_lexicon
from matcher.training.own_texts import Block
from matcher.works import Works

VECTOR_SHARE = 0.3  # of the classifier's logits; the n-grams have the rest


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


def _fit_grams(lexical: Lexical, texts: list[str], codes: list[str]) -> LogisticRegression:
    chars = lexical.chars(texts)
    sparse = csr_matrix((chars.weights, (chars.rows, chars.buckets)), (len(texts), BUCKETS))
    model = LogisticRegression(C=30.0, max_iter=40)
    with warnings.catch_warnings():  # stopped early on purpose: more steps only fit the noise
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(sparse, codes)
    return model


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
    grams = _fit_grams(lexical, texts, codes)
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


def fit_works(encoder: Encoder, blocks: Sequence[Block]) -> Works:
    """A prototype for every block that describes work."""
    groups = [
        [one_line(text.text) for text in block.texts]
        for block in blocks
        if len(block.texts) > 1 and block.activity != NONE
    ]
    return Works.fit(encoder, groups)
