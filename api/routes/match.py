"""Match: a text against offers, without an account and without keeping anything."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Invalid
from api.routes.access import Lang, noun, problems
from api.schemas.match import (
    ActivityOut,
    MatchIn,
    MatchResult,
    OfferLineIn,
    RankedOffer,
    ReadStepOut,
    WordOut,
)
from api.services import checks, matching, vectors
from api.services.desk import Desk
from api.web import RuntimeDep, SessionDep, only_read
from matcher.activities import Activities
from matcher.explain import explain
from matcher.ranking import Ranker, Ranking
from matcher.reading import ReadStep
from matcher.signals import OfferIndex, OfferLine
from models import Company

router = noun("match")
EXPLAINED = 400  # characters: weighing every pair of words takes time with their square


@router.post("/match", responses=problems(400, 413, 422, 429, 503))
def match(body: MatchIn, session: SessionDep, runtime: RuntimeDep, lang: Lang) -> MatchResult:
    """Rank offers for a text: language, steps, activities, and the offers, best first.

    Needs no token; 120 requests a minute for each caller. It keeps nothing and changes nothing,
    so it may be repeated freely and takes no Idempotency-Key.
    """
    desk = Desk(session, runtime)
    text = checks.text(body.text, "text")
    if body.offers is None:
        only_read(session)
        ranker, index = matching.calibrated(desk), vectors.offer_index(desk)
    else:
        # With offers sent along nothing of this installation plays a part, nor its database.
        ranker, index = runtime.ranker, _index(runtime.ranker, body.offers)
    ranking = ranker.rank(matching.read(runtime, text), index)
    reading = ranking.reading
    offers = ranked(ranker, ranking, body.top)
    if body.offers is None:
        name_companies(desk, offers)
    return MatchResult(
        language=reading.language,
        fit=round(reading.fit, 6),
        fits=ranker.fits(reading),
        steps=read_steps(runtime.activities, reading.steps, lang),
        unasked=read_steps(runtime.activities, reading.unasked, lang),
        offers=offers,
        encoder=ranker.encoder.identity,
    )


def read_steps(activities: Activities, steps: Sequence[ReadStep], lang: str) -> list[ReadStepOut]:
    """Steps of a reading with the names of their activities."""
    return [
        ReadStepOut(
            text=step.text,
            activities=[
                ActivityOut(
                    code=code,
                    label=activities[code].label(lang),
                    probability=round(probability, 6),
                )
                for code, probability in step.activities
            ],
        )
        for step in steps
    ]


def ranked(ranker: Ranker, ranking: Ranking, top: int) -> list[RankedOffer]:
    """The best offers of a ranking, each with the words that carried it."""
    found = []
    for row in ranking.order[:top].tolist():
        line, step = ranking.offers[row], _best_step(ranking, row)
        why = explain(ranker, step, line.text[:EXPLAINED])
        found.append(
            RankedOffer(
                offer_id=line.id,
                company_id=line.company_id,
                company=None,
                text=line.text,
                score=round(float(ranking.score[row]), 6),
                probability=round(float(ranking.probability[row]), 6),
                step=step,
                need_words=_words(why.need_words),
                offer_words=_words(why.offer_words),
            )
        )
    return found


def _best_step(ranking: Ranking, row: int) -> str:
    """The piece of the text that an offer suits best, cut to what can be explained quickly."""
    steps = ranking.reading.steps
    best = int(ranking.step_probabilities[:, row].argmax()) if len(steps) > 1 else 0
    return (steps[best].text if steps else ranking.reading.text)[:EXPLAINED]


def _words(weighted: Sequence[tuple[str, float]]) -> list[WordOut]:
    return [WordOut(word=word, weight=round(weight, 4)) for word, weight in weighted]


def _index(ranker: Ranker, offers: Sequence[OfferLineIn]) -> OfferIndex:
    lines = [OfferLine(each.id, each.text, each.company_id) for each in offers]
    if len({line.id for line in lines}) != len(lines):
        raise Invalid("same_id", "offers: two offers have the same id", field="offers")
    return ranker.index(lines)


def name_companies(desk: Desk, offers: list[RankedOffer]) -> None:
    ids = {offer.company_id for offer in offers if offer.company_id}
    rows = desk.session.execute(select(Company.id, Company.name).where(Company.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    for offer in offers:
        offer.company = names.get(offer.company_id or "")
