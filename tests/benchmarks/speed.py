"""How fast the matcher is, as ratios measured in one run on one machine.

    python tests/benchmarks/speed.py [--offers 1000000] [--only encoder,rank,search,memory,rubbish]

Absolute times say more about the machine and what else runs on it than about the matcher, so
everything is set beside a yardstick that is measured in turns with it.
"""

# ruff: noqa: T201

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # throughput is that of one core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from matcher.encoder import EncoderError
from matcher.evaluation.baselines import teacher
from matcher.evaluation.testsets import Benchmark
from matcher.ranking import DATA, Ranker
from matcher.signals import OfferLine
from matcher.training.own_texts import read_blocks

OFFERS_OF_A_HUB = 3_600
TOP = 100
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
                    "encode": partial(ranker.encoder.encode, [text]),
                    "read": partial(ranker.read, text),
                    "rank": partial(ranker.rank, reading, index),
                },
                7,
            )
            found.append([took["encode"], took["read"], took["rank"], len(reading.seen.units)])
        encode, read, rank, units = np.median(found, axis=0)
        print(
            f"  {style:10s} encode {1e3 * encode:6.2f} ms, read {1e3 * read:6.2f} ms, "
            f"rank {1e3 * rank:6.2f} ms for {units:.0f} pieces: "
            f"rank / encode {rank / encode:.1f}, rank / read {rank / read:.1f}, "
            f"read and rank / encode {(read + rank) / encode:.1f}"
        )


def both_ways(ranker: Ranker) -> None:
    """With BLAS on all cores, as it comes, and on one: small products lose by being shared out."""
    for threads in (os.cpu_count() or 1, 1):
        with threadpool_limits(threads, user_api="blas"):
            print(f"BLAS on {threads}: ", end="")
            ranking_one_need(ranker)


def best(scores: Vector, top: int) -> NDArray[np.int64]:
    """Rows of the highest scores, exact, equal scores by row.

    The 100th best of every 64th score is at most the 100th best of all: whatever is below it is
    out, and few are left to sort.
    """
    sample = scores[::64]
    least = np.partition(sample, -top)[-top] if len(sample) > top else -np.inf
    rows = np.flatnonzero(scores >= least)
    return rows[np.lexsort((rows, -scores[rows]))[:top]]


def best_of(vectors: Vector, need: Vector) -> NDArray[np.int64]:
    """Rows of the nearest vectors, exact."""
    return best(vectors @ need, TOP)


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
    yard, exact = [], []
    for need in ranker.encoder.encode(needs):
        scores = vectors @ need
        sorted_all = np.argsort(-scores, kind="stable")[:TOP]
        if not np.array_equal(scores[best(scores, TOP)], scores[sorted_all]):
            raise SystemExit("the search is not exact")
        took = seconds(
            {
                "matvec": partial(np.matmul, vectors, need),
                "best": partial(best_of, vectors, need),
            },
            9,
        )
        yard.append(took["matvec"])
        exact.append(took["best"])
    matvec, whole = float(np.median(yard)), float(np.median(exact))
    print(f"exact best {TOP} of {count:,} x {vectors.shape[1]} vectors:")
    print(f"  numpy matrix-vector {1e3 * matvec:.0f} ms = {vectors.nbytes / matvec / 1e9:.1f} GB/s")
    print(
        f"  with the best {TOP} found {1e3 * whole:.0f} ms: {matvec / whole:.0%} of that bandwidth"
    )


def memory(ranker: Ranker) -> None:
    """Memory of the vectors and of the whole index per million offers."""
    texts = offer_texts()
    index = ranker.index([OfferLine(str(row), text) for row, text in enumerate(texts)])
    held: dict[str, int] = {}
    for name, part in vars(index).items():
        arrays = (
            [part] if isinstance(part, np.ndarray) else list(getattr(part, "__dict__", {}).values())
        )
        held[name] = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
    each = {name: size / len(texts) * 1e6 / 2**20 for name, size in held.items() if size}
    shown = ", ".join(f"{name} {size:,.0f}" for name, size in each.items())
    print(
        f"MiB per million offers, from {len(texts):,}: {sum(each.values()):,.0f} in all ({shown})"
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
        try:
            took = seconds({"": partial(ranker.rank, text, index)}, 3)[""]
        except RecursionError as error:
            print(f"  {name:32s} FAILS: {error}")
            continue
        print(f"  {name:32s} {1e3 * took:7.1f} ms, {took / usual:5.0f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offers", type=int, default=1_000_000)
    parser.add_argument("--only", default="encoder,rank,search,memory,rubbish")
    chosen = parser.parse_args()
    ranker = Ranker.load()
    parts: dict[str, Callable[[], None]] = {
        "encoder": lambda: encoder_throughput(ranker),
        "rank": lambda: both_ways(ranker),
        "search": lambda: search(ranker, chosen.offers),
        "memory": lambda: memory(ranker),
        "rubbish": lambda: rubbish(ranker),
    }
    for name in chosen.only.split(","):
        parts[name]()


if __name__ == "__main__":
    main()
