"""Verdicts and matches: who may receive a need and why, and which offers suit it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select

from api import wording
from api.errors import NotFound
from api.pagination import Paging, PagingDep, cut, make_cursor, paginate
from api.routes.access import FOUND, CompaniesRead, Lang, NeedsRead, PathId, noun
from api.routes.match import name_companies, ranked, read_steps
from api.schemas.base import Page
from api.schemas.match import MatchResult
from api.schemas.verdicts import CompanyName, CompanyVerdictOut, MatchOut, ReasonOut, VerdictOut
from api.services import authorisation, companies, leads, matching, needs, vectors
from api.services.desk import Desk
from models import Broadcast, Company, Need, VerdictRow
from models.states import NeedState

router = noun("verdicts")
WAITING = (NeedState.DRAFT, NeedState.SUBMITTED, NeedState.RETURNED)


def reasons_out(desk: Desk, lang: str, reasons: Sequence[Mapping[str, Any]]) -> list[ReasonOut]:
    names = desk.runtime.certificates
    return [ReasonOut(**each, text=wording.reason(lang, each, names)) for each in reasons]


def verdicts_out(desk: Desk, rows: Sequence[VerdictRow], lang: str) -> list[VerdictOut]:
    """Frozen verdicts with the names of their companies."""
    named = desk.session.execute(
        select(Company.id, Company.name).where(Company.id.in_([row.company_id for row in rows]))
    )
    names = {each.id: each.name for each in named}
    return [
        VerdictOut(
            company=CompanyName(id=row.company_id, name=names[row.company_id]),
            eligible=row.eligible,
            reasons=reasons_out(desk, lang, row.reasons),
            match=MatchOut.model_validate(row.match),
        )
        for row in rows
    ]


@router.get("/needs/{need_id}/verdicts", responses=FOUND)
def list_verdicts(
    desk: NeedsRead, need_id: PathId, paging: PagingDep, lang: Lang
) -> Page[VerdictOut]:
    """Every company judged for a need, by company id. Scope `needs:read`.

    Before release coordinators see the verdicts of this moment, after it those that were frozen.
    A maatwerkbedrijf sees the verdict on itself, once released.
    """
    if desk.actor.companies:
        return _own(desk, need_id, paging, lang)
    need = authorisation.need_as_coordinator(desk, need_id)
    broadcast = leads.present(desk, need.id)
    if broadcast is not None and need.state not in WAITING:
        statement = select(VerdictRow).where(VerdictRow.broadcast_id == broadcast.id)
        return _frozen(desk, statement, paging, lang)
    judged = matching.assess(desk, needs.with_steps(desk, need)).judged
    after = paging.key(str) or ""
    rest = [each for each in judged if each.company.id > after]
    items = [
        VerdictOut(
            company=CompanyName(id=each.company.id, name=each.company.name),
            eligible=each.verdict.eligible,
            reasons=reasons_out(desk, lang, [reason.as_dict() for reason in each.verdict.reasons]),
            match=MatchOut.model_validate(each.match.as_dict()),
        )
        for each in rest[: paging.limit]
    ]
    more = len(rest) > paging.limit
    return Page(items=items, next_cursor=make_cursor(items[-1].company.id) if more else None)


def _own(desk: Desk, need_id: str, paging: Paging, lang: str) -> Page[VerdictOut]:
    broadcast = leads.present(desk, need_id)
    if broadcast is not None and broadcast.released_at <= desk.at:
        statement = select(VerdictRow).where(
            VerdictRow.broadcast_id == broadcast.id,
            VerdictRow.company_id.in_(desk.actor.companies),
        )
        page = _frozen(desk, statement, paging, lang)
        if page.items or paging.cursor:
            return page
    raise NotFound("need_not_found", "there is no such need, or it is not yours")


def _frozen(desk: Desk, statement: Any, paging: Paging, lang: str) -> Page[VerdictOut]:
    rows, following = paginate(desk.session, statement, VerdictRow.company_id, paging)
    return Page(items=verdicts_out(desk, rows, lang), next_cursor=following)


@router.get("/companies/{company_id}/verdicts", responses=FOUND)
def list_company_verdicts(
    desk: CompaniesRead, company_id: PathId, paging: PagingDep, lang: Lang
) -> Page[CompanyVerdictOut]:
    """Every released verdict on one company, with the reasons. Itself, and its needs' hubs.

    This is where a maatwerkbedrijf reads why it did not receive a need. Scope `companies:read`.
    """
    company = companies.load(desk, company_id)
    statement = (
        select(VerdictRow, Broadcast)
        .join(Broadcast, Broadcast.id == VerdictRow.broadcast_id)
        .where(VerdictRow.company_id == company.id, Broadcast.released_at <= desk.at)
        .order_by(VerdictRow.id)
    )
    if company.id not in desk.actor.companies:
        authorisation.require_any_coordinator(desk.actor)
        statement = statement.join(Need, Need.id == Broadcast.need_id).where(
            Need.hub_id.in_(desk.actor.hubs)
        )
    after = paging.key(str)
    if after is not None:
        statement = statement.where(VerdictRow.id > after)
    found = desk.session.execute(statement.limit(paging.limit + 1)).all()
    released = {row.id: broadcast.released_at for row, broadcast in found}
    rows, following = cut([row for row, _ in found], "id", paging)
    return Page(
        items=[
            CompanyVerdictOut(
                **shown.model_dump(),
                id=row.id,
                broadcast_id=row.broadcast_id,
                released_at=released[row.id],
            )
            for row, shown in zip(rows, verdicts_out(desk, rows, lang), strict=True)
        ],
        next_cursor=following,
    )


@router.get("/needs/{need_id}/matches", responses=FOUND)
def list_matches(
    desk: NeedsRead,
    need_id: PathId,
    lang: Lang,
    top: Annotated[int, Query(ge=1, le=200, description="how many offers")] = 20,
) -> MatchResult:
    """The offers that suit a need best, with the words that say so. Coordinators.

    A ranking decides neither who receives a need nor in which order the firm sees companies.
    """
    need = needs.with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    ranker = matching.calibrated(desk)
    reading = matching.reading_of(desk.runtime, need)
    ranking = ranker.rank(reading, vectors.offer_index(desk))
    offers = ranked(ranker, ranking, top)
    name_companies(desk, offers)
    return MatchResult(
        language=reading.language,
        fit=round(reading.fit, 6),
        fits=ranker.fits(reading),
        steps=read_steps(desk.runtime.activities, reading.steps, lang),
        unasked=read_steps(desk.runtime.activities, matching.unasked(desk.runtime, need), lang),
        offers=offers,
        encoder=ranker.encoder.identity,
    )
