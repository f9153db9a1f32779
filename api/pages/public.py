"""Pages for everybody: the front, how matching works, privacy, help, the hubs in figures."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from api.pages.visit import VisitDep
from api.services import calibrations, hubs, matching, privacy
from api.services.desk import Desk
from models import Broadcast, BroadcastException, Collaboration, Company, Hub, Lead, Need, Site
from models.broadcast import ExceptionKind
from models.company import Recognition

router = APIRouter()
USUAL_ALPHA = 0.05  # a hub may choose another; its own page says which
FEW = 5  # figures about fewer needs than this could point at one firm


@router.get("/")
def front(visit: VisitDep) -> Response:
    """What do you want done?"""
    desk = visit.desk
    recognised = (Company.active, Company.recognition == Recognition.RECOGNISED)
    return visit.page(
        "public/front.html",
        companies=desk.session.scalar(select(func.count()).where(*recognised)),
        hubs=desk.session.scalar(select(func.count(Hub.id))),
        kinds=len(visit.runtime.activities.all),
        chains=visit.runtime.activities.value_chains,
    )


@router.get("/how")
def how(visit: VisitDep) -> Response:
    """How matching and neutrality work, with the ranking parameters that count."""
    return visit.page(
        "public/how.html",
        threshold=matching.calibrated(visit.desk).threshold_for(USUAL_ALPHA),
        basis=calibrations.basis(visit.desk),
    )


@router.get("/privacy")
def privacy_page(visit: VisitDep) -> Response:
    """What is kept, why and how long; and what people were told before."""
    return visit.page(
        "public/privacy.html",
        table=privacy.privacy_table(visit.runtime.settings.retention_days),
        version=privacy.version(visit.desk),
        versions=privacy.earlier(visit.desk),
        tiles=privacy.TILES,
        tile_host=privacy.tile_host(visit.runtime.settings),
    )


@router.get("/help")
def help_page(visit: VisitDep) -> Response:
    """Short help for each role."""
    return visit.page("public/help.html")


@router.get("/hubs")
def all_hubs(visit: VisitDep) -> Response:
    """Every hub with its size."""
    found = hubs.all_hubs(visit.desk)
    return visit.page(
        "public/hubs.html",
        rows=[(hub, len(hubs.territory(visit.desk, hub.id))) for hub in found],
    )


@router.get("/hubs/{slug}")
def hub(visit: VisitDep, slug: str) -> Response:
    """A hub's public figures."""
    found = hubs.by_slug(visit.desk, slug)
    territory = hubs.territory(visit.desk, found.id)
    names = sorted(visit.runtime.places.municipality(nis).name(visit.language) for nis in territory)
    return visit.page(
        "public/hub.html",
        hub=found,
        municipalities=names,
        figures=_figures(visit.desk, found, territory),
        few=FEW,
    )


def _figures(desk: Desk, hub: Hub, territory: frozenset[str]) -> dict[str, Any]:
    """Counts over the whole life of the hub."""
    session = desk.session
    sent = select(Lead.id).join(Broadcast).where(Broadcast.hub_id == hub.id).subquery()
    leads = session.execute(
        select(func.count(Lead.id), func.count(Lead.answered_at)).where(
            Lead.id.in_(select(sent.c.id))
        )
    ).one()
    exceptions = session.scalar(
        select(func.count(BroadcastException.id.distinct()))
        .join(Need, Need.id == BroadcastException.need_id)
        .join(Broadcast, Broadcast.need_id == Need.id)
        .where(Need.hub_id == hub.id, BroadcastException.kind == ExceptionKind.LEFT_OUT)
    )
    return {
        "companies": session.scalar(
            select(func.count(Company.id)).where(
                Company.active,
                Company.id.in_(select(Site.company_id).where(Site.nis.in_(territory))),
            )
        ),
        "broadcasts": session.scalar(select(func.count()).where(Broadcast.hub_id == hub.id)),
        "leads": leads[0],
        "answered": leads[1],
        "left_out": exceptions,
        "collaborations": session.scalar(
            select(func.count(Collaboration.id))
            .join(Need, Need.id == Collaboration.need_id)
            .where(Need.hub_id == hub.id)
        ),
    }
