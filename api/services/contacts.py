"""Who saw the contact data of a need: one line in the audit trail per viewer and day."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time

from sqlalchemy import select

from api.services import audit
from api.services.desk import BRUSSELS, Desk
from models import AuditEntry, Need

ACTION = "saw_contact"


def seen(desk: Desk, *needs: Need) -> None:
    """Note that the caller was shown name, mail address and phone of who asked.

    The firm itself is not noted. A request that only reads notes it in a transaction of its own.
    """
    of_others = {each.id: each for each in needs if each.firm_id not in desk.actor.firms}
    for need_id in _noted_today(desk, list(of_others)):
        del of_others[need_id]
    if not of_others:
        return
    if desk.session.connection().get_execution_options().get("read_only"):
        with desk.runtime.sessions.begin() as session:
            _note(Desk(session, desk.runtime, desk.actor, desk.at), of_others.values())
    else:
        _note(desk, of_others.values())


def _noted_today(desk: Desk, need_ids: list[str]) -> Sequence[str]:
    midnight = datetime.combine(desk.today, time(0), BRUSSELS)
    return desk.session.scalars(
        select(AuditEntry.object_id)
        .where(
            AuditEntry.noun == "need",
            AuditEntry.object_id.in_(need_ids),
            AuditEntry.action == ACTION,
            AuditEntry.actor == desk.actor.name,
            AuditEntry.created_at >= midnight,
        )
        .distinct()
    ).all()


def _note(desk: Desk, needs: Iterable[Need]) -> None:
    for need in needs:
        audit.record(desk, ACTION, "need", need.id, need.hub_id)
