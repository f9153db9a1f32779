"""The measuring itself: known values, published rows made again, and the whole command."""

import csv
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from matcher.calibration import Calibration, Judged, risk_threshold
from matcher.evaluation import EvaluationError, evaluate, plots
from matcher.evaluation.baselines import Okapi, Rows, TfIdf, lexical, plain
from matcher.evaluation.benchmark import (
    OurAnswers,
    groups,
    per_need,
    run_ranker,
    run_system,
    separation,
    summary,
)
from matcher.evaluation.labels import check_published, figures, ordered
from matcher.evaluation.metrics import (
    auc,
    auc_interval,
    average_precision,
    interval,
    ndcg,
    recall,
    reciprocal_rank,
)
from matcher.evaluation.probabilities import Companies, honesty, promises
from matcher.evaluation.tables import reach_table, table
from matcher.evaluation.testsets import MELO, Benchmark, LabelSet, job_titles, melo, published
from matcher.ranking import DATA, Ranker


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return Benchmark.load(DATA / "benchmark")


class Oracle:
    """A system that was told the grades."""

    def __init__(self, grades: np.ndarray, sign: int = 1) -> None:
        self.grades, self.sign = grades, sign

    def scores(self, queries: Sequence[str], documents: Sequence[str]) -> Rows:
        yield from (self.sign * self.grades).astype(np.float32)


def test_ndcg_is_that_of_scikit_learn_with_our_gains() -> None:
    rng = np.random.default_rng(1)
    grades = rng.choice([0, 0, 0, 1, 2], size=40)
    score = rng.normal(size=40)
    theirs = ndcg_score([2.0**grades - 1], [score], k=10)
    assert ndcg(grades[np.argsort(-score)]) == pytest.approx(theirs)
    assert ndcg([0, 0, 2]) == pytest.approx(1 / math.log2(4))
    assert math.isnan(ndcg([0, 0, 0]))


def test_figures_of_one_list() -> None:
    found = [False, True, False, True]
    assert reciprocal_rank(found) == 0.5
    assert reciprocal_rank([False]) == 0
    assert recall(found, 2) == 0.5
    assert recall(found, 4, total=4) == 0.5
    assert math.isnan(recall([False], 1))
    assert average_precision(found) == pytest.approx(
        average_precision_score(found, [4.0, 3.0, 2.0, 1.0])
    )


def test_auc_is_that_of_scikit_learn_ties_included() -> None:
    rng = np.random.default_rng(2)
    high, low = rng.integers(2, 9, 50).astype(float), rng.integers(0, 7, 30).astype(float)
    theirs = roc_auc_score([1] * 50 + [0] * 30, np.concatenate([high, low]))
    assert auc(high, low) == pytest.approx(theirs)
    value, least, most = auc_interval(high, low)
    assert least < value < most


def test_interval_narrows_with_more_needs_and_leaves_out_what_does_not_apply() -> None:
    rng = np.random.default_rng(3)
    few, many = rng.random(30), rng.random(3_000)
    width = {n: interval(x)[2] - interval(x)[1] for n, x in (("few", few), ("many", many))}
    assert width["many"] < width["few"] / 5
    assert interval([0.2, float("nan"), 0.4])[0] == pytest.approx(0.3)
    # The mean of 3,000 draws from a uniform: its 95 % interval is 1.96 standard errors wide.
    assert width["many"] == pytest.approx(2 * 1.96 / math.sqrt(12 * 3_000), rel=0.1)


def test_equal_scores_go_by_higher_id_after_the_list_was_cut() -> None:
    order = np.array([2, 0, 1, 3])  # ids c, a, b, d
    assert ordered(np.array([0.5, 0.5, 0.5, 0.9]), order, None).tolist() == [3, 0, 2, 1]
    # Cut in order of the file, before the ties: d and the first two of the file stay.
    assert ordered(np.array([0.5, 0.5, 0.5, 0.9]), order, 3).tolist() == [3, 0, 1]
    # Five decimals are read, as trec_eval does.
    assert ordered(np.array([0.500001, 0.500002, 0.1, 0.0]), order, None).tolist()[:2] == [0, 1]


def test_bm25_is_the_formula_written_out() -> None:
    texts = ["wassen van was", "vouwen van was", "Fietsen herstellen", "een doos"]
    query = "was was herstellen één"
    got = next(Okapi().scores([query], texts))
    split = [plain(text).split(" ") for text in texts]
    mean = sum(map(len, split)) / len(split)
    having = Counter(word for words in split for word in set(words))
    idf = {word: math.log(4 - n + 0.5) - math.log(n + 0.5) for word, n in having.items()}
    floor = 0.25 * sum(idf.values()) / len(idf)
    idf = {word: value if value >= 0 else floor for word, value in idf.items()}
    for words, score in zip(split, got, strict=True):
        norm = 1.5 * (0.25 + 0.75 * len(words) / mean)
        wanted = sum(
            idf.get(term, 0) * words.count(term) * 2.5 / (words.count(term) + norm)
            for term in plain(query).split(" ")
        )
        assert score == pytest.approx(wanted, rel=1e-5)


def test_who_knows_the_grades_scores_one_and_the_reverse_scores_nothing(
    benchmark: Benchmark,
) -> None:
    knows = summary(per_need(run_system(Oracle(benchmark.grades), benchmark), benchmark))
    wrong = summary(per_need(run_system(Oracle(benchmark.grades, -1), benchmark), benchmark))
    for name in ("nDCG@10", "MRR", "recall@20"):
        assert knows[name][0] == pytest.approx(1)
        assert wrong[name][0] < 0.01


def test_our_ranking_is_better_than_letters_and_letters_are_as_the_notes_say(
    benchmark: Benchmark, ranker: Ranker
) -> None:
    found = {
        name: summary(per_need(run_system(system, benchmark), benchmark))
        for name, system in lexical().items()
    }
    assert found["char 3-5 TF-IDF"]["nDCG@10"][0] == pytest.approx(0.283, abs=0.01)
    assert found["word TF-IDF"]["nDCG@10"][0] == pytest.approx(0.112, abs=0.01)
    ours = run_ranker(ranker, benchmark)
    row = summary(per_need(ours, benchmark))
    assert row["nDCG@10"][1] > found["char 3-5 TF-IDF"]["nDCG@10"][2]
    assert separation(ours, benchmark)["fit"][0] > 0.9


def test_groups_hold_every_need_with_work_once_by_language_and_once_by_style(
    benchmark: Benchmark,
) -> None:
    found = groups(benchmark)
    by_language = sum(found[lang].astype(int) for lang in ("nl", "fr", "en"))
    by_style = sum(rows.astype(int) for name, rows in found.items() if len(name) > 2)
    assert (by_language == benchmark.has_work).all()
    assert (by_style == benchmark.has_work).all()


def test_promises_count_companies_by_their_best_offer(benchmark: Benchmark, ranker: Ranker) -> None:
    """Probabilities equal to the truth: nothing is missed below 1, all above."""
    true = (benchmark.grades == 2).astype(np.float32) * 0.8
    fits = benchmark.has_work
    answers = OurAnswers(
        true,
        np.argsort(-true, axis=1, kind="stable"),
        fits.astype(np.float32),
        true.max(axis=1),
        true,
        fits,
    )
    work = benchmark.has_work
    suitable = benchmark.grades[work] == 2
    thresholds = tuple(
        risk_threshold(list(true[work]), list(suitable), alpha, "x") for alpha in (0.05, 0.5)
    )
    curve = Calibration("sigmoid", 1.0, 0.0, (), (), 400, ranker.encoder.identity)
    kept = promises(
        ranker.recalibrated(Judged("tests", curve, thresholds, 0.5)), answers, benchmark
    )
    companies = Companies.of(answers, benchmark)
    exact = (companies.grades[work] == 2).sum(axis=1)
    for each in kept:
        assert each.offers_missed == each.companies_missed == each.false_alarms == 0
        assert each.companies_reached == pytest.approx(exact.mean())
        assert each.offers_reached == pytest.approx(suitable.sum(axis=1).mean())
        assert 0 < each.companies_missed_any < 1
    sure = honesty(answers, benchmark)[0]
    share = float((benchmark.grades == 2).mean())
    assert sure.brier == pytest.approx(0.04 * share, rel=1e-5)
    assert sure.base == pytest.approx(share * (1 - share), rel=1e-5)
    assert sure.error == pytest.approx(0.2 * share, rel=1e-5)


def test_published_lexical_rows_come_out_again(shared: Path) -> None:
    checks = check_published(melo(shared)[:1], published(shared))
    assert [each.system for each in checks] == ["word_tf_idf", "char_tf_idf", "bm25"]
    assert all(each.ok for each in checks), checks


def test_known_row_of_job_titles_comes_out_again(shared: Path) -> None:
    found = figures(TfIdf("char_wb", (3, 5)), job_titles(shared), None)
    assert found["MAP"] == pytest.approx(0.286, abs=0.01)
    assert found["MRR"] == pytest.approx(0.715, abs=0.01)


def test_melo_sets_know_their_languages(shared: Path) -> None:
    sets = melo(shared)
    assert tuple(each.name for each in sets) == MELO
    assert [(each.query_lang, each.document_lang) for each in sets] == [
        ("nl", "nl"),
        ("nl", "nl"),
        ("nl", "en"),
        ("fr", "fr"),
    ]
    assert all(len(rows) for each in sets for rows in each.relevant)


def test_no_title_asked_in_melo_is_among_the_competences_training_reads(shared: Path) -> None:
    path = shared / "corpus" / "esco" / "vdab_competent_esco_map.csv"
    with path.open(encoding="utf-8", newline="") as file:
        read = {
            row[name].casefold() for row in csv.DictReader(file) for name in ("vdab_nl", "vdab_fr")
        }
    asked = {text.casefold() for each in melo(shared) for text in each.queries}
    assert len(read) > 10_000
    assert len(asked) > 2_500
    assert not read & asked


def test_damaged_sets_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"needs\.jsonl does not exist"):
        Benchmark.load(tmp_path)
    _small_benchmark(tmp_path, needs=1, offers=1)
    with (tmp_path / "judgements.tsv").open("a") as file:
        file.write("n001\tnowhere\t2\t0\n")
    with pytest.raises(EvaluationError, match="nowhere"):
        Benchmark.load(tmp_path)
    (tmp_path / "queries.tsv").write_text("only an id\n")
    with pytest.raises(EvaluationError, match="line 1: want an id and a text"):
        LabelSet.load(tmp_path, "corpus_elements.tsv", "nl", "nl")


def _small_benchmark(
    folder: Path, needs: int, offers: int, source: Path = DATA / "benchmark"
) -> None:
    """The first offers, and the first needs of each kind whose judgements stay within them."""
    folder.mkdir(exist_ok=True)
    lines = (source / "offers.jsonl").read_text().splitlines()[:offers]
    (folder / "offers.jsonl").write_text("\n".join(lines) + "\n")
    kept_offers = {json.loads(line)["id"] for line in lines}
    rows = [line.split("\t") for line in (source / "judgements.tsv").read_text().splitlines()]
    inside = {row[0] for row in rows[1:] if row[1] in kept_offers and row[2] == "2"}
    asked = [json.loads(line) for line in (source / "needs.jsonl").read_text().splitlines()]
    picked: dict[tuple[str, str], list[dict[str, object]]] = {}
    for need in asked:
        if need["id"] in inside or not need["steps"] or need["id"] == "n001":
            picked.setdefault((need["lang"], need["style"]), []).append(need)
    chosen = [need for group in picked.values() for need in group[:needs]]
    (folder / "needs.jsonl").write_text("".join(json.dumps(need) + "\n" for need in chosen))
    ids = {need["id"] for need in chosen}
    judged = [rows[0], *(row for row in rows[1:] if row[0] in ids and row[1] in kept_offers)]
    (folder / "judgements.tsv").write_text("\n".join("\t".join(row) for row in judged) + "\n")


def test_the_whole_command_on_a_small_benchmark(tmp_path: Path) -> None:
    for path in DATA.iterdir():
        if path.name not in ("benchmark", "heldout"):
            (tmp_path / path.name).symlink_to(path)
    for name in ("benchmark", "heldout"):
        _small_benchmark(tmp_path / name, needs=3, offers=200, source=DATA / name)
    steps: list[tuple[int, int]] = []
    drawing = tmp_path / "plots"
    text = evaluate(
        None, plots=drawing, progress=lambda done, total: steps.append((done, total)), data=tmp_path
    )
    for row in ("ours, full ranking", "ours, dense only", "word TF-IDF", "BM25", "multi-step"):
        assert f"\n{row}" in text
    assert "The calibration rests on: " in text
    assert "Read as no work" in text
    assert "Public sets: not measured" in text
    assert steps[-1][0] <= steps[-1][1]
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    names = {path.name for path in drawing.iterdir()}
    assert names == {"reliability.svg", "recall_by_length.svg", "miss_rate.svg"}
    assert all("<svg" in path.read_text() for path in drawing.iterdir())


def test_plots_without_matplotlib_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(EvaluationError, match="pip install"):
        plots.figure("", "", "")


def test_aims_say_what_is_met_and_what_was_not_measured() -> None:
    text = reach_table({"a": 0.9, "b": 0.1}, {"a": 0.7}, {"a": 0.8, "b": 0.8, "c": 0.8})
    cells = [" ".join(line.split()) for line in text.splitlines()]
    assert cells[3] == "a 0.80 0.900 met 0.700 NOT MET"
    assert cells[4] == "b 0.80 0.100 NOT MET not measured"
    assert cells[5] == "c 0.80 not measured not measured"
    assert "not installed" in table("t", ["a", "b"], [["x", "1"], ["y", "not installed"]])
