"""The printed tables: columns set out with spaces, readable in a terminal and in a file."""

from collections.abc import Iterable, Mapping, Sequence

from matcher.evaluation.baselines import TEACHER
from matcher.evaluation.benchmark import (
    LENGTHS,
    Estimate,
    NeedFigures,
    OurAnswers,
    Scored,
    groups,
    separation,
    summary,
)
from matcher.evaluation.labels import PUBLISHED_AS, TOLERANCE, HarnessCheck
from matcher.evaluation.metrics import LABEL_MEASURES
from matcher.evaluation.probabilities import Honesty, Kept
from matcher.evaluation.testsets import Benchmark, LabelSet
from matcher.ranking import Ranker

FULL, DENSE, LABELS = "ours, full ranking", "ours, dense only", "ours, dense + letters"
ENGLISH = "all-MiniLM-L6-v2"


def benchmark_tables(
    title: str,
    benchmark: Benchmark,
    answers: Mapping[str, Scored],
    found: Mapping[str, NeedFigures],
) -> list[str]:
    """Overall, no-fit, by language and style."""
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
            f"{title}: {work} needs with work, {offers} offers; [95 % bootstrap over needs].\n"
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
    ]


def length_table(lengths: Mapping[str, Mapping[int, float]]) -> str:
    """How long a list must be to hold the exact offers."""
    return table(
        "Share of exact offers found, by list length.",
        ["system", *(str(k) for k in LENGTHS)],
        [[name, *(f"{v:.3f}" for v in row.values())] for name, row in lengths.items()],
    )


def probability_tables(
    ranker: Ranker,
    said: Sequence[Honesty],
) -> list[str]:
    """Brier score and reliability."""
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
    return [
        rests,
        table(
            "Probabilities of all pairs of the benchmark.",
            ["suitable means", "Brier", "Brier of the mean", "calibration error"],
            brier,
        ),
        table("Reliability.", ["suitable means", "said", "found", "pairs"], bins),
    ]


def promise_tables(
    ranker: Ranker, answers: OurAnswers, work: Sequence[bool], kept: Sequence[Kept]
) -> list[str]:
    """What the no-fit gate and every threshold do on one set.

    Args:
        work: which needs have work in them.
    """
    fits = list(zip(answers.fits.tolist(), work, strict=True))
    refused = sum(not fit for fit, has in fits if has) / sum(work)
    stopped = sum(not fit for fit, has in fits if not has) / (len(fits) - sum(work))
    reading = (
        f"Read as no work (fit below {ranker.least_fit:g}): {refused:.1%} of the needs with work, "
        f"wrongly; {stopped:.1%} of the no-fit needs, rightly."
    )
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
        reading,
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


def label_table(
    labels: LabelSet,
    found: Mapping[str, Mapping[str, float]],
    rows: Mapping[tuple[str, str], Mapping[str, float]],
) -> str:
    """One public set; on MELO beside the best published system."""
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


def harness_table(checks: Sequence[HarnessCheck]) -> str:
    """Which published lexical rows came out again; worst is over all their figures."""
    return table(
        "Harness check: published lexical rows made again.",
        [f"within {TOLERANCE:g}", "system", "set", "worst", "among them (published)"],
        [
            [
                "pass" if one.ok else "FAIL",
                one.system,
                one.set_name,
                f"{one.worst:.4f}",
                one.figures,
            ]
            for one in checks
        ],
    )


def reach_table(
    reached: Mapping[str, float], apart: Mapping[str, float], wanted: Mapping[str, float]
) -> str:
    """What the project aims for, beside what was measured on benchmark and held-out set."""

    def verdict(found: Mapping[str, float], name: str, least: float) -> list[str]:
        if name not in found:
            return ["not measured", ""]
        return [f"{found[name]:.3f}", "met" if found[name] >= least else "NOT MET"]

    return table(
        "Aims.",
        ["figure", "at least", "measured", "", "held-out", ""],
        [
            [name, f"{least:.2f}", *verdict(reached, name, least), *verdict(apart, name, least)]
            for name, least in wanted.items()
        ],
    )


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
