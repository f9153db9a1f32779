"""Broadcasts of any size for tests of the worker, made by the services themselves."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from api.runtime import Runtime
from api.services import broadcasts, needs
from api.services.desk import IMPORT, Desk
from api.services.needs import NeedDraft
from models import Broadcast, Company, Hub, LedgerEntry, Message, Offer, Site
from models.hub import Policy
from models.message import MessageKind, MessageState
from tests.conftest import World, lay_world

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"


def lay_companies(runtime: Runtime, number: int) -> World:
    """The small network with `number` companies in Mechelen, all in reach."""
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        world = lay_world(desk)
        hub = session.get_one(Hub, world.hub)
        hub.policy = Policy.ALL_IN_REGION
        for company_id in (world.wash, world.pack, world.far):
            session.get_one(Company, company_id).active = False
        place = runtime.places.find("2800 Mechelen")
        for count in range(number):
            company = Company(
                name=f"Werkplaats {count}",
                email=f"c{count}@company.example",
                language=("nl", "fr", "en")[count % 3],
                sites=[Site(postcode=place.postcode, nis=place.nis, lat=place.lat, lon=place.lon)],
                certificates=[],
                absences=[],
            )
            session.add(company)
            session.flush()
            session.add(
                Offer(company_id=company.id, text="Linnen wassen", on_site=False, at_workshop=True)
            )
    return world


def release(runtime: Runtime, world: World, *, early: timedelta = timedelta()) -> str:
    """Submit a need and approve it; returns the broadcast's id. `early` moves it to the past."""
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, world.finn)
        desk = replace(desk, at=desk.at - early)
        need = needs.submit(
            desk,
            NeedDraft(
                text=TEXT,
                place="2800 Mechelen",
                firm_name="Crèche De Zandkorrel",
                contact_name="Finn",
                contact_email=world.finn.email,
            ),
            proven=True,
        )
        return broadcasts.approve(desk.as_actor(world.cato), need.id).id


def leads_by_state(runtime: Runtime) -> dict[MessageState, int]:
    """How many lead mails are in which state."""
    counted: dict[MessageState, int] = {}
    with runtime.sessions() as session:
        for state in session.scalars(select(Message.state).where(Message.kind == MessageKind.LEAD)):
            counted[state] = counted.get(state, 0) + 1
    return counted


def events(runtime: Runtime, broadcast_id: str) -> list[LedgerEntry]:
    """The ledger of a broadcast, in order."""
    with runtime.sessions() as session:
        return list(
            session.scalars(
                select(LedgerEntry)
                .where(LedgerEntry.broadcast_id == broadcast_id)
                .order_by(LedgerEntry.sequence)
            )
        )


def broadcast_of(runtime: Runtime, broadcast_id: str) -> Broadcast:
    with runtime.sessions() as session:
        return session.get_one(Broadcast, broadcast_id)
