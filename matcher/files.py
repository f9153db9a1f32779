"""Batch ranking of a file of needs against a file of offers, without a database."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from matcher.ranking import Ranker
from matcher.signals import OfferLine


class LineError(ValueError):
    """A line of an input file cannot be used; the message names file, line and what is wrong."""


def read_lines(path: Path) -> Iterator[tuple[str, str, str | None]]:
    """(id, text, company id or None) of each line of a JSON-lines file; empty lines are skipped.

    Raises:
        LineError: the file is missing, or a line is no object with string ``id`` and ``text``, or
            repeats an id.
    """
    if not path.is_file():
        raise LineError(f"{path} does not exist")
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", errors="replace") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                held = json.loads(line)
            except json.JSONDecodeError as error:
                raise LineError(f"{path} line {number}: no JSON ({error.msg})") from error
            if not isinstance(held, dict):
                raise LineError(f"{path} line {number}: want an object, not {type(held).__name__}")
            for name in ("id", "text"):
                if not isinstance(held.get(name), str):
                    raise LineError(f'{path} line {number}: "{name}" must be a string')
            company = held.get("company_id")
            if company is not None and not isinstance(company, str):
                raise LineError(f'{path} line {number}: "company_id" must be a string')
            if held["id"] in seen:
                raise LineError(f"{path} line {number}: id {held['id']!r} was used before")
            seen.add(held["id"])
            yield held["id"], held["text"], company


def rank_files(
    needs: Path,
    offers: Path,
    out: Path,
    top: int | None = None,
    *,
    ranker: Ranker | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Rank all offers for every need and write one JSON line per pair, best first per need.

    Args:
        needs, offers: lines ``{"id", "text"}``; an offer may carry ``"company_id"``.
        out: lines ``{"need_id", "offer_id", "score", "probability"}``, needs in order of input.
        top: keep only the best so many per need.
        ranker: None loads the shipped one.
        progress: called with needs done and needs in all.

    Returns:
        The number of lines written.

    Raises:
        LineError: an input line cannot be used; nothing is written then.
        ValueError: ``top`` is below 1.
    """
    if top is not None and top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    asked = list(read_lines(needs))
    lines = [OfferLine(id_, text, company) for id_, text, company in read_lines(offers)]
    ranker = ranker or Ranker.load()
    index = ranker.index(lines)
    written = 0
    with out.open("w", encoding="utf-8") as handle:
        for done, (need_id, text, _) in enumerate(asked, 1):
            ranking = ranker.rank(text, index)
            for row in ranking.order[:top].tolist():
                held = {
                    "need_id": need_id,
                    "offer_id": lines[row].id,
                    "score": round(float(ranking.score[row]), 6),
                    "probability": round(float(ranking.probability[row]), 6),
                }
                handle.write(json.dumps(held) + "\n")
                written += 1
            if progress is not None:
                progress(done, len(asked))
    return written
