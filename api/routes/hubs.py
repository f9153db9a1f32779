"""Hubs: who they are, where they work, and on which terms they send out needs."""

from sqlalchemy import select

from api.errors import NotFound
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, HubsRead, HubsWrite, PathId, noun
from api.schemas.base import Page
from api.schemas.hubs import HubOut, HubTermsIn, HubWithTerritory
from api.services import hubs
from models import Hub

router = noun("hubs")


@router.get("/hubs", responses=LISTED)
def list_hubs(desk: HubsRead, paging: PagingDep) -> Page[HubOut]:
    """Every hub. Scope `hubs:read`."""
    rows, following = paginate(desk.session, select(Hub), Hub.id, paging)
    return Page(items=[HubOut.model_validate(row) for row in rows], next_cursor=following)


@router.get("/hubs/{hub_id}", responses=FOUND)
def read_hub(desk: HubsRead, hub_id: PathId) -> HubWithTerritory:
    """One hub with its territory. Scope `hubs:read`."""
    hub = desk.session.get(Hub, hub_id)
    if hub is None:
        raise NotFound("hub_not_found", "there is no such hub")
    return HubWithTerritory(
        **HubOut.model_validate(hub).model_dump(),
        municipalities=sorted(hubs.territory(desk, hub.id)),
    )


@router.patch("/hubs/{hub_id}", responses=WRITTEN)
def change_hub(desk: HubsWrite, hub_id: PathId, body: HubTermsIn) -> HubOut:
    """Change a hub's terms for broadcasts to come. Its coordinators; scope `hubs:write`."""
    hub = hubs.change_terms(desk, hub_id, **body.model_dump(exclude_none=True))
    return HubOut.model_validate(hub)
