"""Second stage of the encoder: our own blocks, with their near-misses as hard negatives.

One step draws one pair from every block of a sample, so that texts of the same work never meet as
negatives; other work of the same activity is a negative of its own weight, and near-misses stand
as further negatives. Vectors of character n-grams are learnt here, beside those of the tokens,
because parts of compounds and misspelt words carry the trade. Pairs of the first stage are
replayed in between, so that general knowledge is kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from matcher.grams import char_grams
from matcher.training.corpus import PairGroups
from matcher.training.own_texts import Block, Text
from matcher.training.static import Bags, Progress, Recipe, contrast


@dataclass(frozen=True)
class DomainRecipe:
    """What decides the second stage."""

    steps: int = 320
    blocks: int = 640
    learning_rate: float = 0.1
    gram_rate: float = 0.1
    grams: int = 26_000
    same_activity: float = 0.0
    """Added to the logit of other work of the same activity: at 0 a negative like all others."""
    activity_weight: float = 0.3
    replay_every: int = 2
    noisy: float = 0.25
    """Share of texts drawn with typing errors."""
    runs: int = 3
    """Trainings from the same start with other draws, whose vectors are averaged."""


@dataclass(frozen=True)
class DomainVectors:
    """Token vectors, and n-gram vectors with the sorted hashes they belong to."""

    tokens: NDArray[np.float32]
    grams: NDArray[np.float32]
    hashes: NDArray[np.uint64]


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


def gram_table(texts: Sequence[str], size: int) -> NDArray[np.uint64]:
    """Sorted hashes of the ``size`` n-grams that most texts hold, of those at least three hold."""
    hashes, rows = char_grams(texts)
    pairs = np.unique(np.stack([hashes, rows.astype(np.uint64)]), axis=1)[0]
    found, counts = np.unique(pairs, return_counts=True)
    best = np.argsort(-counts, kind="stable")[:size]
    return np.sort(found[best[counts[best] >= 3]])


def gram_rows(texts: Sequence[str], table: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """Per text the rows of the table its n-grams have; unknown n-grams are left out."""
    if not len(table):
        return [np.zeros(0, np.int64) for _ in texts]
    hashes, owner = char_grams(texts)
    at = np.searchsorted(table, hashes).clip(max=len(table) - 1)
    known = table[at] == hashes
    order = np.argsort(owner[known], kind="stable")
    counts = np.bincount(owner[known], minlength=len(texts))
    return np.split(at[known][order], np.cumsum(counts)[:-1])


def _pair_of(block: Block, rng: np.random.Generator) -> tuple[Text, Text]:
    """Two different texts of a block, mostly a need and an offer."""
    if block.needs and block.offers and rng.random() < 0.75:
        return (
            block.needs[rng.integers(len(block.needs))],
            block.offers[rng.integers(len(block.offers))],
        )
    first, second = rng.choice(len(block.texts), 2, replace=False)
    return block.texts[first], block.texts[second]


class _Student:
    """Tokens and n-grams of a fixed list of texts, and the two tables that are trained."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        start: NDArray[np.float32],
        texts: Sequence[str],
        hashes: NDArray[np.uint64],
    ) -> None:
        self.texts = list(dict.fromkeys(texts))
        self.place = {text: row for row, text in enumerate(self.texts)}
        self.token_bags = Bags.of_tokens(tokenizer, self.texts)
        self.gram_bags = Bags(gram_rows(self.texts, hashes), len(hashes))
        self.tokens = torch.nn.EmbeddingBag(start.shape[0], start.shape[1], mode="mean")
        self.grams = torch.nn.EmbeddingBag(
            len(hashes) + 1, start.shape[1], mode="mean", padding_idx=len(hashes)
        )
        with torch.no_grad():
            self.tokens.weight.copy_(torch.from_numpy(start))
            self.grams.weight.zero_()

    def __call__(self, rows: NDArray[np.int64]) -> torch.Tensor:
        pooled: torch.Tensor = self.tokens(*self.token_bags.draw(rows))
        grams: torch.Tensor = self.grams(*self.gram_bags.draw(rows))
        return pooled + grams


def train_domain(
    tokenizer: Tokenizer,
    start: NDArray[np.float32],
    blocks: Sequence[Block],
    replay: PairGroups,
    recipe: Recipe,
    domain: DomainRecipe,
    progress: Progress,
) -> DomainVectors:
    """The vectors after the second stage, from the token vectors of the first.

    The mean of several runs that start from the same vectors is better than each of them (a model
    soup, Wortsman et al. 2022), and costs nothing at run time.
    """
    runs = [
        _train_once(
            tokenizer, start, blocks, replay, recipe, domain, progress, recipe.seed + number
        )
        for number in range(domain.runs)
    ]
    return DomainVectors(
        np.mean([run.tokens for run in runs], axis=0),
        np.mean([run.grams for run in runs], axis=0),
        runs[0].hashes,
    )


def _train_once(
    tokenizer: Tokenizer,
    start: NDArray[np.float32],
    blocks: Sequence[Block],
    replay: PairGroups,
    recipe: Recipe,
    domain: DomainRecipe,
    progress: Progress,
    seed: int,
) -> DomainVectors:
    torch.set_num_threads(1)  # threads that wait for each other lose to one on a shared machine
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    usable = [block for block in blocks if len(block.texts) > 1]
    texts = [text for block in blocks for text in [*block.texts, *block.misses]]
    noise = {text.text: misspell(text.text, rng) for text in texts}
    hashes = gram_table([text.text for text in texts], domain.grams)
    groups = [group for group in replay.values() if len(group) >= 256]
    student = _Student(
        tokenizer,
        start,
        [*noise, *noise.values(), *(t for group in groups for pair in group for t in pair)],
        hashes,
    )
    place = student.place
    replayed = [np.array([(place[a], place[b]) for a, b in group]) for group in groups]
    sizes = np.array([len(group) for group in replayed], dtype=float)
    number = {code: row for row, code in enumerate(sorted(Counter(t.activity for t in texts)))}

    def row_of(text: Text) -> int:
        return place[noise[text.text] if rng.random() < domain.noisy else text.text]

    head = torch.nn.Linear(start.shape[1], len(number))
    rates = [domain.learning_rate, domain.gram_rate, 0.01]
    parts = [student.tokens, student.grams, head]
    optimiser = torch.optim.Adam(
        [{"params": m.parameters(), "lr": lr} for m, lr in zip(parts, rates, strict=True)]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 20, 1 - step / (domain.steps + 1))
    )
    for step in range(domain.steps):
        chosen = [usable[row] for row in rng.permutation(len(usable))[: domain.blocks]]
        pairs = [_pair_of(block, rng) for block in chosen]
        misses = [b.misses[rng.integers(len(b.misses))] for b in chosen if b.misses]
        left = student(np.array([row_of(a) for a, _ in pairs]))
        right = student(np.array([row_of(b) for _, b in pairs] + [row_of(m) for m in misses]))
        mine = torch.tensor([number[block.activity] for block in chosen])
        theirs = torch.cat([mine, torch.tensor([number[m.activity] for m in misses]).long()])
        loss = _block_loss(left, right, mine, theirs, recipe, domain)
        if domain.activity_weight:
            unit = functional.normalize(torch.cat([left, right]), dim=1)
            named = functional.cross_entropy(head(unit) * 4, torch.cat([mine, theirs]))
            loss = loss + domain.activity_weight * named
        if replayed and step % domain.replay_every == 0:
            group = replayed[rng.choice(len(replayed), p=sizes / sizes.sum())]
            rows = group[rng.choice(len(group), min(recipe.batch, len(group)), replace=False)]
            a, b = torch.from_numpy(rows[:, 0]), torch.from_numpy(rows[:, 1])
            same = (a[:, None] == a[None]) | (b[:, None] == b[None]) | (a[:, None] == b[None])
            same.fill_diagonal_(False)
            loss = loss + contrast(student(rows[:, 0]), student(rows[:, 1]), same, recipe)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 20 == 0 or step + 1 == domain.steps:
            progress(f"own texts, loss {loss.item():.3f}", (step + 1) / domain.steps)
    return DomainVectors(
        student.tokens.weight.detach().numpy(),
        student.grams.weight.detach().numpy()[:-1],
        hashes,
    )


def _block_loss(
    left: torch.Tensor,
    right: torch.Tensor,
    mine: torch.Tensor,
    theirs: torch.Tensor,
    recipe: Recipe,
    domain: DomainRecipe,
) -> torch.Tensor:
    """InfoNCE over the prefixes; near-misses stand as further columns that belong to no row."""
    rows = len(left)
    bias = (mine[:, None] == theirs[None]).float() * domain.same_activity
    bias[:, :rows].fill_diagonal_(0.0)
    target = torch.arange(rows)
    total = left.new_zeros(())
    for size in recipe.matryoshka:
        a = functional.normalize(left[:, :size], dim=1)
        b = functional.normalize(right[:, :size], dim=1)
        logits = (a @ b.T) / recipe.temperature + bias
        total = total + functional.cross_entropy(logits, target)
        total = total + functional.cross_entropy(logits[:, :rows].T, target)
    return total / (2 * len(recipe.matryoshka))
