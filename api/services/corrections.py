"""Corrections: what is different from what was sent, told to all recipients at one moment."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from api.errors import Conflict
from api.services import audit, authorisation, checks, leads, ledger
from api.services.desk import Desk
from matcher.neutrality import content_hash
from models import Broadcast, Correction
from models.message import MessageKind
from models.states import NeedState


def correct(
    desk: Desk, need_id: str, text: str, *, changes: Mapping[str, Any] | None = None
) -> Correction:
    """A numbered correction of a released need, to all recipients at the same moment.

    `changes` are parts of the content that are different from now on (such as its attachments).
    Raises Conflict when the need is not open.
    """
    need = leads.hold(desk, authorisation.need(desk, need_id).id)
    broadcast = leads.present(desk, need.id)
    if need.state is not NeedState.OPEN or broadcast is None:
        raise Conflict("not_open", "a correction is possible only while the need is open")
    number = 1 + (
        desk.session.scalar(select(func.count()).where(Correction.broadcast_id == broadcast.id))
        or 0
    )
    content = (
        present_content(desk, broadcast)
        | dict(changes or {})
        | {"correction": checks.text(text, "text", least=3, most=5000), "number": number}
    )
    correction = Correction(
        broadcast_id=broadcast.id,
        number=number,
        text=content["correction"],
        content=content,
        content_hash=content_hash(content),
        made_by=desk.actor.person_id or desk.actor.name,
    )
    desk.session.add(correction)
    ledger.append(
        desk, broadcast.id, "corrected", number=number, content_hash=correction.content_hash
    )
    leads.tell_recipients(
        desk, need, MessageKind.CORRECTION, correction=correction.text, number=number
    )
    audit.record(desk, "correct", "need", need.id, need.hub_id, number=number)
    return correction


def present_content(desk: Desk, broadcast: Broadcast) -> dict[str, Any]:
    """What counts now of a broadcast: what was sent, with every correction since."""
    newest = desk.session.scalar(
        select(Correction)
        .where(Correction.broadcast_id == broadcast.id)
        .order_by(Correction.number.desc())
        .limit(1)
    )
    return broadcast.content if newest is None else newest.content
