"""The audit trail: written in the same transaction as the deed it tells of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from api.services.desk import Desk
from models import AuditEntry


def record(
    desk: Desk, action: str, noun: str, object_id: str, hub_id: str | None = None, **details: Any
) -> AuditEntry:
    """Keep who did what to which object; details hold ids and codes, no contact data."""
    entry = AuditEntry(
        actor=desk.actor.name,
        action=action,
        noun=noun,
        object_id=object_id,
        hub_id=hub_id,
        details=details,
        created_at=desk.at,
    )
    desk.session.add(entry)
    return entry


def of(desk: Desk, noun: str, object_id: str) -> Sequence[AuditEntry]:
    """Everything that was done to one object, oldest first."""
    return desk.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.noun == noun, AuditEntry.object_id == object_id)
        .order_by(AuditEntry.id)
    ).all()
