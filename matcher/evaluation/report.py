"""`maatmatch evaluate`: everything measured, as one text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from matcher.evaluation import plots as drawing
from matcher.evaluation.baselines import TEACHER, Dense, System, lexical, teacher
from matcher.evaluation.benchmark import (
    LENGTHS,
    Estimate,
    Scored,
    groups,
    per_need,
    recall_by_length,
    run_ranker,
    run_system,
    separation,
    summary,
)
from matcher.evaluation.labels import PUBLISHED_AS, Ours, check_job_titles, check_published, figures
from matcher.evaluation.metrics import LABEL_MEASURES
from matcher.evaluation.probabilities import Honesty, Kept, honesty, promises
from matcher.evaluation.testsets import Benchmark, LabelSet, job_titles, melo, published
from matcher.ranking import DATA, Ranker

Progress = Callable[[int, int], object]
FULL, DENSE, LABELS = "ours, full ranking", "ours, dense only", "ours, dense + letters"
ENGLISH = "all-MiniLM-L6-v2"
SEEN = """\
What training saw. The public corpus used in training holds the labels of ESCO, which are the side
that is searched in MELO: our figures there are in-domain, those of general models are not. The VDAB
occupation map, which holds MELO's Belgian queries, the MELO files, the job-title files and the
benchmark trained nothing. Training texts and benchmark come from one project and share its idea
of the work, not their sentences."""


def evaluate(
    shared: Path | None,
    *,
    plots: Path | None = None,
    progress: Progress | None = None,
    data: Path = DATA,
) -> str:
    """Measure the shipped ranking beside its baselines.

    Args:
        shared: folder with ``eval/``, the public test sets; None leaves them out.
        plots: folder that receives SVG plots; None draws nothing.
        progress: called with what is done and what there is to do.
        data: the project's data folder.

    Returns:
        The tables as text, lines of at most about 120 characters.

    Raises:
        EvaluationError: a test set is damaged, or plots are asked for without matplotlib.
        EncoderError: the ranking cannot be loaded.
    """
    if plots is not None:
        drawing.figure("", "", "")  # fails now rather than after minutes of measuring
    public = shared is not None and (shared / "eval").is_dir()
    count = _Count(progress, 21 if public else 6)
    ranker = Ranker.load(data)
    dense, english = Dense(ranker.encoder), teacher()
    benchmark = Benchmark.load(data / "benchmark")
    ours = run_ranker(ranker, benchmark)
    count()
    answers: dict[str, Scored] = {FULL: ours}
    others: dict[str, System] = {DENSE: dense, **lexical()}
    if english is not None:
        others[ENGLISH] = english
    for name, system in others.items():
        answers[name] = run_system(system, benchmark)
        count()
    said, kept = honesty(ours, benchmark), promises(ranker, ours, benchmark)
    lengths = {name: recall_by_length(each, benchmark) for name, each in answers.items()}
    parts = [
        f"Encoder {ranker.encoder.identity}, {ranker.encoder.dimension} dimensions.\n{SEEN}",
        *_benchmark(benchmark, answers, lengths),
        *_probabilities(ranker, said, kept),
    ]
    if public and shared is not None:
        parts += _public(shared, ranker, dense, english, count)
    else:
        parts.append("Public sets: not measured; give the folder that holds eval/ with --shared.")
    if plots is not None:
        paths = drawing.draw(plots, said, lengths, kept)
        parts.append("Plots: " + ", ".join(str(path) for path in paths))
    return "\n\n".join(parts) + "\n"


class _Count:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


def _benchmark(
    benchmark: Benchmark, answers: Mapping[str, Scored], lengths: Mapping[str, Mapping[int, float]]
) -> list[str]:
    found = {name: per_need(each, benchmark) for name, each in answers.items()}
    work, offers = int(benchmark.has_work.sum()), len(benchmark.offers)
    overall, apart = [], []
    for name, each in found.items():
        row = summary(each, benchmark.has_work)
        overall.append([name, *(_estimate(value) for value in row.values())])
        split = separation(answers[name], benchmark)
        apart.append([name, _estimate(split["fit"]), _estimate(split["best"])])
    names = groups(benchmark)
    detail = [
        [group, str(int(rows.sum())), *(_estimate(v) for v in summary(found[FULL], rows).values())]
        for group, rows in names.items()
    ]
    beside = [
        [name, *(f"{summary(each, rows)['nDCG@10'][0]:.3f}" for rows in names.values())]
        for name, each in found.items()
    ]
    head = list(summary(found[FULL]))
    return [
        table(
            f"Benchmark: {work} needs with work, {offers} offers; [95 % bootstrap over needs].\n"
            "Gains 2^grade - 1. MRR: first exact offer. recall@20: exact offers; any: grade 1 too; "
            "steps@20: steps with an exact offer.",
            ["system", *head],
            overall,
        ),
        table(
            f"No-fit needs ({len(benchmark.needs) - work}) told from needs with work, AUC.\n"
            "Baselines do not judge a need by itself: their best score stands for both.",
            ["system", "by reading", "by best offer"],
            apart,
        ),
        table(f"{FULL}, by language and by style.", ["needs", "n", *head], detail),
        table("nDCG@10 of every system there.", ["system", *names], beside),
        table(
            "Share of exact offers found, by list length.",
            ["system", *(str(k) for k in LENGTHS)],
            [[name, *(f"{v:.3f}" for v in row.values())] for name, row in lengths.items()],
        ),
    ]


def _probabilities(ranker: Ranker, said: Sequence[Honesty], kept: Sequence[Kept]) -> list[str]:
    rests = f"The calibration rests on: {ranker.rests_on}."
    if "benchmark" in ranker.rests_on.casefold():
        rests += " Figures below are then measured in part on what fitted it."
    bins = [
        [each.name, f"{said_:.3f}", f"{found:.3f}", str(n)]
        for each in said
        for said_, found, n in each.bins
    ]
    brier = [
        [each.name, f"{each.brier:.4f}", f"{each.base:.4f}", f"{each.error:.4f}"] for each in said
    ]
    rows = [
        [
            f"{each.threshold.alpha:g}",
            f"{each.threshold.value:.4f}",
            f"{each.offers_missed:.3f}",
            f"{each.companies_missed:.3f} ± {1.96 * each.spread:.3f}",
            f"{each.companies_missed_any:.3f}",
            f"{each.offers_reached:.1f}",
            f"{each.companies_reached:.1f}",
            f"{each.false_alarms:.2f}",
            "refused" if each.threshold.refused else f"{each.threshold.n_needs} needs",
        ]
        for each in kept
    ]
    return [
        rests,
        table(
            "Probabilities of all pairs of the benchmark.",
            ["suitable means", "Brier", "Brier of the mean", "calibration error"],
            brier,
        ),
        table("Reliability.", ["suitable means", "said", "found", "pairs"], bins),
        table(
            "Miss rate promised (alpha) and found, per need with work; false alarms: no-fit needs "
            "that would reach a company.",
            [
                "alpha",
                "threshold",
                "offers missed",
                "companies missed",
                "any grade",
                "offers reached",
                "companies reached",
                "false alarms",
                "promise on",
            ],
            rows,
        ),
    ]


def _public(
    shared: Path, ranker: Ranker, dense: Dense, english: Dense | None, count: _Count
) -> list[str]:
    sets, rows = melo(shared), published(shared)
    checks = check_published(sets, rows)
    count()
    titles = job_titles(shared)
    parts = []
    for each in (*sets, titles):
        found = {
            name: figures(system, each, None if each is titles else 100)
            for name, system in _label_systems(ranker, dense, english, each).items()
        }
        count()
        if each is titles:
            checks += check_job_titles(found)
        parts.append(_label_table(each, found, rows))
    harness = [
        ["pass" if one.ok else "FAIL", one.system, one.set_name, f"{one.worst:.4f}", one.figures]
        for one in checks
    ]
    head = ["within .01", "system", "set", "worst", "among them (published)"]
    return [table("Harness check: published lexical rows made again.", head, harness), *parts]


def _label_systems(
    ranker: Ranker, dense: Dense, english: Dense | None, labels: LabelSet
) -> dict[str, System]:
    found: dict[str, System] = {DENSE: dense, LABELS: Ours(ranker, dense, labels), **lexical()}
    return found if english is None else {**found, ENGLISH: english}


def _label_table(
    labels: LabelSet,
    found: Mapping[str, Mapping[str, float]],
    rows: Mapping[tuple[str, str], Mapping[str, float]],
) -> str:
    is_melo = any(set_name == labels.name for _, set_name in rows)
    shown = [name for name in LABEL_MEASURES if (name == "MAP") != is_melo or name == "MRR"]
    lines = [[name, *(f"{row[m]:.3f}" for m in shown)] for name, row in found.items()]
    if ENGLISH not in found:
        lines.append([ENGLISH, f"not installed: pip install {TEACHER.replace('_', '-')}"])
    if is_melo:
        best = max(
            (model for model, set_name in rows if set_name == labels.name),
            key=lambda model: rows[model, labels.name]["recip_rank"],
        )
        row = rows[best, labels.name]
        lines.append([f"published best: {best}", *(f"{row[PUBLISHED_AS[m]]:.3f}" for m in shown)])
    title = f"MELO {labels.name}" if is_melo else "Job-title similarity nl"
    note = " (ESCO labels were seen in training)" if is_melo else ""
    size = f"{len(labels.queries)} queries, {len(labels.documents)} labels"
    return table(f"{title}: {size}{note}.", ["system", *shown], lines)


def _estimate(value: Estimate) -> str:
    return f"{value[0]:.3f} [{value[1]:.2f} {value[2]:.2f}]"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns set out with spaces; the first to the left, a short row may end early."""
    lines = [list(head), *(list(row) for row in rows)]
    full = [line for line in lines if len(line) == len(head)]
    widths = [max(len(line[column]) for line in full) for column in range(len(head))]
    widths[0] = max(len(line[0]) for line in lines)
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()
        for line in lines
    ]
    return "\n".join([title, text[0], "-" * len(text[0]), *text[1:]])
