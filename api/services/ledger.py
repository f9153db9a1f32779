"""The ledger of a broadcast: append only, chained by hash, so that a later change shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from api.services.desk import Desk
from matcher import proof
from matcher.neutrality import GENESIS, content_hash
from models import Broadcast, LedgerEntry


@dataclass(frozen=True)
class Event:
    """Something that happened in a broadcast, before it is in the ledger."""

    name: str
    at: datetime
    lead_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


def append(
    desk: Desk, broadcast_id: str, event: str, lead_id: str | None = None, **details: Any
) -> LedgerEntry:
    """Add an event to a broadcast's ledger, chained to the one before."""
    (entry,) = append_all(desk, broadcast_id, [Event(event, desk.at, lead_id, details)])
    return entry


def append_all(
    desk: Desk, broadcast_id: str, events: Sequence[Event], *, held: bool = False
) -> list[LedgerEntry]:
    """Add several events in this order: one look at the ledger, one write.

    The broadcast's row is locked first (or `held` by the caller already), so that two writers
    cannot both follow the same entry.
    """
    session = desk.session
    if not held:
        session.execute(select(Broadcast.id).where(Broadcast.id == broadcast_id).with_for_update())
    last = session.execute(
        select(LedgerEntry.sequence, LedgerEntry.hash)
        .where(LedgerEntry.broadcast_id == broadcast_id)
        .order_by(LedgerEntry.sequence.desc())
        .limit(1)
    ).first()
    sequence, previous = (last.sequence, last.hash) if last else (0, GENESIS)
    entries = []
    for each in events:
        sequence += 1
        entry = LedgerEntry(
            broadcast_id=broadcast_id,
            sequence=sequence,
            at=each.at,
            event=each.name,
            lead_id=each.lead_id,
            details=each.details,
            previous_hash=previous,
            hash=entry_hash(previous, sequence, each.at, each.name, each.lead_id, each.details),
            created_at=desk.at,
        )
        previous = entry.hash
        entries.append(entry)
    session.add_all(entries)
    session.flush()
    return entries


def entry_hash(
    previous: str,
    sequence: int,
    at: datetime,
    event: str,
    lead_id: str | None,
    details: dict[str, Any],
) -> str:
    """The hash of one entry, as anyone can recompute it from the downloaded proof.

    It covers the hash of the details, so that a copy may leave the details themselves out.
    """
    return proof.entry_hash(
        previous, sequence, at.isoformat(), event, lead_id, content_hash(details)
    )


def entries(
    desk: Desk, broadcast_id: str, *, after: int = 0, most: int | None = None
) -> Sequence[LedgerEntry]:
    """The ledger of a broadcast in order, or `most` entries of it `after` a sequence."""
    return desk.session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.broadcast_id == broadcast_id, LedgerEntry.sequence > after)
        .order_by(LedgerEntry.sequence)
        .limit(most)
    ).all()


def count(desk: Desk, broadcast_id: str, event: str) -> int:
    """How often an event happened in a broadcast."""
    return (
        desk.session.scalar(
            select(func.count())
            .select_from(LedgerEntry)
            .where(LedgerEntry.broadcast_id == broadcast_id, LedgerEntry.event == event)
        )
        or 0
    )
