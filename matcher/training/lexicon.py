"""Our own trilingual lexicon: words of one concept, and the activities they speak of."""

import csv
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from matcher.text import LANGUAGES
from matcher.training.corpus import PairGroups
from matcher.training.own_texts import Block, Text


@dataclass(frozen=True)
class Concept:
    """Words in three languages that name the same thing or work."""

    activities: tuple[str, ...]
    words: dict[str, tuple[str, ...]]

    @property
    def all_words(self) -> list[str]:
        """The words of all languages, each once."""
        return list(dict.fromkeys(word for found in self.words.values() for word in found))


def read_lexicon(data: Path) -> list[Concept]:
    """The rows of ``lexicon.csv``: columns activities, nl, fr, en, values apart by ``|``."""
    with (data / "lexicon.csv").open(encoding="utf-8", newline="") as handle:
        return [
            Concept(
                tuple(row["activities"].split("|")),
                {language: tuple(row[language].split("|")) for language in LANGUAGES},
            )
            for row in csv.DictReader(handle)
        ]


def lexicon_pairs(concepts: list[Concept]) -> PairGroups:
    """Every two words of a concept in the same place of two languages, and their neighbours."""
    groups: PairGroups = {}
    for concept in concepts:
        for a, b in combinations(LANGUAGES, 2):
            for row, word in enumerate(concept.words[a]):
                others = concept.words[b]
                groups.setdefault(f"lexicon:{a}-{b}", []).append((word, others[row % len(others)]))
        for language in LANGUAGES:
            found = concept.words[language]
            groups.setdefault(f"lexicon:{language}", []).extend(pairwise(found))
    return {name: [p for p in pairs if p[0] != p[1]] for name, pairs in groups.items()}


def lexicon_blocks(concepts: list[Concept]) -> list[Block]:
    """Each concept as a block whose offers are its words, under its first activity."""
    blocks = []
    for row, concept in enumerate(concepts):
        block = Block(concept.activities[0], f"lexicon {row}")
        for language in LANGUAGES:
            for word in concept.words[language]:
                block.add(Text("offer", language, word, concept.activities[0]))
        blocks.append(block)
    return blocks
