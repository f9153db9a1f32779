"""The test sets: our own benchmark, and public sets of job titles with published results."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.signals import OfferLine
from matcher.text import LANGUAGES, Language


class EvaluationError(ValueError):
    """A test set or a tool for evaluating is missing or damaged; the message says which."""


@dataclass(frozen=True, slots=True)
class JudgedNeed:
    """A need of the benchmark; no-fit needs have no steps."""

    id: str
    lang: Language
    style: str
    text: str
    steps: int


@dataclass(frozen=True)
class Benchmark:
    """Needs, offers and grades: 2 exactly this work, 1 partly or adjacent, 0 unsuitable."""

    needs: tuple[JudgedNeed, ...]
    offers: tuple[OfferLine, ...]
    grades: NDArray[np.int8]
    """(needs, offers), the highest over the steps of a need."""
    step_grades: tuple[NDArray[np.int8], ...]
    """Per need (steps, offers)."""

    @property
    def has_work(self) -> NDArray[np.bool_]:
        """(needs,) which needs have any step."""
        return np.array([need.steps > 0 for need in self.needs])

    @classmethod
    def load(cls, folder: Path) -> "Benchmark":
        """Read needs.jsonl, offers.jsonl and judgements.tsv.

        Raises:
            EvaluationError: a file is missing, or a judgement names what does not exist.
        """
        needs = tuple(
            JudgedNeed(
                row["id"], _language(row["lang"]), row["style"], row["text"], len(row["steps"])
            )
            for row in _objects(folder / "needs.jsonl")
        )
        offers = tuple(
            OfferLine(row["id"], row["text"], row["company_id"])
            for row in _objects(folder / "offers.jsonl")
        )
        need_at = {need.id: row for row, need in enumerate(needs)}
        offer_at = {offer.id: row for row, offer in enumerate(offers)}
        grades = np.zeros((len(needs), len(offers)), dtype=np.int8)
        steps = tuple(np.zeros((need.steps, len(offers)), dtype=np.int8) for need in needs)
        path = folder / "judgements.tsv"
        _must_exist(path)
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file, delimiter="\t"):
                try:
                    row, column = need_at[line["need_id"]], offer_at[line["offer_id"]]
                    steps[row][int(line["step"]), column] = int(line["grade"])
                except (KeyError, IndexError, ValueError) as error:
                    raise EvaluationError(f"{path}: {line} does not fit the needs") from error
                grades[row, column] = max(grades[row, column], int(line["grade"]))
        return cls(needs, offers, grades, steps)


@dataclass(frozen=True)
class LabelSet:
    """Short labels to be found among many: job titles against a classification."""

    name: str
    query_lang: Language
    document_lang: Language
    queries: tuple[str, ...]
    documents: tuple[str, ...]
    relevant: tuple[NDArray[np.int64], ...]
    """Per query the rows of its relevant documents."""
    id_order: NDArray[np.int64]
    """(documents,) rank of each document's id: decides between equal scores."""

    @classmethod
    def load(cls, folder: Path, documents: str, query_lang: str, document_lang: str) -> "LabelSet":
        """Read queries.tsv, annotations.tsv and the named file of documents.

        Raises:
            EvaluationError: a file is missing or a line has not the columns it should have.
        """
        asked = _pairs(folder / "queries.tsv")
        held = _pairs(folder / documents)
        row_of = {id_: row for row, (id_, _) in enumerate(held)}
        found: dict[str, list[int]] = {id_: [] for id_, _ in asked}
        path = folder / "annotations.tsv"
        try:
            for cells in _cells(path):
                if int(cells[3]) > 0:
                    found[cells[0]].append(row_of[cells[2]])
        except (KeyError, IndexError, ValueError) as error:
            raise EvaluationError(f"{path} does not fit the other files: {error}") from error
        order = np.empty(len(held), dtype=np.int64)
        order[np.argsort(np.array([id_ for id_, _ in held]))] = np.arange(len(held))
        return cls(
            folder.name,
            _language(query_lang),
            _language(document_lang),
            tuple(text for _, text in asked),
            tuple(text for _, text in held),
            tuple(np.array(rows, dtype=np.int64) for rows in found.values()),
            order,
        )


MELO = ("bel_q_nl_c_nl", "nld_q_nl_c_nl", "bel_q_nl_c_en", "bel_q_fr_c_fr")


def melo(shared: Path) -> tuple[LabelSet, ...]:
    """The sets of MELO (Retyk et al. 2024) in our languages: national job titles to ESCO labels."""
    return tuple(
        LabelSet.load(
            shared / "eval" / "melo" / name, "corpus_elements.tsv", *name.split("_")[2::2]
        )
        for name in MELO
    )


def job_titles(shared: Path) -> LabelSet:
    """Job-title similarity (Zbib et al. 2022), Dutch by machine translation."""
    folder = shared / "eval" / "jobtitlesim" / "nl"
    return LabelSet.load(folder, "corpus_documents.tsv", "nl", "nl")


def published(shared: Path) -> dict[tuple[str, str], dict[str, float]]:
    """(model, MELO set) -> figures, as its authors published them."""
    path = shared / "eval" / "melo_published_results.tsv"
    _must_exist(path)
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row.pop("model"), row.pop("dataset")): {k: float(v) for k, v in row.items()}
            for row in csv.DictReader(file, delimiter="\t")
        }


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise EvaluationError(f"{path} does not exist")


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    _must_exist(path)
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _cells(path: Path) -> Iterator[list[str]]:
    _must_exist(path)
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n").split("\t")


def _pairs(path: Path) -> list[tuple[str, str]]:
    found = []
    for number, cells in enumerate(_cells(path), 1):
        if len(cells) != 2:
            raise EvaluationError(f"{path} line {number}: want an id and a text")
        found.append((cells[0], cells[1]))
    return found


def _language(code: str) -> Language:
    for language in LANGUAGES:
        if language == code:
            return language
    raise EvaluationError(f"no language {code!r}: one of {', '.join(LANGUAGES)}")
