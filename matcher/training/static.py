"""First stage of the encoder: public text pairs, in-batch negatives at several dimensions.

The loss is symmetric InfoNCE (van den Oord et al. 2018, "multiple negatives ranking") summed over
prefixes of the vector (Matryoshka, Kusupati et al. 2022). Tokens and character n-grams are learnt
together (as in fastText, Bojanowski et al. 2017): half of the Dutch words here are compounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from matcher.training.corpus import PairGroups
from matcher.training.student import Student, Vectors

Progress = Callable[[str, float], None]
"""Called with what is being done and the part done (0 to 1)."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, so that a model card can print it."""

    vocabulary: int = 48_000
    dimension: int = 256
    matryoshka: tuple[int, ...] = (256, 128)
    epochs: int = 2
    batch: int = 1024
    learning_rate: float = 0.05
    temperature: float = 0.05
    seed: int = 7
    teacher_weight: float = 5.0
    """Weight of the cosine distance to the teacher's vector, where there is one."""
    weights: dict[str, float] = field(default_factory=lambda: {"esco-occupations": 2.0})
    """Group name prefix -> how many times its pairs are seen per epoch (1 when absent)."""

    def times(self, group: str) -> float:
        """How many times the pairs of a group are seen per epoch."""
        return next((w for prefix, w in self.weights.items() if group.startswith(prefix)), 1.0)


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
    left: torch.Tensor, right: torch.Tensor, recipe: Recipe, same: torch.Tensor | None = None
) -> torch.Tensor:
    """Symmetric InfoNCE over the Matryoshka prefixes.

    Args:
        left, right: (n, d) and (n or more, d) pooled vectors; row i of each belong together, what
            ``right`` has beyond is no partner of any.
        same: (n, n) True where a pair off the diagonal is no negative (same text or same work).
    """
    rows = len(left)
    target = torch.arange(rows)
    total = left.new_zeros(())
    for size in recipe.matryoshka:
        a = functional.normalize(left[:, :size], dim=1)
        b = functional.normalize(right[:, :size], dim=1)
        logits = (a @ b.T) / recipe.temperature
        if same is not None:
            logits = logits.masked_fill(same, -1e4)
        total = total + functional.cross_entropy(logits, target)
        total = total + functional.cross_entropy(logits[:, :rows].T, target)
    return total / (2 * len(recipe.matryoshka))


def same_texts(pairs: NDArray[np.int64]) -> torch.Tensor:
    """(n, n) True where a left and a right side of (n, 2) pairs are no negatives of each other."""
    a, b = torch.from_numpy(pairs[:, 0]), torch.from_numpy(pairs[:, 1])
    same = (a[:, None] == a[None]) | (b[:, None] == b[None]) | (a[:, None] == b[None])
    return same.fill_diagonal_(False)


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
        times = recipe.times(name)
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
    start: Vectors,
    pairs: PairGroups,
    recipe: Recipe,
    progress: Progress,
    teacher: Teacher | None = None,
) -> Vectors:
    """The vectors after training on all pairs, from a start (:meth:`Vectors.untrained`)."""
    torch.set_num_threads(1)  # threads that wait for each other lose to one on a shared machine
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    student = Student(
        tokenizer, start, [t for group in pairs.values() for pair in group for t in pair]
    )
    place = student.place
    rows = {
        name: np.array([(place[a], place[b]) for a, b in group])
        for name, group in pairs.items()
        if group
    }
    plan = [batch for _ in range(recipe.epochs) for batch in _batches(rows, recipe, rng)]
    steps = len(plan)
    warm = max(1, steps // 10)
    optimiser = student.optimiser(recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm))),
    )
    for done, batch in enumerate(plan, 1):
        left, right = student(batch[:, 0]), student(batch[:, 1])
        loss = contrast(left, right, recipe, same_texts(batch))
        if teacher is not None:
            loss = loss + recipe.teacher_weight * _distance(
                (left, right), teacher.of_pairs(student.texts, batch), teacher
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if done % 20 == 0 or done == steps:
            progress(f"encoder, loss {loss.item():.3f}", done / steps)
    return student.vectors()
