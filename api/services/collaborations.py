"""Collaborations: what came of a choice, kept up by both sides."""

from collections.abc import Sequence

from sqlalchemy import select

from api.errors import Invalid, NotFound
from api.services import audit, checks
from api.services.desk import Desk
from models import Collaboration, Need
from models.states import CollaborationState


def find(desk: Desk, collaboration_id: str) -> Collaboration:
    """A collaboration, for its firm, its company and the hub. Raises NotFound for others."""
    found = desk.session.get(Collaboration, collaboration_id)
    need = found and desk.session.get(Need, found.need_id)
    if (
        found is None
        or not need
        or not (
            found.company_id in desk.actor.companies
            or need.firm_id in desk.actor.firms
            or need.hub_id in desk.actor.hubs
        )
    ):
        raise NotFound("collaboration_not_found", "there is no such collaboration of yours")
    return found


def update(
    desk: Desk,
    collaboration_id: str,
    *,
    state: CollaborationState | None = None,
    hours_per_week: float | None = None,
    fte: float | None = None,
    tonnes_per_year: float | None = None,
    note: str | None = None,
) -> Collaboration:
    """Say how it goes. Raises Invalid for negative figures, IllegalTransition for the state."""
    found = find(desk, collaboration_id)
    figures = {"hours_per_week": hours_per_week, "fte": fte, "tonnes_per_year": tonnes_per_year}
    for name, value in figures.items():
        if value is not None:
            if not 0 <= value < 1e6:
                raise Invalid("bad_figure", f"{name}: between 0 and 1,000,000", field=name)
            setattr(found, name, value)
    if note is not None:
        found.note = checks.text(note, "note", least=0, most=3000)
    if state is not None:
        found.state = state
    need = desk.session.get_one(Need, found.need_id)
    audit.record(desk, "update", "collaboration", found.id, need.hub_id, state=found.state.value)
    return found


def of_need(desk: Desk, need_id: str) -> Sequence[Collaboration]:
    return desk.session.scalars(
        select(Collaboration).where(Collaboration.need_id == need_id).order_by(Collaboration.id)
    ).all()
