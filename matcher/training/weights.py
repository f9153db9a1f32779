"""Fusion weights, learnt on held-out texts: for each need the right offers among all others.

The loss is the listwise cross-entropy of ListNet (Cao et al. 2007): the scores of all offers, as a
softmax, against their graded gains. Signals of held-out texts come from an encoder, classifier and
prototypes that never saw them, so none is trusted more than it deserves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from matcher.fusion import PAIRS, SIGNALS, Fusion
from matcher.signals import OfferLine, Signals, one_line
from matcher.text import LANGUAGES, detect_language
from matcher.training.own_texts import Block

SAME_WORK, SAME_ACTIVITY = 3.0, 0.2
"""Gains of an offer of the same block, and of other work of the same activity."""
MOST_NEEDS = 1_500
# Offers per need, and those of its own block among them: about what life has. Longer lists hold
# more rivals of one activity, and teach to tell these apart at the cost of finding the activity.
LIST, EXACT = 450, 2
LEAST = {"chars": 1.0, "bm25": 0.5}
"""Least weights of the letters. Near-misses of our texts share letters with what they miss, and
all their words are known; a rare word that need and offer both write must count for something."""
OWN = 1.0  # how strongly the weights of a language pair are drawn to the shared ones


@dataclass(frozen=True)
class JudgedLists:
    """Signals (needs, LIST, signals), gains (needs, LIST) and languages of held-out texts."""

    signals: NDArray[np.float32]
    gains: NDArray[np.float32]
    need_language: NDArray[np.int64]
    """(needs,)."""
    offer_language: NDArray[np.int64]
    """(needs, LIST)."""


def judged_lists(signals: Signals, kept: Sequence[Block], seed: int = 7) -> JudgedLists:
    """Needs of held-out texts, each against a sample of all held-out offers.

    A list holds at most :data:`EXACT` offers of the need's own block.
    """
    rng = np.random.default_rng(seed)
    offers = [(row, block, text) for row, block in enumerate(kept) for text in block.offers]
    index = signals.index([OfferLine(str(n), text.text) for n, (*_, text) in enumerate(offers)])
    work = np.array([row for row, *_ in offers])
    activity = np.array([block.activity for _, block, _ in offers])
    needs = [(row, block, t) for row, block in enumerate(kept) if block.offers for t in block.needs]
    found, gains, languages, others = [], [], [], []
    for place in np.sort(rng.permutation(len(needs))[:MOST_NEEDS]):
        row, block, text = needs[place]
        own = rng.permutation(np.flatnonzero(work == row))[:EXACT]
        rest = rng.permutation(np.flatnonzero(work != row))
        picked = np.concatenate([own, rest])[: min(LIST, 1 + len(rest))]
        cleaned = one_line(text.text)
        language = detect_language(cleaned)
        vectors = signals.encoder.encode([cleaned])
        read = signals.activities([cleaned], vectors)
        seen = signals.see([cleaned], language, vectors, read)
        found.append(signals.compare(seen, index)[:, 0, index.starts[picked]].T)
        near = np.where(activity[picked] == block.activity, SAME_ACTIVITY, 0)
        gains.append(np.where(work[picked] == row, SAME_WORK, near))
        languages.append(LANGUAGES.index(language))
        others.append(index.languages[index.starts[picked]])
    return JudgedLists(
        np.stack(found),
        np.stack(gains).astype(np.float32),
        np.array(languages),
        np.stack(others),
    )


def fit_fusion(judged: JudgedLists, identity: str, steps: int = 250) -> Fusion:
    """Shared weights plus a drawn-to-zero difference for each pair of languages."""
    torch.set_num_threads(1)
    mean = judged.signals.mean(axis=(0, 1))
    spread = judged.signals.std(axis=(0, 1)) + 1e-6
    x = torch.from_numpy((judged.signals - mean) / spread)
    gains = torch.from_numpy(judged.gains)
    target = gains / gains.sum(dim=1, keepdim=True)
    count = len(LANGUAGES)
    pair = torch.from_numpy(judged.need_language[:, None] * count + judged.offer_language)
    shared = torch.zeros(x.shape[2], requires_grad=True)
    own = torch.zeros(count * count, x.shape[2], requires_grad=True)
    bias = torch.zeros(count * count, requires_grad=True)
    optimiser = torch.optim.Adam([shared, own, bias], lr=0.05)
    for step in range(steps):
        picked = torch.arange(step % 3, len(x), 3)
        weights = (shared + own)[pair[picked]]
        scores = (x[picked] * weights).sum(dim=2) + bias[pair[picked]]
        loss = -(target[picked] * torch.log_softmax(scores, dim=1)).sum(dim=1).mean()
        loss = loss + OWN * (own**2).sum() + OWN * (bias**2).sum() + 1e-4 * (shared**2).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    table = (shared + own).detach().numpy() / spread
    for name, least in LEAST.items():
        table[:, SIGNALS.index(name)] = table[:, SIGNALS.index(name)].clip(min=least)
    offset = bias.detach().numpy() - table @ mean
    return Fusion(
        {name: tuple(float(v) for v in table[row]) for row, name in enumerate(PAIRS)},
        {name: float(offset[row]) for row, name in enumerate(PAIRS)},
        identity,
    )
