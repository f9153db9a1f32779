"""Matching a loose text: for the command line and the stateless API, nothing is stored."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError

from api.errors import Misconfigured
from api.runtime import Runtime
from api.services import vectors
from api.services.desk import NOBODY, Desk
from api.services.sheets import read_rows
from api.settings import DATA, load_settings
from matcher.explain import Explanation, explain
from matcher.ranking import Ranker, Ranking
from matcher.reading import Reading
from matcher.signals import OfferLine
from models import Company


@dataclass(frozen=True)
class MatchedCompany:
    """A company and the offer of it that suits best."""

    company_id: str
    company: str
    offer: str
    probability: float
    explanation: Explanation


@dataclass(frozen=True)
class MatchedText:
    """What was read in a text, and the companies, best first."""

    reading: Reading
    fits: bool
    rows: tuple[MatchedCompany, ...]


def match_text(text: str, offers: Path | None = None, *, top: int = 10) -> MatchedText:
    """The best `top` companies of a file, else of the configured database, else of the demo."""
    if offers is not None:
        rows = read_rows(offers.name, offers.read_bytes(), ["id", "text"], ["company_id"])
        ranker = Ranker.load(DATA)
        lines = [OfferLine(row["id"], row["text"], row["company_id"] or row["id"]) for row in rows]
        return _matched(ranker, ranker.rank(text, ranker.index(lines)), {}, top)
    try:
        runtime = Runtime.start(load_settings())
        with runtime.sessions() as session:
            index = vectors.offer_index(Desk(session, runtime, NOBODY))
            if index.offers:
                found = session.execute(select(Company.id, Company.name))
                names = {row[0]: row[1] for row in found}
                return _matched(runtime.ranker, runtime.ranker.rank(text, index), names, top)
    except (Misconfigured, OperationalError, ProgrammingError):
        pass  # nothing installed yet: the demo network shows what it will do
    return _demo(text, top)


def _demo(text: str, top: int) -> MatchedText:
    def rows(name: str) -> list[dict[str, str]]:
        path = DATA / "demo" / name
        return [row.cells for row in read_rows(name, path.read_bytes(), [], [])]

    ranker = Ranker.load(DATA)
    names = {row["external_id"]: row["name"] for row in rows("companies.csv")}
    lines = [OfferLine(r["external_id"], r["text"], r["company"]) for r in rows("offers.csv")]
    return _matched(ranker, ranker.rank(text, ranker.index(lines)), names, top)


def _matched(ranker: Ranker, ranking: Ranking, names: dict[str, str], top: int) -> MatchedText:
    found = sorted(
        ranking.best_by_company().values(), key=lambda each: (-each.probability, each.company_id)
    )
    rows = tuple(
        MatchedCompany(
            each.company_id,
            names.get(each.company_id, each.company_id),
            each.offer.text,
            each.probability,
            explain(ranker, ranking.reading.text, each.offer.text),
        )
        for each in found[:top]
    )
    return MatchedText(ranking.reading, ranker.fits(ranking.reading), rows)
