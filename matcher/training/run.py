"""The whole recipe: corpus and own texts in, a folder the ranker loads out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.activities import Activities
from matcher.calibration import ALPHAS, Judged, fit_calibration, risk_threshold
from matcher.encoder import Encoder, StaticEncoder, Table
from matcher.lexical import Lexical
from matcher.signals import Signals
from matcher.text import words
from matcher.training.corpus import PairGroups, read_pairs
from matcher.training.domain import DomainRecipe, train_domain
from matcher.training.head import JudgedPairs, fit_classifier, fit_fusion, held_out_pairs, labelled_texts
from matcher.training.own_texts import Block, read_blocks
from matcher.training.static import Progress, Recipe, train_vectors
from matcher.training.tokenizer import train_tokenizer


@dataclass(frozen=True)
class Plan:
    """Both stages and the number of folds held out to fit the fusion."""

    general: Recipe = field(default_factory=Recipe)
    domain: DomainRecipe = field(default_factory=DomainRecipe)
    folds: int = 3


def _silent(what: str, done: float) -> None:
    del what, done


def known_words(pairs: PairGroups, blocks: Sequence[Block], least: int = 3) -> frozenset[str]:
    """Dutch words seen often enough to be parts of compounds."""
    seen: dict[str, int] = {}
    texts = [t for name, group in pairs.items() if name.endswith(("nl", "nl-nl")) for _, t in group]
    texts += [text.text for block in blocks for text in block.texts if text.language == "nl"]
    for text in dict.fromkeys(texts):
        for word in words(text):
            if len(word) >= 4 and word.isalpha():
                seen[word] = seen.get(word, 0) + 1
    return frozenset(word for word, count in seen.items() if count >= least)


def train(
    corpus: Path,
    out: Path,
    progress: Progress = _silent,
    *,
    data: Path,
    plan: Plan | None = None,
) -> StaticEncoder:
    """Make the encoder and everything that goes with it.

    Args:
        corpus: folder with public classifications and parallel text
            (:mod:`matcher.training.corpus`).
        out: receives ``encoder/`` and ``ranking/``, as ``data/`` holds them.
        data: the project's data folder: taxonomy, own training texts.

    Raises:
        CorpusError, TrainingTextError: a file is missing or a line cannot be read.
    """
    plan = plan or Plan()
    pairs, blocks = read_pairs(corpus), read_blocks(data / "training")
    texts = list(
        dict.fromkeys(
            [t for group in pairs.values() for pair in group for t in pair]
            + [text.text for block in blocks for text in [*block.texts, *block.misses]] * 3
        )
    )
    progress("tokenizer", 0.0)
    tokenizer = train_tokenizer(texts, plan.general.vocabulary)
    general = train_vectors(tokenizer, pairs, plan.general, progress)
    ranking = out / "ranking"
    ranking.mkdir(parents=True, exist_ok=True)
    lexical = Lexical.fit(
        [text.text for block in blocks for text in block.texts], known_words(pairs, blocks)
    )
    lexical.save(ranking)

    def second_stage(folder: Path, part: Sequence[Block]) -> StaticEncoder:
        found = train_domain(tokenizer, general, part, pairs, plan.general, plan.domain, progress)
        tables = Table.of(found.tokens), Table.of(found.grams)
        encoder = StaticEncoder(tokenizer, *tables, found.hashes, "")
        encoder.save(folder, {"plan": asdict(plan)})
        return encoder

    held: list[tuple[Encoder, list[Block], list[Block]]] = []
    for fold in range(plan.folds):
        seen = [block for block in blocks if block.fold(plan.folds) != fold]
        kept = [block for block in blocks if block.fold(plan.folds) == fold]
        held.append((second_stage(out / f"fold-{fold}", seen), seen, kept))
    encoder = second_stage(out / "encoder", blocks)
    fit_head(encoder, held, blocks, lexical, data, ranking)
    return encoder


def fit_head(
    encoder: Encoder,
    held: Sequence[tuple[Encoder, list[Block], list[Block]]],
    blocks: Sequence[Block],
    lexical: Lexical,
    data: Path,
    ranking: Path,
) -> None:
    """Classifier, fusion and calibration for an encoder.

    Args:
        held: per fold an encoder that did not see its last list of blocks, the blocks seen, and
            those held out.
        ranking: receives the files.
    """
    activities = Activities.load(data)
    fit_classifier(encoder, lexical, labelled_texts(data, blocks)).save(ranking)
    judged: list[JudgedPairs] = []
    for part, seen, kept in held:
        signals = Signals(
            part, activities, lexical, fit_classifier(part, lexical, labelled_texts(data, seen))
        )
        judged.append(held_out_pairs(signals, kept))
    fusion = fit_fusion(judged, encoder.identity)
    fusion.save(ranking / "fusion.json")
    scores = [_score(fusion.weights, fusion.bias, part) for part in judged]
    score, label = np.concatenate(scores), np.concatenate([part.label for part in judged])
    need = np.concatenate([part.need + 1_000_000 * i for i, part in enumerate(judged)])
    calibration = fit_calibration(score, label == 1, encoder.identity)
    probability = calibration.probability(score)
    cuts = np.flatnonzero(np.diff(need)) + 1
    thresholds = tuple(
        risk_threshold(
            np.split(probability, cuts), np.split(label == 1, cuts), alpha, encoder.identity
        )
        for alpha in ALPHAS
    )
    Judged("held-out blocks of our own training texts", calibration, thresholds, 0.5).save(
        ranking / "calibration.json"
    )


def _score(
    weights: Mapping[str, tuple[float, ...]], bias: Mapping[str, float], judged: JudgedPairs
) -> NDArray[np.float64]:
    table = np.array([weights[name] for name in judged.pair])
    return np.asarray((judged.signals * table).sum(axis=1) + [bias[n] for n in judged.pair])
