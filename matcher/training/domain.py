"""Second stage of the encoder: our own blocks, with their near-misses as hard negatives.

One step draws one pair from every block of a sample, so that texts of the same work never meet as
negatives; near-misses stand as further negatives. Pairs of the first stage are replayed in
between, so that general knowledge is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from matcher.training.corpus import PairGroups
from matcher.training.own_texts import Block, Text
from matcher.training.static import Progress, Recipe, contrast, same_texts
from matcher.training.student import Student, Vectors

LEAST_REPLAYED = 64  # pairs of a group that come again: fewer are no batch


@dataclass(frozen=True)
class DomainRecipe:
    """What decides the second stage."""

    steps: int = 320
    blocks: int = 800
    learning_rate: float = 0.1
    activity_weight: float = 0.3
    replay_every: int = 2
    replayed: float = 0.25
    """Share of the pairs of the first stage that come again."""
    noisy: float = 0.25
    """Share of texts drawn with typing errors."""
    runs: int = 2
    """Trainings from the same start with other draws, whose vectors are averaged."""
    way: float = 0.85
    """How far the vectors go from those of the first stage to that average."""


def misspell(text: str, rng: np.random.Generator, rate: float = 0.12) -> str:
    """A text with letters left out, doubled or swapped in some of its longer words."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) < 4 or rng.random() > rate:
            continue
        at = int(rng.integers(1, len(word) - 1))
        kind = rng.integers(3)
        if kind == 0:
            words[place] = word[:at] + word[at + 1 :]
        elif kind == 1:
            words[place] = word[:at] + word[at] + word[at:]
        else:
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _pair_of(block: Block, rng: np.random.Generator) -> tuple[Text, Text]:
    """Two different texts of a block, mostly a need and an offer."""
    if block.needs and block.offers and rng.random() < 0.75:
        return (
            block.needs[rng.integers(len(block.needs))],
            block.offers[rng.integers(len(block.offers))],
        )
    first, second = rng.choice(len(block.texts), 2, replace=False)
    return block.texts[first], block.texts[second]


def train_domain(
    tokenizer: Tokenizer,
    start: Vectors,
    blocks: Sequence[Block],
    replay: PairGroups,
    recipe: Recipe,
    domain: DomainRecipe,
    progress: Progress,
) -> Vectors:
    """The vectors after the second stage, from those of the first.

    The mean of several runs that start from the same vectors is better than each of them (a model
    soup, Wortsman et al. 2022), and so is stopping short of it, towards the start (Wortsman et al.
    2022, "Robust fine-tuning of zero-shot models"); both cost nothing at run time.
    """
    torch.set_num_threads(1)  # threads that wait for each other lose to one on a shared machine
    lessons = _Lessons(tokenizer, start, blocks, replay, recipe, domain)
    runs = []
    for number in range(domain.runs):
        lessons.student.set(start)
        runs.append(_train_once(lessons, recipe, domain, progress, recipe.seed + number))
    tokens = np.mean([run.tokens for run in runs], axis=0)
    grams = np.mean([run.grams for run in runs], axis=0)
    return Vectors(
        start.tokens + domain.way * (tokens - start.tokens),
        start.grams + domain.way * (grams - start.grams),
        start.hashes,
    )


class _Lessons:
    """The texts of all runs, each with a misspelt twin, and the pairs that come again."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        start: Vectors,
        blocks: Sequence[Block],
        replay: PairGroups,
        recipe: Recipe,
        domain: DomainRecipe,
    ) -> None:
        rng = np.random.default_rng(recipe.seed)
        self.blocks = [block for block in blocks if len(block.texts) > 1]
        texts = [text for block in blocks for text in [*block.texts, *block.misses]]
        self.number = {code: row for row, code in enumerate(sorted({t.activity for t in texts}))}
        self._noise = {text.text: misspell(text.text, rng) for text in texts}
        again = {}
        for name, group in replay.items():
            kept = int(len(group) * domain.replayed)
            if kept >= LEAST_REPLAYED:
                again[name] = [group[row] for row in np.sort(rng.permutation(len(group))[:kept])]
        replayed = (text for group in again.values() for pair in group for text in pair)
        self.student = Student(tokenizer, start, [*self._noise, *self._noise.values(), *replayed])
        place = self.student.place
        self.again = [
            np.array([(place[a], place[b]) for a, b in group]) for group in again.values()
        ]
        weights = np.array([len(group) * recipe.times(name) for name, group in again.items()])
        self.chances = weights / weights.sum() if len(weights) else weights

    def row(self, text: Text, noisy: bool) -> int:
        """The student's row of a text, or of its misspelt twin."""
        return self.student.place[self._noise[text.text] if noisy else text.text]


def _train_once(
    lessons: _Lessons, recipe: Recipe, domain: DomainRecipe, progress: Progress, seed: int
) -> Vectors:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    student, number = lessons.student, lessons.number

    def rows_of(texts: Sequence[Text]) -> NDArray[np.int64]:
        return np.array([lessons.row(text, rng.random() < domain.noisy) for text in texts])

    head = torch.nn.Linear(recipe.dimension, len(number))
    optimisers = [
        student.optimiser(domain.learning_rate),
        torch.optim.Adam(head.parameters(), 0.01),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(
            each, lambda step: min((step + 1) / 20, 1 - step / (domain.steps + 1))
        )
        for each in optimisers
    ]
    for step in range(domain.steps):
        chosen = [
            lessons.blocks[row] for row in rng.permutation(len(lessons.blocks))[: domain.blocks]
        ]
        pairs = [_pair_of(block, rng) for block in chosen]
        misses = [b.misses[rng.integers(len(b.misses))] for b in chosen if b.misses]
        others = [*(right for _, right in pairs), *misses]
        left, right = student(rows_of([left for left, _ in pairs])), student(rows_of(others))
        loss = contrast(left, right, recipe)
        if domain.activity_weight:
            unit = functional.normalize(torch.cat([left, right]), dim=1)
            codes = [number[text.activity] for text in [*(a for a, _ in pairs), *others]]
            named = functional.cross_entropy(head(unit) * 4, torch.tensor(codes))
            loss = loss + domain.activity_weight * named
        if lessons.again and step % domain.replay_every == 0:
            group = lessons.again[rng.choice(len(lessons.again), p=lessons.chances)]
            rows = group[rng.choice(len(group), min(recipe.batch, len(group)), replace=False)]
            again = student(rows[:, 0]), student(rows[:, 1])
            loss = loss + contrast(*again, recipe, same_texts(rows))
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            schedule.step()
        if step % 20 == 0 or step + 1 == domain.steps:
            progress(f"own texts, loss {loss.item():.3f}", (step + 1) / domain.steps)
    return student.vectors()
