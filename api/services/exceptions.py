"""Exceptions: leaving out an eligible company or adding another, only with a written reason."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Conflict, NotFound
from api.services import audit, authorisation, checks
from api.services.desk import Desk
from models import BroadcastException, Company, Need
from models.broadcast import ExceptionKind
from models.states import NeedState


def make(
    desk: Desk, need_id: str, company_id: str, kind: ExceptionKind, reason: str
) -> BroadcastException:
    """Leave out an eligible company or add another: only with a written reason, never silent.

    Raises Conflict once the need is released.
    """
    need = authorisation.need_as_coordinator(desk, need_id)
    require_waiting(need)
    if desk.session.get(Company, company_id) is None:
        raise NotFound("company_not_found", "there is no such maatwerkbedrijf")
    words = checks.text(reason, "reason", least=10, most=2000)
    made = desk.session.scalar(
        select(BroadcastException).where(
            BroadcastException.need_id == need.id, BroadcastException.company_id == company_id
        )
    )
    if made is None:
        made = BroadcastException(need_id=need.id, company_id=company_id)
        desk.session.add(made)
    made.kind = kind
    made.reason = words
    made.made_by = desk.actor.name
    audit.record(
        desk,
        "make_exception",
        "need",
        need.id,
        need.hub_id,
        company_id=company_id,
        kind=kind.value,
    )
    desk.session.flush()
    return made


def undo(desk: Desk, need_id: str, company_id: str) -> None:
    """Take an exception back before release."""
    need = authorisation.need_as_coordinator(desk, need_id)
    require_waiting(need)
    for made in of_need(desk, need.id):
        if made.company_id == company_id:
            desk.session.delete(made)
            audit.record(
                desk, "undo_exception", "need", need.id, need.hub_id, company_id=company_id
            )
    desk.session.flush()


def of_need(desk: Desk, need_id: str) -> Sequence[BroadcastException]:
    return desk.session.scalars(
        select(BroadcastException)
        .where(BroadcastException.need_id == need_id)
        .order_by(BroadcastException.id)
    ).all()


def require_waiting(need: Need) -> None:
    """Raises Conflict when the need is released or closed."""
    if need.state not in (NeedState.SUBMITTED, NeedState.RETURNED):
        raise Conflict(
            "wrong_state",
            f"the need is {need.state.value}; this is possible only before release",
            state=need.state.value,
        )
