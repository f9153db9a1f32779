"""How fast the matcher is, as ratios measured in one run on one machine.

    python tests/benchmarks/speed.py [--offers 1000000] [--only encoder,rank,search,rubbish]

Absolute times say more about the machine and what else runs on it than about the matcher, so
everything is set beside a yardstick that is measured in turns with it.
"""

# ruff: noqa: T201

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # throughput is that of one core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import EncoderError
from matcher.evaluation.baselines import teacher
from matcher.evaluation.testsets import Benchmark
from matcher.ranking import DATA, Ranker
from matcher.signals import OfferLine
from matcher.training.own_texts import read_blocks

OFFERS_OF_A_HUB = 3_600
DIMENSION, TOP, PREFIX = 256, 100, 64
Vector = NDArray[np.float32]


def seconds(runs: dict[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a busy moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeat):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in taken.items()}


def offer_texts() -> list[str]:
    """Distinct real offer lines: those of the benchmark and of our own texts."""
    texts = [offer.text for offer in Benchmark.load(DATA / "benchmark").offers]
    texts += [text.text for block in read_blocks(DATA / "training") for text in block.offers]
    return list(dict.fromkeys(texts))


def encoder_throughput(ranker: Ranker) -> None:
    """Short texts per second on one core, beside the English teacher."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        texts = offer_texts()
        held = (texts * (20_000 // len(texts) + 1))[:20_000]
        mean = np.mean([len(text) for text in held])
        few = held[:256]
        runs: dict[str, Callable[[], object]] = {"ours": lambda: ranker.encoder.encode(held)}
        try:
            import torch

            other = teacher()
            torch.set_num_threads(1)
        except (ImportError, EncoderError):
            other = None
        if other is not None:
            runs["teacher"] = lambda: other.encoder.encode(few)
        took = seconds(runs, 5)
    finally:
        os.sched_setaffinity(0, cores)
    ours = len(held) / took["ours"]
    print(f"encoder, one core, {len(held)} texts of {mean:.0f} characters: {ours:,.0f} texts/s")
    if other is None:
        print("  all-MiniLM-L6-v2: not installed")
    else:
        theirs = len(few) / took["teacher"]
        print(f"  all-MiniLM-L6-v2: {theirs:,.0f} texts/s; ours is {ours / theirs:,.0f} times that")


def ranking_one_need(ranker: Ranker) -> None:
    """One need against all offers of a hub, beside encoding that need."""
    lines = [OfferLine(str(i), text) for i, text in enumerate(offer_texts()[:OFFERS_OF_A_HUB])]
    index = ranker.index(lines)
    benchmark = Benchmark.load(DATA / "benchmark")
    print(f"one need against {len(lines)} offers, benchmark needs, medians of medians:")
    for style in ("keyword", "short", "long", "multi-step"):
        texts = [need.text for need in benchmark.needs if need.style == style][:20]
        found = []
        for text in texts:
            reading = ranker.read(text)
            took = seconds(
                {
                    "encode": lambda text=text: ranker.encoder.encode([text]),
                    "read": lambda text=text: ranker.read(text),
                    "rank": lambda reading=reading: ranker.rank(reading, index),
                },
                7,
            )
            found.append([took["encode"], took["read"], took["rank"], len(reading.units)])
        encode, read, rank, units = np.median(found, axis=0)
        print(
            f"  {style:10s} encode {1e3 * encode:6.2f} ms, read {1e3 * read:6.2f} ms, "
            f"rank {1e3 * rank:6.2f} ms for {units:.0f} pieces: "
            f"rank / encode {rank / encode:.1f}, rank / read {rank / read:.1f}, "
            f"read and rank / encode {(read + rank) / encode:.1f}"
        )


def best(scores: Vector, top: int) -> NDArray[np.int64]:
    """Rows of the highest scores, exact, equal scores by row.

    The 100th best of every 64th score is at most the 100th best of all: whatever is below it is
    out, and few are left to sort.
    """
    sample = scores[::64]
    least = np.partition(sample, -top)[-top] if len(sample) > top else -np.inf
    rows = np.flatnonzero(scores >= least)
    return rows[np.lexsort((rows, -scores[rows]))[:top]]


def many_vectors(ranker: Ranker, count: int) -> Vector:
    """(count, dimension) unit vectors: those of two offer lines put together.

    A static vector of two texts together is their mean, so these are what the encoder gives,
    without writing a million texts.
    """
    held = ranker.encode_offers(offer_texts())
    rng = np.random.default_rng(11)
    vectors = np.empty((count, held.shape[1]), dtype=np.float32)
    for start in range(0, count, 50_000):
        end = min(start + 50_000, count)
        left, right = rng.integers(0, len(held), (2, end - start))
        part = held[left] + held[right]
        vectors[start:end] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def search(ranker: Ranker, count: int) -> None:
    """Exact best 100 of a million, beside reading the vectors once (numpy matrix-vector)."""
    vectors = many_vectors(ranker, count)
    needs = [need.text for need in Benchmark.load(DATA / "benchmark").needs if need.steps][:7]
    asked = ranker.encoder.encode(needs)
    # Principal axes: an exact rotation, after which the first axes hold most of every vector.
    sample = vectors[:: max(1, count // 20_000)]
    axes = np.linalg.eigh(sample.T @ sample)[1][:, ::-1].astype(np.float32)
    turned = axes[:, :PREFIX]
    first = np.empty((count, PREFIX), dtype=np.float32)
    for start in range(0, count, 50_000):
        first[start : start + 50_000] = vectors[start : start + 50_000] @ turned
    rest = np.sqrt(np.maximum(0, 1 - np.einsum("nd,nd->n", first, first)))
    rescored: list[int] = []

    def whole(need: Vector) -> NDArray[np.int64]:
        return best(vectors @ need, TOP)

    def in_two(need: Vector) -> NDArray[np.int64]:
        head = turned.T @ need
        partly = first @ head
        slack = rest * float(np.sqrt(max(0.0, float(need @ need - head @ head))))
        seed = best(partly, TOP)
        least = float((vectors[seed] @ need).min()) - 1e-5  # rounding of float32 sums
        rows = np.flatnonzero(partly + slack >= least)
        rescored.append(len(rows))
        return rows[best(vectors[rows] @ need, TOP)] if len(rows) < count // 4 else whole(need)

    bytes_ = vectors.nbytes
    memory = f"{bytes_ / count * 1e6 / 2**20:,.0f}"
    yard, ours, two = [], [], []
    for need in asked:
        same = np.array_equal(
            np.sort(vectors[in_two(need)] @ need), np.sort(vectors[whole(need)] @ need)
        )
        if not same:
            raise SystemExit("the search in two stages is not exact")
        took = seconds(
            {
                "matvec": lambda need=need: vectors @ need,
                "whole": lambda need=need: whole(need),
                "two": lambda need=need: in_two(need),
            },
            5,
        )
        yard.append(took["matvec"])
        ours.append(took["whole"])
        two.append(took["two"])
    matvec, exact, staged = (float(np.median(each)) for each in (yard, ours, two))
    print(f"exact best {TOP} of {count:,} x {vectors.shape[1]}; {memory} MiB per million offers:")
    print(f"  numpy matrix-vector {1e3 * matvec:.0f} ms = {bytes_ / matvec / 1e9:.1f} GB/s")
    print(f"  all vectors {1e3 * exact:.0f} ms: {matvec / exact:.0%} of that bandwidth")
    print(
        f"  first {PREFIX} principal axes, rest bounded, {np.median(rescored):,.0f} rescored: "
        f"{1e3 * staged:.0f} ms, {matvec / staged:.1f} times as fast as one matrix-vector; "
        f"{(first.nbytes + rest.nbytes) / count * 1e6 / 2**20:,.0f} MiB more per million"
    )


def rubbish(ranker: Ranker) -> None:
    """The slowest of the strange inputs, beside an ordinary need."""
    index = ranker.index([OfferLine(str(i), t) for i, t in enumerate(offer_texts()[:436])])
    ordinary = "Wij zoeken iemand om elke week ons linnen te wassen en te strijken."
    texts = {
        "one word of 100,000 letters": "a" * 100_000,
        "100,000 characters of clauses": "linnen wassen en strijken, " * 3_700,
        "100,000 open brackets": "<" * 100_000,
        "20,000 tags": "<div>" * 20_000,
        "100,000 digits": "0470123456" * 10_000,
        "100,000 commas": "," * 100_000,
        "100,000 emoji": "😀" * 100_000,
        "compound of 100,000 letters": "wasserijlinnen" * 7_200,
    }
    usual = seconds({"": lambda: ranker.rank(ordinary, index)}, 9)[""]
    print(f"strange inputs against 436 offers; an ordinary need takes {1e3 * usual:.1f} ms:")
    for name, text in texts.items():
        took = seconds({"": lambda text=text: ranker.rank(text, index)}, 3)[""]
        print(f"  {name:32s} {1e3 * took:7.1f} ms, {took / usual:5.0f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offers", type=int, default=1_000_000)
    parser.add_argument("--only", default="encoder,rank,search,rubbish")
    chosen = parser.parse_args()
    ranker = Ranker.load()
    parts: dict[str, Callable[[], None]] = {
        "encoder": lambda: encoder_throughput(ranker),
        "rank": lambda: ranking_one_need(ranker),
        "search": lambda: search(ranker, chosen.offers),
        "rubbish": lambda: rubbish(ranker),
    }
    for name in chosen.only.split(","):
        parts[name]()


if __name__ == "__main__":
    main()
