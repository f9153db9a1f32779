"""The benchmark: well formed, as large and as hard as promised, apart from the training texts."""

import csv
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from matcher.evaluation.testsets import Benchmark

DATA = Path(__file__).resolve().parents[2] / "data"
FOLDER = DATA / "benchmark"
TRAINING = DATA / "training"
STYLES = {"long": 40, "short": 110, "keyword": 60, "typo": 40, "multi-step": 50, "no-fit": 45}


def lines(name: str, folder: str = "benchmark") -> list[dict[str, Any]]:
    text = (DATA / folder / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def codes() -> set[str]:
    with (DATA / "activities.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"] for row in csv.DictReader(file)}


def judgements() -> list[tuple[str, str, int, int]]:
    with (FOLDER / "judgements.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [(r["need_id"], r["offer_id"], int(r["grade"]), int(r["step"])) for r in rows]


def normalised(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return " ".join(re.findall(r"\w+", letters))


def pieces(text: str) -> set[str]:
    """The whole text and each of its sentences of four words or more, normalised."""
    sentences = {normalised(each) for each in re.split(r"[.!?:;]+(?:\s|$)", text)}
    long_enough = {each for each in sentences if len(each.split()) >= 4}
    return (long_enough | {normalised(text)}) - {""}


NEEDS = lines("needs.jsonl")
OFFERS = lines("offers.jsonl")
JUDGEMENTS = judgements()


def test_ids_are_unique_and_texts_differ() -> None:
    for rows in (NEEDS, OFFERS):
        assert len({row["id"] for row in rows}) == len(rows)
        assert len({normalised(row["text"]) for row in rows}) == len(rows)
        assert all(row["text"] == row["text"].strip() != "" for row in rows)


def test_every_activity_is_asked_for_and_offered() -> None:
    assert {offer["activity"] for offer in OFFERS} == codes()
    assert {step["activity"] for need in NEEDS for step in need["steps"]} == codes()
    offered = Counter(offer["activity"] for offer in OFFERS)
    assert min(offered.values()) >= 4


def test_as_many_as_promised_of_every_style_and_language() -> None:
    assert len(NEEDS) >= 330
    assert len(OFFERS) >= 340
    styles = Counter(need["style"] for need in NEEDS)
    assert set(styles) == set(STYLES)
    assert {style for style, least in STYLES.items() if styles[style] < least} == set()
    for rows, shares in (
        (NEEDS, {"nl": 0.55, "fr": 0.18, "en": 0.15}),
        (OFFERS, {"nl": 0.65, "fr": 0.12, "en": 0.08}),
    ):
        languages = Counter(row["lang"] for row in rows)
        assert set(languages) == set(shares)
        assert all(languages[lang] >= least * len(rows) for lang, least in shares.items())


def test_styles_are_what_they_say() -> None:
    for need in NEEDS:
        words, steps = len(need["text"].split()), len(need["steps"])
        if need["style"] == "long":
            assert 55 <= words <= 150, need["id"]
        if need["style"] == "keyword":
            assert 2 <= words <= 8, need["id"]
        if need["style"] == "multi-step":
            assert 2 <= steps <= 4, need["id"]
        assert (steps == 0) == (need["style"] == "no-fit"), need["id"]
        assert all(step["text"].strip() for step in need["steps"]), need["id"]


def test_companies_have_two_to_five_lines() -> None:
    per_company = Counter(offer["company_id"] for offer in OFFERS)
    assert len(per_company) >= 110
    assert set(per_company.values()) <= {2, 3, 4, 5}


def test_judgements_point_at_what_exists() -> None:
    steps = {need["id"]: len(need["steps"]) for need in NEEDS}
    offers = {offer["id"] for offer in OFFERS}
    assert len({(need, offer, step) for need, offer, _, step in JUDGEMENTS}) == len(JUDGEMENTS)
    for need, offer, grade, step in JUDGEMENTS:
        assert offer in offers
        assert 0 <= step < steps[need], need
        assert grade in (1, 2)


def test_every_step_has_an_offer_of_exactly_this_work() -> None:
    exact = {(need, step) for need, _, grade, step in JUDGEMENTS if grade == 2}
    wanted = {(need["id"], i) for need in NEEDS for i in range(len(need["steps"]))}
    assert exact == wanted


@pytest.mark.parametrize("name", ["benchmark", "calibration", "heldout"])
def test_no_text_is_shared_with_the_training_texts(name: str) -> None:
    ours: dict[str, str] = {}
    for row in lines("needs.jsonl", name) + lines("offers.jsonl", name):
        ours.update(dict.fromkeys(pieces(row["text"]), row["id"]))
    shared: dict[str, str] = {}
    for path in sorted(TRAINING.rglob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for field in line.split("\t"):
                for piece in pieces(field) & ours.keys():
                    shared[ours[piece]] = path.name
    assert shared == {}


def test_the_three_sets_share_no_text() -> None:
    seen: dict[str, str] = {}
    for name in ("benchmark", "calibration", "heldout"):
        Benchmark.load(DATA / name)
        for row in lines("needs.jsonl", name) + lines("offers.jsonl", name):
            if len(row["text"].split()) >= 4:  # a trade's name is anybody's
                assert seen.setdefault(normalised(row["text"]), name) == name, row["id"]


def test_letters_alone_do_not_solve_it() -> None:
    """nDCG@10 (gain 2^grade - 1) of character 3-5 TF-IDF stays about .30: as hard as life."""
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for need, offer, grade, _ in JUDGEMENTS:
        grades[need][offer] = max(grade, grades[need].get(offer, 0))
    judged = [need for need in NEEDS if need["steps"]]
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    offers = tfidf.fit_transform([offer["text"] for offer in OFFERS])
    scores = (tfidf.transform([need["text"] for need in judged]) @ offers.T).toarray()
    discount = [1 / math.log2(rank + 2) for rank in range(10)]
    results = []
    for asked, row in zip(judged, scores, strict=True):
        known = grades[asked["id"]]
        found = [known.get(OFFERS[i]["id"], 0) for i in np.argsort(-row, kind="stable")[:10]]
        best = sorted(known.values(), reverse=True)[:10]
        gained = sum((2**g - 1) * d for g, d in zip(found, discount, strict=True))
        results.append(gained / sum((2**g - 1) * d for g, d in zip(best, discount, strict=False)))
    assert 0.2 <= float(np.mean(results)) <= 0.35
