"""Character n-grams of words as numbers, many texts at once.

Shared by the lexical signal (hashed to buckets) and by the encoder (looked up in its own table).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.text import words

SIZES = (3, 4, 5)
_BASE = np.uint64(1_000_003)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def char_grams(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """64-bit hashes of the n-grams inside padded words, and the text each comes from.

    Words are normalised (lower case, no accents) and padded with a space on both sides; an n-gram
    never reaches into the next word. Rows are ascending within each size, not over all.
    """
    padded = [" " + " ".join(words(text)) + " " for text in texts]
    letters = np.frombuffer("".join(padded).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in padded])
    space = letters == 32
    hashes: list[NDArray[np.uint64]] = [np.zeros(0, np.uint64)]
    rows: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for size in SIZES:
        end = len(letters) - size + 1
        if end < 1:
            continue
        value = np.full(end, size, dtype=np.uint64)
        across = space[:end] & space[size - 1 :]
        for place in range(size):
            value = value * _BASE + letters[place : end + place]
            if 0 < place < size - 1:
                across |= space[place : end + place]
        kept = ~across & (owner[:end] == owner[size - 1 :])
        hashes.append(value[kept] * _MIX)
        rows.append(owner[:end][kept])
    return np.concatenate(hashes), np.concatenate(rows)
