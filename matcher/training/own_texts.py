"""Our own training texts: blocks of needs and offers that are about the same specific work.

A file ``<activity code>.tsv`` holds blocks; a line ``# name`` opens one, and every other line is
``kind<TAB>language<TAB>text``. The kind is ``need``, ``offer`` or ``not:CODE``, which looks like
this work but is that of another activity, or ``not:none``. ``no-fit.tsv`` (needs
that are no work here at all) and ``context.tsv`` (sentences around the work) hold lines
``language<TAB>text``; ``extra-*.tsv`` holds
single texts, ``activity<TAB>kind<TAB>language<TAB>text``.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matcher.classify import NONE
from matcher.text import LANGUAGES

KINDS = ("need", "offer")
NO_WORK = ("no-fit", "context")


class TrainingTextError(ValueError):
    """A line of a training file cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Text:
    """One training text."""

    kind: str
    language: str
    text: str
    activity: str


@dataclass
class Block:
    """Texts about the same specific work, and near-misses that are other work."""

    activity: str
    name: str
    needs: list[Text] = field(default_factory=list)
    offers: list[Text] = field(default_factory=list)
    misses: list[Text] = field(default_factory=list)

    def add(self, text: Text) -> None:
        """Put a need or an offer where it belongs."""
        (self.needs if text.kind == "need" else self.offers).append(text)

    @property
    def texts(self) -> list[Text]:
        """Needs and offers."""
        return [*self.needs, *self.offers]


def _no_work(path: Path) -> Block:
    """Needs nobody here can meet, or sentences that say no work: lines without a kind."""
    block = Block(NONE, path.stem)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        language, _, text = line.partition("\t")
        if language not in LANGUAGES or not text.strip():
            raise TrainingTextError(f"{path.name} line {number}: want nl|fr|en, a tab and text")
        block.misses.append(Text("need", language, text.strip(), NONE))
    return block


def _loose(path: Path) -> list[Block]:
    """``extra-*.tsv``: single texts that name their activity first; each is a block of its own."""
    blocks: list[Block] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != 4 or fields[1] not in KINDS or fields[2] not in LANGUAGES:
            raise TrainingTextError(
                f"{path.name} line {number}: want activity, need|offer, nl|fr|en and text "
                "between tabs"
            )
        code, kind, language, text = fields
        block = Block(code, f"{path.stem} {number}")
        block.add(Text(kind, language, text.strip(), code))
        blocks.append(block)
    return blocks


def _blocks(path: Path) -> list[Block]:
    """The blocks of one activity."""
    blocks: list[Block] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not blocks:
            blocks.append(Block(path.stem, line.lstrip("# ").strip()))
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != 3 or fields[1] not in LANGUAGES or not fields[2].strip():
            raise TrainingTextError(
                f"{path.name} line {number}: want kind, nl|fr|en and text between tabs"
            )
        kind, language, text = fields
        if kind in KINDS:
            blocks[-1].add(Text(kind, language, text.strip(), path.stem))
        elif kind.startswith("not:"):
            blocks[-1].misses.append(Text("need", language, text.strip(), kind[4:] or NONE))
        else:
            raise TrainingTextError(
                f"{path.name} line {number}: kind {kind!r} is not need, offer or not:CODE"
            )
    return blocks


def read_blocks(folder: Path) -> list[Block]:
    """All blocks of a folder of training files, files in order of name.

    Raises:
        TrainingTextError: no file, or a line that cannot be read.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise TrainingTextError(f"{folder} holds no training texts (*.tsv)")
    blocks: list[Block] = []
    for path in files:
        if path.stem in NO_WORK:
            blocks.append(_no_work(path))
        elif path.stem.startswith("extra-"):
            blocks += _loose(path)
        else:
            blocks += _blocks(path)
    return [block for block in blocks if block.needs or block.offers or block.misses]


def _part(text: str, parts: int) -> int:
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "big") % parts


def hold_out(blocks: Sequence[Block]) -> tuple[list[Block], list[Block]]:
    """Split into blocks to learn from and blocks to judge on, the same at every call.

    Life brings both work never described before and known work in new words. So an eighth of the
    blocks is held out whole, and of the others a quarter of their texts.

    Returns:
        (seen, kept): blocks of seen texts, blocks of held-out texts.
    """
    seen, kept = [], []
    for block in blocks:
        if len(block.texts) < 2:
            seen.append(block)
            continue
        if _part(f"{block.activity}/{block.name}", 8) == 0:
            kept.append(block)
            continue
        here = Block(block.activity, block.name, misses=block.misses)
        apart = Block(block.activity, block.name)
        for text in block.texts:
            (apart if _part(text.text, 4) == 0 else here).add(text)
        seen.append(here)
        kept.append(apart)
    return seen, [block for block in kept if block.texts]
