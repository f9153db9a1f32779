"""Broadcasts: approved once, frozen, and provable from their ledger."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import and_, func, or_, select

from api.idempotency import OnceDep
from api.pagination import PagingDep, cut, paginate
from api.routes.access import (
    FOUND,
    LISTED,
    WRITTEN,
    BroadcastsRead,
    BroadcastsWrite,
    Lang,
    NeedsRead,
    NeedsWrite,
    PathId,
    noun,
)
from api.routes.verdicts import verdicts_out
from api.schemas.base import Id, Page
from api.schemas.broadcasts import (
    ApproveIn,
    BroadcastOut,
    CheckOut,
    CorrectionIn,
    CorrectionOut,
    LedgerEntryOut,
    ProofOut,
    VerificationOut,
)
from api.schemas.verdicts import VerdictOut
from api.services import authorisation, broadcasts, corrections, leads, proof
from api.services.desk import Desk
from api.services.proof import Audience
from matcher.proof import verify
from models import Broadcast, Correction, Lead, Need, VerdictRow

router = noun("broadcasts")


def broadcast_out(desk: Desk, broadcast: Broadcast) -> BroadcastOut:
    """A broadcast with how many received it and how far apart."""
    sent = desk.session.scalar(
        select(func.count()).select_from(Lead).where(Lead.broadcast_id == broadcast.id)
    )
    facts = {name: getattr(broadcast, name) for name in _FACTS}
    return BroadcastOut(
        **facts, leads=sent or 0, spread_seconds=leads.spread_seconds(desk, broadcast.id)
    )


_FACTS = tuple(
    name for name in BroadcastOut.model_fields if name not in ("leads", "spread_seconds")
)


@router.post(
    "/needs/{need_id}/approve", status_code=201, response_model=BroadcastOut, responses=WRITTEN
)
def approve(desk: BroadcastsWrite, need_id: PathId, body: ApproveIn, once: OnceDep) -> Response:
    """Send a need to its whole eligible set, at one moment. Coordinators.

    Freezes every verdict and writes one lead per company. Scope `broadcasts:write`.
    """
    broadcast = broadcasts.approve(desk, need_id, deadline=body.deadline)
    desk.session.flush()
    return once.answer(broadcast_out(desk, broadcast), 201)


@router.post(
    "/needs/{need_id}/corrections", status_code=201, response_model=CorrectionOut, responses=WRITTEN
)
def correct(desk: NeedsWrite, need_id: PathId, body: CorrectionIn, once: OnceDep) -> Response:
    """Say what is different from what was sent; all recipients get it at once. Firm or hub."""
    correction = corrections.correct(desk, need_id, body.text)
    desk.session.flush()
    return once.answer(CorrectionOut.model_validate(correction), 201)


@router.get("/needs/{need_id}/corrections", responses=FOUND)
def list_corrections(desk: NeedsRead, need_id: PathId) -> list[CorrectionOut]:
    """The corrections of a need's present broadcast. Its firm and hub; scope `needs:read`."""
    broadcast = leads.present(desk, authorisation.need(desk, need_id).id)
    if broadcast is None:
        return []
    rows = desk.session.scalars(
        select(Correction)
        .where(Correction.broadcast_id == broadcast.id)
        .order_by(Correction.number)
    )
    return [CorrectionOut.model_validate(row) for row in rows]


@router.get("/broadcasts", responses=LISTED)
def list_broadcasts(
    desk: BroadcastsRead,
    paging: PagingDep,
    need_id: Annotated[Id | None, Query(description="only of this need")] = None,
) -> Page[BroadcastOut]:
    """The broadcasts you may read: of your hub, your firm's needs, or that judged your company."""
    actor = desk.actor
    judged = select(VerdictRow.broadcast_id).where(VerdictRow.company_id.in_(actor.companies))
    statement = (
        select(Broadcast)
        .join(Need, Need.id == Broadcast.need_id)
        .where(
            or_(
                Broadcast.hub_id.in_(actor.hubs),
                Need.hub_id.in_(actor.hubs),
                and_(
                    Broadcast.released_at <= desk.at,
                    or_(Need.firm_id.in_(actor.firms), Broadcast.id.in_(judged)),
                ),
            )
        )
    )
    if need_id is not None:
        statement = statement.where(Broadcast.need_id == need_id)
    rows, following = paginate(desk.session, statement, Broadcast.id, paging)
    return Page(items=[broadcast_out(desk, row) for row in rows], next_cursor=following)


@router.get("/broadcasts/{broadcast_id}", responses=FOUND)
def read_broadcast(desk: BroadcastsRead, broadcast_id: PathId) -> BroadcastOut:
    """One broadcast. Its hub; from the release on its firm and every company it judged."""
    return broadcast_out(desk, proof.find(desk, broadcast_id)[0])


@router.get("/broadcasts/{broadcast_id}/verdicts", responses=FOUND)
def list_frozen_verdicts(
    desk: BroadcastsRead, broadcast_id: PathId, paging: PagingDep, lang: Lang
) -> Page[VerdictOut]:
    """The frozen verdicts, by company id. A company sees the one on itself.

    Firms do not see verdicts: they choose among the interested.
    """
    broadcast, audience = proof.find(desk, broadcast_id)
    if audience is Audience.FIRM:
        authorisation.need_as_coordinator(desk, broadcast.need_id)
    statement = select(VerdictRow).where(VerdictRow.broadcast_id == broadcast.id)
    if audience is Audience.COMPANY:
        statement = statement.where(VerdictRow.company_id.in_(desk.actor.companies))
    rows, following = paginate(desk.session, statement, VerdictRow.company_id, paging)
    return Page(items=verdicts_out(desk, rows, lang), next_cursor=following)


@router.get("/broadcasts/{broadcast_id}/ledger", responses=FOUND)
def list_ledger(
    desk: BroadcastsRead, broadcast_id: PathId, paging: PagingDep
) -> Page[LedgerEntryOut]:
    """The ledger, entry by entry, as you may read it: in full, without details, or by hash."""
    broadcast, audience = proof.find(desk, broadcast_id)
    after = paging.key(int) or 0
    seen = proof.ledger_as_seen(desk, broadcast, audience, after=after, most=paging.limit + 1)
    rows, following = cut([LedgerEntryOut(**each) for each in seen], "sequence", paging)
    return Page(items=list(rows), next_cursor=following)


@router.get("/broadcasts/{broadcast_id}/proof", responses=FOUND)
def read_proof(desk: BroadcastsRead, broadcast_id: PathId) -> ProofOut:
    """The proof: terms, verdicts, leads and ledger, to be recomputed by anyone.

    Coordinators get everything; the firm gets the companies by name but not why or what they
    answered; a company gets its own part, and hashes of the rest.
    """
    broadcast, audience = proof.find(desk, broadcast_id)
    return ProofOut(**proof.proof(desk, broadcast, audience))


@router.get("/broadcasts/{broadcast_id}/verification", responses=FOUND)
def verify_proof(desk: BroadcastsRead, broadcast_id: PathId) -> VerificationOut:
    """Recompute the proof you may download, and say what holds and what does not."""
    broadcast, audience = proof.find(desk, broadcast_id)
    checks = verify(proof.proof(desk, broadcast, audience))
    return VerificationOut(
        ok=all(check.ok for check in checks),
        checks=[CheckOut.model_validate(check) for check in checks],
    )
