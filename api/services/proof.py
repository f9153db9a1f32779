"""The proof of a broadcast: everything the ledger holds, as each reader may see it.

Coordinators of the hub get all of it. The firm gets the names of the companies, but not why one
was left out or what it wrote. A company gets its own verdict and lead; of the others it gets what
proves that all were treated alike, by ids and hashes.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from api.errors import NotFound
from api.services import leads, ledger
from api.services.desk import Desk
from matcher.neutrality import GENESIS, content_hash
from matcher.proof import FORMAT, Check, verify
from models import Broadcast, Company, Correction, Hub, Lead, LedgerEntry, Need, VerdictRow

# Events that every reader of a proof may read in full; their details hold ids and hashes only.
OPEN = frozenset(
    {"released", "queued", "no_address", "readdressed", "corrected", "question_answered"}
)
# Events whose moment proves equal treatment, but whose details may hold a mail address or reasons.
MOMENT = frozenset(
    {"handed_over", "hand_over_failed", "refused", "bounced", "became_eligible", "exception"}
)
# What the firm itself did or is told besides.
FIRMS = frozenset({"exception", "chosen", "reopened", "closed", "deadline"})


class Audience(StrEnum):
    COORDINATOR = "coordinator"
    FIRM = "firm"
    COMPANY = "company"


def find(desk: Desk, broadcast_id: str) -> tuple[Broadcast, Audience]:
    """The broadcast and as whom the caller may read it. Raises NotFound for outsiders.

    Firm and companies may know of it from its release on, all at the same moment.
    """
    broadcast = desk.session.get(Broadcast, broadcast_id)
    if broadcast is not None:
        need = desk.session.get_one(Need, broadcast.need_id)
        if desk.actor.hubs & {broadcast.hub_id, need.hub_id}:
            return broadcast, Audience.COORDINATOR
        if broadcast.released_at <= desk.at:
            if need.firm_id in desk.actor.firms:
                return broadcast, Audience.FIRM
            if _judged(desk, broadcast):
                return broadcast, Audience.COMPANY
    raise NotFound("broadcast_not_found", "there is no such broadcast, or it is not yours")


def _judged(desk: Desk, broadcast: Broadcast) -> bool:
    return (
        desk.session.scalar(
            select(VerdictRow.id)
            .where(
                VerdictRow.broadcast_id == broadcast.id,
                VerdictRow.company_id.in_(desk.actor.companies),
            )
            .limit(1)
        )
        is not None
    )


def proof(
    desk: Desk, broadcast: Broadcast, audience: Audience = Audience.COORDINATOR
) -> dict[str, Any]:
    """The proof as JSON: what :func:`matcher.proof.verify` recomputes without a database.

    Whoever gives it to somebody asks :func:`find` first, which says as whom they may read it.
    """
    hub = desk.session.get_one(Hub, broadcast.hub_id)
    own = desk.actor.companies if audience is Audience.COMPANY else None
    sent = leads.leads_of(desk, broadcast.id)
    verdicts = leads.verdicts_of(desk, broadcast.id)
    entries = ledger_as_seen(desk, broadcast, audience)
    return {
        "format": FORMAT,
        "made_at": _utc(desk.at),
        "audience": audience.value,
        "complete": own is None,
        "broadcast": _facts(broadcast, hub),
        "companies": _names(desk, [row.company_id for row in verdicts], own),
        "verdicts": [
            _verdict(row, audience) for row in verdicts if own is None or row.company_id in own
        ],
        "corrections": [
            {"number": each.number, "content": each.content, "content_hash": each.content_hash}
            for each in desk.session.scalars(
                select(Correction)
                .where(Correction.broadcast_id == broadcast.id)
                .order_by(Correction.number)
            )
        ],
        "leads": [
            {"id": lead.id, "company_id": lead.company_id, "late": lead.late}
            for lead in sent
            if own is None or lead.company_id in own
        ],
        "ledger": entries,
        "head": {"entries": len(entries), "hash": entries[-1]["hash"] if entries else GENESIS},
    }


def ledger_as_seen(
    desk: Desk,
    broadcast: Broadcast,
    audience: Audience,
    *,
    after: int = 0,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """The ledger, each entry in full, without its details or by its hashes alone.

    All of it, or `most` entries `after` a sequence.
    """
    own = desk.actor.companies if audience is Audience.COMPANY else None
    mine = frozenset(
        desk.session.scalars(
            select(Lead.id).where(Lead.broadcast_id == broadcast.id, Lead.company_id.in_(own or ()))
        )
    )
    show = _shown(audience, own, mine)
    return [show(entry) for entry in ledger.entries(desk, broadcast.id, after=after, most=most)]


def verify_broadcast(desk: Desk, broadcast_id: str) -> list[Check]:
    """Recompute everything about a broadcast. For the command line and for coordinators.

    Raises NotFound when there is no such broadcast.
    """
    broadcast = desk.session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise NotFound("broadcast_not_found", f"there is no broadcast {broadcast_id}")
    return verify(proof(desk, broadcast))


def _facts(broadcast: Broadcast, hub: Hub) -> dict[str, Any]:
    return {
        "id": broadcast.id,
        "need_id": broadcast.need_id,
        "hub_id": broadcast.hub_id,
        "hub": hub.name,
        "number": broadcast.number,
        "policy": broadcast.policy.value,
        "alpha": broadcast.alpha,
        "threshold": broadcast.threshold,
        "encoder": broadcast.encoder,
        "calibration": broadcast.calibration,
        "content": broadcast.content,
        "content_hash": broadcast.content_hash,
        "released_at": _utc(broadcast.released_at),
        "deadline": _utc(broadcast.deadline),
        "closed_at": _utc(broadcast.closed_at) if broadcast.closed_at else None,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _names(desk: Desk, company_ids: Sequence[str], own: frozenset[str] | None) -> dict[str, str]:
    wanted = [each for each in company_ids if own is None or each in own]
    rows = desk.session.execute(select(Company.id, Company.name).where(Company.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _verdict(row: VerdictRow, audience: Audience) -> dict[str, Any]:
    shown: dict[str, Any] = {"company_id": row.company_id, "eligible": row.eligible}
    if audience is not Audience.FIRM:
        shown |= {"reasons": row.reasons, "match": row.match}
    return shown


def _shown(
    audience: Audience, own: frozenset[str] | None, mine: frozenset[str]
) -> Callable[[LedgerEntry], dict[str, Any]]:
    """How this audience sees a ledger entry: in full, without its details, or by hash alone."""
    readable = OPEN | FIRMS if audience is Audience.FIRM else OPEN

    def show(entry: LedgerEntry) -> dict[str, Any]:
        hashes = {
            "sequence": entry.sequence,
            "previous_hash": entry.previous_hash,
            "hash": entry.hash,
        }
        head = {"at": _utc(entry.at), "event": entry.event, "lead_id": entry.lead_id}
        full = (
            audience is Audience.COORDINATOR
            or entry.event in readable
            or (own is not None and _concerns(entry, own, mine))
        )
        if full:
            return hashes | head | {"details": entry.details}
        if entry.event in MOMENT:
            return hashes | head | {"details_hash": content_hash(entry.details)}
        return hashes

    return show


def _concerns(entry: LedgerEntry, own: frozenset[str], mine: frozenset[str]) -> bool:
    return entry.lead_id in mine or entry.details.get("company_id") in own
