"""Collaborations: what came of a choice."""

from sqlalchemy import or_, select

from api.pagination import PagingDep, paginate
from api.routes.access import (
    FOUND,
    LISTED,
    WRITTEN,
    CollaborationsRead,
    CollaborationsWrite,
    PathId,
    noun,
)
from api.schemas.base import Page
from api.schemas.collaborations import CollaborationIn, CollaborationOut
from api.services import collaborations
from models import Collaboration, Need

router = noun("collaborations")


@router.get("/collaborations", responses=LISTED)
def list_collaborations(desk: CollaborationsRead, paging: PagingDep) -> Page[CollaborationOut]:
    """Those of your firm, company or hub. Scope `needs:read` or `leads:read`."""
    statement = (
        select(Collaboration)
        .join(Need, Need.id == Collaboration.need_id)
        .where(
            or_(
                Collaboration.company_id.in_(desk.actor.companies),
                Need.firm_id.in_(desk.actor.firms),
                Need.hub_id.in_(desk.actor.hubs),
            )
        )
    )
    rows, following = paginate(desk.session, statement, Collaboration.id, paging)
    return Page(items=[CollaborationOut.model_validate(row) for row in rows], next_cursor=following)


@router.get("/collaborations/{collaboration_id}", responses=FOUND)
def read_collaboration(desk: CollaborationsRead, collaboration_id: PathId) -> CollaborationOut:
    """One collaboration. Its firm, company and hub; scope `needs:read` or `leads:read`."""
    return CollaborationOut.model_validate(collaborations.find(desk, collaboration_id))


@router.patch("/collaborations/{collaboration_id}", responses=WRITTEN)
def update_collaboration(
    desk: CollaborationsWrite, collaboration_id: PathId, body: CollaborationIn
) -> CollaborationOut:
    """Say how it goes. Its firm, company and hub; scope `needs:write` or `leads:write`."""
    changed = collaborations.update(desk, collaboration_id, **body.model_dump(exclude_none=True))
    desk.session.flush()
    return CollaborationOut.model_validate(changed)
