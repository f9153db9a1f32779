"""Second stage of the encoder: our own blocks, with their near-misses as hard negatives.

One step draws one pair from every block of a sample, so that texts of the same work never meet as
negatives; other work of the same activity is a weak negative, a near-miss a full one. A linear
layer that must name the activity from the same vector pulls one activity together. Pairs of the
first stage are replayed in between, so that general knowledge is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from matcher.training.corpus import PairGroups
from matcher.training.own_texts import Block
from matcher.training.static import Bags, Progress, Recipe, contrast


@dataclass(frozen=True)
class DomainRecipe:
    """What decides the second stage."""

    steps: int = 400
    blocks: int = 768
    learning_rate: float = 0.05
    same_activity: float = -1.0
    """Added to the logit of other work of the same activity: it counts exp(-1) as a negative."""
    activity_weight: float = 0.3
    replay_every: int = 3


def _pairs_of(block: Block, rng: np.random.Generator) -> tuple[str, str]:
    """Two different texts of a block, mostly a need and an offer."""
    if block.needs and block.offers and rng.random() < 0.75:
        return (
            block.needs[rng.integers(len(block.needs))].text,
            block.offers[rng.integers(len(block.offers))].text,
        )
    texts = block.texts
    first, second = rng.choice(len(texts), 2, replace=False)
    return texts[first].text, texts[second].text


def train_domain(
    tokenizer: Tokenizer,
    start: NDArray[np.float32],
    blocks: Sequence[Block],
    replay: PairGroups,
    recipe: Recipe,
    domain: DomainRecipe,
    progress: Progress,
) -> NDArray[np.float32]:
    """Token vectors (vocabulary, dimension) after the second stage, from those of the first."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    usable = [block for block in blocks if len(block.texts) > 1]
    texts = [text.text for block in blocks for text in [*block.texts, *block.misses]]
    kept = [pair for group in replay.values() for pair in group]
    bags = Bags(tokenizer, [*texts, *(text for pair in kept for text in pair)])
    replayed = [
        np.array([(bags.index[a], bags.index[b]) for a, b in group])
        for group in replay.values()
        if len(group) >= 256
    ]
    sizes = np.array([len(group) for group in replayed], dtype=float)
    codes = sorted({text.activity for block in blocks for text in [*block.texts, *block.misses]})
    number = {code: row for row, code in enumerate(codes)}

    table = torch.nn.EmbeddingBag(start.shape[0], start.shape[1], mode="mean")
    with torch.no_grad():
        table.weight.copy_(torch.from_numpy(start))
    head = torch.nn.Linear(start.shape[1], len(codes))
    optimiser = torch.optim.Adam(
        [
            {"params": table.parameters(), "lr": domain.learning_rate},
            {"params": head.parameters(), "lr": 0.01},
        ]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 20, 1 - step / (domain.steps + 1))
    )
    for step in range(domain.steps):
        drawn = rng.permutation(len(usable))[: domain.blocks]
        chosen = [usable[row] for row in drawn]
        pairs = [_pairs_of(block, rng) for block in chosen]
        misses = [block.misses[rng.integers(len(block.misses))] for block in chosen if block.misses]
        lefts = np.array([bags.index[a] for a, _ in pairs])
        rights = np.array([bags.index[b] for _, b in pairs] + [bags.index[m.text] for m in misses])
        left, right = table(*bags.draw(lefts)), table(*bags.draw(rights))
        mine = torch.tensor([number[block.activity] for block in chosen])
        theirs = torch.cat(
            [mine, torch.tensor([number[m.activity] for m in misses], dtype=torch.int64)]
        )
        loss = _block_loss(left, right, mine, theirs, recipe, domain)
        named = torch.cat([left, right])
        target = torch.cat([mine, theirs])
        unit = functional.normalize(named, dim=1)
        loss = loss + domain.activity_weight * functional.cross_entropy(head(unit) * 4, target)
        if replayed and step % domain.replay_every == 0:
            group = replayed[rng.choice(len(replayed), p=sizes / sizes.sum())]
            rows = group[rng.choice(len(group), min(recipe.batch, len(group)), replace=False)]
            a, b = torch.from_numpy(rows[:, 0]), torch.from_numpy(rows[:, 1])
            same = (a[:, None] == a[None]) | (b[:, None] == b[None]) | (a[:, None] == b[None])
            same.fill_diagonal_(False)
            loss = loss + contrast(
                table(*bags.draw(rows[:, 0])), table(*bags.draw(rows[:, 1])), same, recipe
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 20 == 0 or step + 1 == domain.steps:
            progress(f"own texts, loss {loss.item():.3f}", (step + 1) / domain.steps)
    weight: NDArray[np.float32] = table.weight.detach().numpy()
    return weight


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
