"""The recipe on a tiny corpus, and the shipped encoder read two ways."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from matcher.calibration import (
    CalibrationError,
    fit_calibration,
    miss_rates,
    risk_threshold,
)
from matcher.encoder import SHIPPED, StaticEncoder, Table
from matcher.ranking import Ranker
from matcher.training.domain import DomainRecipe, train_domain
from matcher.training.own_texts import TrainingTextError, hold_out, read_blocks
from matcher.training.remembered import Remembered
from matcher.training.static import Recipe, train_vectors
from matcher.training.student import Vectors, gram_table
from matcher.training.tokenizer import prune_tokenizer, train_tokenizer

PAIRS = [
    ("fiets", "vélo"),
    ("wassen", "laver"),
    ("hout", "bois"),
    ("tuin", "jardin"),
    ("doos", "boîte"),
    ("strijken", "repasser"),
    ("kaars", "bougie"),
    ("brood", "pain"),
]


def silent(what: str, done: float) -> None:
    del what, done


def test_pairs_come_together(tmp_path: Path) -> None:
    pairs = [(f"{a} {n}", f"{b} {n}") for n in range(8) for a, b in PAIRS]
    tokenizer = train_tokenizer([t for pair in pairs for t in pair], 120)
    recipe = Recipe(dimension=16, matryoshka=(16, 8), epochs=30, batch=64)
    texts = [t for pair in pairs for t in pair]
    start = Vectors.untrained(tokenizer.get_vocab_size(), gram_table(texts, 50), 16, seed=7)
    vectors = train_vectors(tokenizer, start, {"x": pairs}, recipe, silent)
    small, kept = prune_tokenizer(tokenizer, texts, 100)
    (tmp_path / "a.tsv").write_text(
        "# een\nneed\tnl\tfiets kapot\noffer\tfr\tréparer un vélo\n"
        "# twee\nneed\tnl\tvuile was\noffer\tnl\twassen\nnot:none\tnl\tadvocaat\n",
        encoding="utf-8",
    )
    found = train_domain(
        small,
        vectors.of_tokens(kept),
        read_blocks(tmp_path),
        {},
        recipe,
        DomainRecipe(steps=5),
        silent,
    )
    tables = Table.of(found.tokens), Table.of(found.grams)
    StaticEncoder(small, *tables, found.hashes, "").save(tmp_path / "encoder", {})
    encoder = StaticEncoder.load(tmp_path / "encoder")
    rows = encoder.encode([word for pair in PAIRS for word in pair])
    alike = rows[::2] @ rows[1::2].T
    assert (alike.argmax(axis=1) == np.arange(len(PAIRS))).mean() >= 0.75
    assert len(encoder.identity) == 12


def test_rounding_to_four_bits_turns_no_mean_away() -> None:
    vectors = np.random.default_rng(3).normal(size=(400, 64)).astype(np.float32)
    vectors[5] = 0
    table = Table.of(vectors)
    assert table.packed().nbytes == vectors.size / 2
    again = Table.unpacked(table.packed(), table.scales)
    assert (again.values == table.values).all()
    assert not table.rows(np.array([5])).any()
    picked, counts = np.arange(400), np.array([150, 0, 250])
    pooled = table.pool(picked, counts)
    rows = table.rows(picked)
    assert pooled[0] == pytest.approx(rows[:150].mean(axis=0), abs=1e-5)
    assert not pooled[1].any()
    exact = vectors[150:].mean(axis=0)
    assert pooled[2] @ exact / np.linalg.norm(pooled[2]) / np.linalg.norm(exact) > 0.99


def test_sentence_transformers_reads_the_same_vectors() -> None:
    from sentence_transformers import SentenceTransformer

    from matcher.training.module import HybridStatic

    texts = [
        "vuile luiers ophalen",
        "repair bikes",
        "réparer des vélos",
        "zzqx",
        "kuisne van burelen",
    ]
    ours = StaticEncoder.load(SHIPPED).encode(texts)
    model = SentenceTransformer(modules=[HybridStatic.load(SHIPPED)], device="cpu")
    theirs = model.encode(texts, normalize_embeddings=True)
    assert np.abs(ours - theirs).max() < 1e-5


def test_shipped_encoder_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 16_000_000


def test_bad_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("# x\nneed\tnl\tgoed\nvraag\tnl\tfout\n", encoding="utf-8")
    with pytest.raises(TrainingTextError, match=r"a.tsv line 3: kind 'vraag'"):
        read_blocks(tmp_path)


def test_nothing_held_out_is_seen() -> None:
    blocks = read_blocks(SHIPPED.parent / "training")
    seen, kept = hold_out(blocks)
    known = {text.text for block in seen for text in block.texts}
    apart = {text.text for block in kept for text in block.texts}
    assert len(apart) > 1_000
    assert len(known & apart) < 0.01 * len(apart)  # a few short texts stand in two blocks


def test_probabilities_follow_the_share_that_suits() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=4_000)
    label = rng.random(4_000) < 1 / (1 + np.exp(-2 * score))
    for count, kind in ((500, "sigmoid"), (4_000, "isotonic")):
        fitted = fit_calibration(score[:count], label[:count], "x")
        assert fitted.kind == kind
        assert fitted.probability(1.0) == pytest.approx(0.88, abs=0.08)
        assert (np.diff(fitted.probability(np.linspace(-4, 4, 50))) >= 0).all()
    with pytest.raises(CalibrationError, match="at least"):
        fit_calibration(score[:5], label[:5], "x")


def test_threshold_keeps_its_promise_on_new_needs() -> None:
    rng = np.random.default_rng(1)

    def needs(count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        suits = [rng.random(40) < 0.15 for _ in range(count)]
        return [np.clip(rng.normal(0.3 + 0.4 * s, 0.15), 0, 1) for s in suits], suits

    missed = []
    for _ in range(20):
        threshold = risk_threshold(*needs(400), 0.1)
        assert threshold.refused is None
        found, suits = needs(400)
        missed.append(
            np.mean(
                [
                    (p[s] < threshold.value).mean()
                    for p, s in zip(found, suits, strict=True)
                    if s.any()
                ]
            )
        )
    assert np.mean(missed) <= 0.105
    few = risk_threshold(*needs(100), 0.1)
    assert few.refused is not None
    assert "300" in few.refused


def test_a_threshold_holds_for_every_hand_apart() -> None:
    rng = np.random.default_rng(2)

    def needs(count: int, centre: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
        suits = [rng.random(40) < 0.15 for _ in range(count)]
        return [np.clip(rng.normal(centre * s + 0.1, 0.15), 0, 1) for s in suits], suits

    easy, hard = needs(600, 0.8), needs(200, 0.5)
    both = [*easy[0], *hard[0]], [*easy[1], *hard[1]]
    together = risk_threshold(*both, 0.1)
    apart = risk_threshold(*both, 0.1, hands=[0] * 600 + [1] * 200)
    assert apart.value < together.value
    assert miss_rates(*hard, together.value).mean() > 0.1
    assert miss_rates(*hard, apart.value).mean() <= 0.1
    assert apart.n_needs == together.n_needs


def test_a_remembered_encoder_reads_a_text_once(ranker: Ranker) -> None:
    asked: list[str] = []

    class Counting:
        identity, dimension = ranker.encoder.identity, ranker.encoder.dimension

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            asked.extend(texts)
            return ranker.encoder.encode(texts)

    remembered = Remembered(Counting())
    assert remembered.encode([]).shape == (0, ranker.encoder.dimension)
    first = remembered.encode(["lakens", "fietsen", "lakens"])
    again = remembered.encode(["fietsen", "bekers"])
    assert asked == ["lakens", "fietsen", "bekers"]
    assert first[1] == pytest.approx(again[0])
    assert again[1] == pytest.approx(ranker.encoder.encode(["bekers"])[0], abs=1e-6)
