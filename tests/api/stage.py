"""A stage for tests of the JSON API: needs in three states, and a token for every role.

The stage is laid once per test run in a SQLite file; every test plays on a copy of it.
"""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from api.runtime import Runtime
from api.services import (
    answers,
    attachments,
    broadcasts,
    choices,
    exceptions,
    meeting_options,
    needs,
    people,
    questions,
    signin,
    webhooks,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.services.network import lay_reference
from api.services.uploads import Upload
from matcher.ranking import Ranker
from models import Broadcast, Collaboration, Firm, Hub, Lead, Membership, Need, Offer, schema
from models.answer import AnswerKind
from models.broadcast import ExceptionKind
from tests.conftest import World, lay_world, make_settings

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"
PIXEL_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
PIXEL = base64.b64decode(PIXEL_BASE64)  # the smallest photo there is
REASON = "De hub heeft hierover een geschreven reden."
ROLES = (
    "coordinator", "firm", "company", "other_company", "other_hub", "other_firm",
)  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """Ids of what stands on the stage, and a token of each role with all scopes."""

    ids: dict[str, str]
    tokens: dict[str, str]
    without: dict[str, str]  # scope -> a coordinator's token that holds all others
    only: dict[str, str]  # scope -> a coordinator's token that holds no other


def lay_stage(runtime: Runtime) -> Stage:
    """The small network with a waiting, an open and a chosen need, and everybody's tokens."""
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        world = lay_world(desk)
        early = replace(desk, at=desk.at - timedelta(hours=1))
        ids = _needs(early, world)
        ids |= {"hub": world.hub, "company": world.wash, "other_company": world.pack}
        ids["offer"] = (
            session.scalars(
                select(Offer.id).where(Offer.company_id == world.wash).order_by(Offer.id)
            ).first()
            or ""
        )
        ids |= _hooks(desk.as_actor(world.cato), world)
        actors = {
            "coordinator": world.cato,
            "firm": world.finn,
            "company": world.mira,
            "other_company": world.maud,
            **_outsiders(desk),
        }
        tokens = {role: token(desk, actor) for role, actor in actors.items()}
        ids["token"] = signin.tokens(desk, world.cato.person_id or "")[0].id
        only = {scope: token(desk, world.cato, (scope,)) for scope in signin.SCOPES}
        without = {
            scope: token(desk, world.cato, tuple(each for each in signin.SCOPES if each != scope))
            for scope in signin.SCOPES
        }
    return Stage(ids, tokens, without, only)


def token(desk: Desk, actor: Actor, scopes: tuple[str, ...] = signin.SCOPES) -> str:
    """A new API token for the one role of an actor."""
    membership = desk.session.scalars(
        select(Membership.id).where(Membership.person_id == actor.person_id)
    ).one()
    return signin.new_token(desk.as_actor(actor), membership, "test", scopes)[0]


def _outsiders(desk: Desk) -> dict[str, Actor]:
    hub = desk.session.scalars(select(Hub).where(Hub.slug != "rivierenland")).first()
    firm = Firm(name="Otto's Fietsen", email="otto@elsewhere.example", language="nl")
    desk.session.add(firm)
    desk.session.flush()
    olga = people.find_or_add(desk, "olga@hub.example", name="Olga")
    people.add_role(desk, olga, hub_id=hub.id if hub else "")
    otto = people.find_or_add(desk, "otto@elsewhere.example", name="Otto")
    people.add_role(desk, otto, firm_id=firm.id)
    return {"other_hub": people.actor_of(desk, olga), "other_firm": people.actor_of(desk, otto)}


def submit(desk: Desk, world: World) -> Need:
    draft = NeedDraft(
        text=TEXT,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    return needs.submit(desk.as_actor(world.finn), draft, proven=True)


def _needs(desk: Desk, world: World) -> dict[str, str]:
    cato, finn = desk.as_actor(world.cato), desk.as_actor(world.finn)
    waiting, open_one, chosen = (submit(desk, world) for _ in range(3))
    exceptions.make(cato, waiting.id, world.pack, ExceptionKind.ADDED, REASON)
    (photo,) = attachments.add(finn, open_one.id, [Upload("kast.png", PIXEL)])
    lead = _interested(desk, cato, open_one, world)
    question = questions.ask(desk.as_actor(world.mira), lead, "Is ophalen op zaterdag mogelijk?")
    soon = desk.at + timedelta(days=30)
    (option,) = meeting_options.propose(finn, [lead.id], [soon])
    won = _interested(desk, cato, chosen, world)
    choices.choose(finn, chosen.id, [won.id], "Kunnen zelf ophalen.")
    collaboration = desk.session.scalars(select(Collaboration)).one()
    return {
        "waiting": waiting.id,
        "open": open_one.id,
        "chosen": chosen.id,
        "broadcast": lead.broadcast_id,
        "lead": lead.id,
        "question": question.id,
        "option": option.id,
        "collaboration": collaboration.id,
        "attachment": photo.id,
    }


def _hooks(cato: Desk, world: World) -> dict[str, str]:
    """The hub's webhook, with one delivery."""
    hook = webhooks.add(cato, "https://93.184.215.14/hook", hub_id=world.hub)
    return {"webhook": hook.id, "delivery": webhooks.ping(cato, hook.id).id}


def _interested(desk: Desk, cato: Desk, need: Need, world: World) -> Lead:
    broadcast: Broadcast = broadcasts.approve(cato, need.id)
    lead = desk.session.scalars(
        select(Lead).where(Lead.broadcast_id == broadcast.id, Lead.company_id == world.wash)
    ).one()
    answers.give(desk.as_actor(world.mira), lead, AnswerKind.INTERESTED, capacity="150 kg")
    return lead


class Theatre:
    """The laid stage and an application that plays on a fresh copy of it, again and again."""

    def __init__(self, folder: Path, ranker: Ranker) -> None:
        self.folder, self.ranker, self.copies = folder, ranker, 0
        first = self._start(folder / "stage.db")
        schema.upgrade(first.engine)
        with first.sessions.begin() as session:
            lay_reference(Desk(session, first, IMPORT))
        self.stage = lay_stage(first)
        self.app = create_app(first)
        first.close()  # the last connection to close moves the write-ahead log into the file

    def _start(self, path: Path) -> Runtime:
        runtime = Runtime.start(make_settings(f"sqlite:///{path}"))
        runtime.__dict__["ranker"] = self.ranker
        return runtime

    @contextmanager
    def play(self, role: str | None = None) -> Iterator[TestClient]:
        """A client that speaks for a role, on a copy of the stage that is gone afterwards.

        None speaks for nobody, without a token.
        """
        self.copies += 1
        path = self.folder / f"copy{self.copies}.db"
        shutil.copy(self.folder / "stage.db", path)
        runtime = self._start(path)
        self.app.state.runtime = runtime
        # An address of its own, because requests are limited per caller.
        address = f"10.0.{self.copies // 250}.{self.copies % 250}"
        client = TestClient(self.app, client=(address, 50_000))
        if role is not None:
            client.headers["Authorization"] = f"Bearer {self.stage.tokens[role]}"
        try:
            yield client
        finally:
            client.close()
            runtime.close()
            for leftover in self.folder.glob(f"{path.name}*"):
                leftover.unlink()

    def some_id(self, name: str, dice: Random) -> str:
        """An id that exists, for a path parameter such as `need_id`."""
        ids = self.stage.ids
        if name == "need_id":
            return ids[dice.choice(("waiting", "open", "chosen"))]
        return ids[name.removesuffix("_id")]
