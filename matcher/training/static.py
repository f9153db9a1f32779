"""Training of the static token-embedding model: in-batch negatives at several dimensions.

The loss is symmetric InfoNCE (van den Oord et al. 2018, "multiple negatives ranking") summed over
prefixes of the vector (Matryoshka, Kusupati et al. 2022). A text is the mean of its token vectors,
exactly as ``sentence_transformers.models.StaticEmbedding`` computes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from matcher.training.corpus import PairGroups

Progress = Callable[[str, float], None]
"""Called with what is being done and the part done (0 to 1)."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, so that a model card can print it."""

    vocabulary: int = 48_000
    dimension: int = 256
    matryoshka: tuple[int, ...] = (256, 128, 64)
    epochs: int = 3
    batch: int = 1024
    learning_rate: float = 0.2
    temperature: float = 0.05
    seed: int = 7
    teacher_weight: float = 5.0
    """Weight of the cosine distance to the teacher's vector, where there is one."""
    weights: dict[str, float] = field(default_factory=dict)
    """Group name prefix -> how many times its pairs are seen per epoch (1 when absent)."""


class Bags:
    """Texts as rows of a table, kept flat: looked up once, drawn many times."""

    def __init__(self, ids: Sequence[NDArray[np.int64]], empty: int) -> None:
        """``empty`` is the row a text without any gets."""
        filled = [row if len(row) else np.array([empty]) for row in ids]
        self.lengths = np.array([len(row) for row in filled])
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.flat = np.concatenate(filled).astype(np.int64)

    @classmethod
    def of_tokens(cls, tokenizer: Tokenizer, texts: Sequence[str]) -> "Bags":
        """The tokens of each text."""
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return cls([np.asarray(item.ids, dtype=np.int64) for item in encoded], 0)

    def draw(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Table rows and bag offsets of some texts."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        inside = np.arange(lengths.sum()) - np.repeat(offsets, lengths)
        ids = self.flat[np.repeat(self.starts[rows], lengths) + inside]
        return torch.from_numpy(ids), torch.from_numpy(offsets)


@dataclass(frozen=True)
class Teacher:
    """Vectors of an English teacher for some texts, already of the student's dimension."""

    rows: Mapping[str, int]
    vectors: NDArray[np.float32]

    def of_pairs(self, texts: Sequence[str], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """(pairs, 2) row of the teacher for either side, its partner's where it has none, or -1.

        The partner of a Dutch or French text is often its English translation: that is how the
        teacher speaks to languages it does not know.
        """
        own = np.array([[self.rows.get(texts[row], -1) for row in pair] for pair in pairs])
        return np.where(own >= 0, own, own[:, ::-1])


def contrast(
    left: torch.Tensor,
    right: torch.Tensor,
    same: torch.Tensor,
    recipe: Recipe,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Symmetric InfoNCE over the Matryoshka prefixes.

    Args:
        left, right: (n, d) pooled vectors; row i of each belong together.
        same: (n, n) True where a pair off the diagonal is no negative (same text or same work).
    """
    target = torch.arange(len(left))
    total = left.new_zeros(())
    for size in recipe.matryoshka:
        a = functional.normalize(left[:, :size], dim=1)
        b = functional.normalize(right[:, :size], dim=1)
        logits = (a @ b.T) / recipe.temperature
        if bias is not None:
            logits = logits + bias
        logits = logits.masked_fill(same, -1e4)
        total = total + functional.cross_entropy(logits, target)
        total = total + functional.cross_entropy(logits.T, target)
    return total / (2 * len(recipe.matryoshka))


def _distance(
    sides: tuple[torch.Tensor, torch.Tensor], rows: NDArray[np.int64], teacher: Teacher
) -> torch.Tensor:
    """Mean cosine distance of both sides to the teacher, over the texts it has a vector for."""
    total = sides[0].new_zeros(())
    for side, mine in zip(sides, rows.T, strict=True):
        held = np.flatnonzero(mine >= 0)
        if len(held):
            target = torch.from_numpy(teacher.vectors[mine[held]])
            total = total + (1 - functional.cosine_similarity(side[held], target)).mean()
    return total / 2


def _batches(
    groups: dict[str, NDArray[np.int64]], recipe: Recipe, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """One epoch: each batch from one group, so that its negatives are of the same kind."""
    batches = []
    for name, rows in groups.items():
        times = next((w for p, w in recipe.weights.items() if name.startswith(p)), 1.0)
        order = np.concatenate(
            [rng.permutation(len(rows)) for _ in range(int(np.ceil(times)))] or [np.empty(0, int)]
        )[: int(len(rows) * times)]
        for start in range(0, len(order), recipe.batch):
            part = rows[order[start : start + recipe.batch]]
            if len(part) >= 32:
                batches.append(part)
    return [batches[row] for row in rng.permutation(len(batches))]


def train_vectors(
    tokenizer: Tokenizer,
    pairs: PairGroups,
    recipe: Recipe,
    progress: Progress,
    teacher: Teacher | None = None,
) -> NDArray[np.float32]:
    """Token vectors (vocabulary, dimension) trained on all pairs."""
    torch.set_num_threads(1)  # threads that wait for each other lose to one on a shared machine
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    texts = list(dict.fromkeys(t for group in pairs.values() for pair in group for t in pair))
    place = {text: row for row, text in enumerate(texts)}
    bags = Bags.of_tokens(tokenizer, texts)
    rows = {
        name: np.array([(place[a], place[b]) for a, b in group])
        for name, group in pairs.items()
        if group
    }
    table = torch.nn.EmbeddingBag(tokenizer.get_vocab_size(), recipe.dimension, mode="mean")
    plan = [_batches(rows, recipe, rng) for _ in range(recipe.epochs)]
    steps = sum(len(epoch) for epoch in plan)
    optimiser = torch.optim.Adam(table.parameters(), lr=recipe.learning_rate)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm))),
    )
    done = 0
    for epoch in plan:
        for batch in epoch:
            left, right = table(*bags.draw(batch[:, 0])), table(*bags.draw(batch[:, 1]))
            a, b = torch.from_numpy(batch[:, 0]), torch.from_numpy(batch[:, 1])
            same = (a[:, None] == a[None]) | (b[:, None] == b[None]) | (a[:, None] == b[None])
            same.fill_diagonal_(False)
            loss = contrast(left, right, same, recipe)
            if teacher is not None:
                loss = loss + recipe.teacher_weight * _distance(
                    (left, right), teacher.of_pairs(texts, batch), teacher
                )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            done += 1
            if done % 20 == 0 or done == steps:
                progress(f"encoder, loss {loss.item():.3f}", done / steps)
    weight: NDArray[np.float32] = table.weight.detach().numpy()
    return weight
