"""Our own training texts: blocks of needs and offers that are about the same specific work.

A file ``<activity code>.tsv`` holds blocks; a line ``# name`` opens one, and every other line is
``kind<TAB>language<TAB>text``. The kind is ``need``, ``offer`` or ``not:CODE``, which looks like
this work but is that of another activity, or ``not:none``. ``no-fit.tsv`` (needs
that are no work here at all) and ``context.tsv`` (sentences around the work) hold lines
``language<TAB>text``.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from matcher.classify import NONE
from matcher.text import LANGUAGES

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

    @property
    def texts(self) -> list[Text]:
        """Needs and offers."""
        return [*self.needs, *self.offers]

    def fold(self, folds: int) -> int:
        """Which of ``folds`` parts the block belongs to: fixed by activity and name."""
        digest = hashlib.sha256(f"{self.activity}/{self.name}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % folds


def _no_work(path: Path) -> Block:
    """Needs nobody here can meet, or sentences that say no work: lines without a kind."""
    block = Block(NONE, path.stem)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        language, _, text = line.partition("\t")
        if language not in LANGUAGES or not text.strip():
            raise TrainingTextError(f"{path.name} line {number}: want nl|fr|en, a tab and text")
        block.misses.append(Text("need", language, text.strip(), NONE))
    return block


def read_blocks(folder: Path) -> list[Block]:
    """All blocks of a folder of training files, files in order of name.

    Raises:
        TrainingTextError: no file, or a line that is not a block title or three fields.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise TrainingTextError(f"{folder} holds no training texts (*.tsv)")
    blocks: list[Block] = []
    for path in files:
        if path.stem in NO_WORK:
            blocks.append(_no_work(path))
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("#"):
                blocks.append(Block(path.stem, line[1:].strip()))
                continue
            if not line.strip():
                continue
            if not blocks or blocks[-1].activity != path.stem:
                blocks.append(Block(path.stem, ""))
            fields = line.split("\t")
            kind = fields[0]
            if len(fields) != 3 or fields[1] not in {"nl", "fr", "en"} or not fields[2].strip():
                raise TrainingTextError(
                    f"{path.name} line {number}: want kind, nl|fr|en and text between tabs"
                )
            if kind in {"need", "offer"}:
                item = Text(kind, fields[1], fields[2].strip(), path.stem)
                (blocks[-1].needs if kind == "need" else blocks[-1].offers).append(item)
            elif kind.startswith("not:"):
                item = Text("need", fields[1], fields[2].strip(), kind[4:] or NONE)
                blocks[-1].misses.append(item)
            else:
                raise TrainingTextError(
                    f"{path.name} line {number}: kind {kind!r} is not need, offer or not:CODE"
                )
    return [block for block in blocks if block.needs or block.offers or block.misses]
