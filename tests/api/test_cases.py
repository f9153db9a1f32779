"""Earlier cases like a need: found by the model, told without a name."""

import re
from dataclasses import replace
from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from api.runtime import Runtime
from api.services import answers, broadcasts, cases, choices, collaborations, matching, needs
from api.services.desk import IMPORT, Desk
from api.services.needs import NeedDraft
from models import Collaboration, Lead, now
from models.answer import AnswerKind
from models.states import CollaborationState
from tests.conftest import World

TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."
OTHER = "Wie kan onze oude computers en schermen demonteren en de onderdelen sorteren?"


def chosen(desk: Desk, world: World) -> str:
    """A need whose firm chose the wash company."""
    draft = NeedDraft(
        text=TEXT,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    early = replace(desk, at=now() - timedelta(hours=1))
    need = needs.submit(early.as_actor(world.finn), draft, proven=True)
    broadcasts.approve(early.as_actor(world.cato), need.id)
    lead = desk.session.scalars(select(Lead).where(Lead.need_id == need.id)).one()
    answers.give(desk.as_actor(world.mira), lead, AnswerKind.INTERESTED)
    choices.choose(desk.as_actor(world.finn), need.id, [lead.id])
    return need.id


def alike(desk: Desk, text: str) -> list[cases.Case]:
    return cases.similar(desk, desk.runtime.ranker, matching.read(desk.runtime, text))


def test_a_case_is_found_by_likeness_and_follows_what_comes_of_it(desk: Desk, world: World) -> None:
    text = "Elke week 200 kg lakens wassen en strijken voor ons hotel"
    assert alike(desk, text) == []
    need_id = chosen(desk, world)
    (case,) = alike(desk, text)
    assert (case.need_id, case.state, case.nis) == (need_id, CollaborationState.TALK, "12025")
    assert case.hours_per_week is None
    assert alike(desk, OTHER) == []
    (found,) = desk.session.scalars(select(Collaboration))
    collaborations.update(
        desk.as_actor(world.finn), found.id, state=CollaborationState.RUNNING, hours_per_week=20
    )
    desk.session.flush()
    (case,) = alike(desk, text)
    assert (case.state, case.hours_per_week) == (CollaborationState.RUNNING, 20)
    choices.reopen(desk.as_actor(world.finn), need_id)
    desk.session.flush()
    assert alike(desk, text) == []  # the firm decides anew: nothing came of it yet


def test_the_form_tells_the_work_the_town_and_the_result_but_no_name(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    nobody = TestClient(create_app(sqlite_runtime))
    typed = {"text": "Elke week 200 kg lakens wassen en strijken voor ons hotel", "place": "2500"}
    assert "De jouwe kan de eerste zijn" in nobody.post("/reading", data=typed).text
    with sqlite_runtime.sessions.begin() as session:
        chosen(Desk(session, sqlite_runtime, IMPORT), sqlite_world)
    for answer in (
        nobody.post("/reading", data=typed),
        nobody.post("/needs/new", data=typed | {"press": "read"}),
    ):
        part = answer.text[answer.text.index("Wat er van zo") :]
        part = part[: part.index("zonder namen")]
        assert "Mechelen" in part
        assert "in gesprek" in part
        for name in ("Zandkorrel", "Blauwe Laken", "Finn"):
            assert name not in part
    assert (
        "Wat er van zo" not in nobody.post("/reading", data={"text": "Ik zoek een advocaat"}).text
    )


def test_a_title_is_proposed_until_somebody_writes_one(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    nobody = TestClient(create_app(sqlite_runtime))

    def titles(page: str) -> list[str]:
        return [
            found[1]
            for name in ("title", "proposed")
            if (found := re.search(rf'name="{name}"[^>]* value="([^"]*)"', page))
        ]

    first = "Iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit"
    page = nobody.post("/needs/new", data={"text": f"Hallo, {TEXT}", "press": "read"}).text
    assert titles(page) == [first, first]
    again = {"text": OTHER, "title": first, "proposed": first, "press": "read"}
    second = "Wie kan onze oude computers en schermen demonteren en de onderdelen sorteren"
    assert titles(nobody.post("/needs/new", data=again).text) == [second, second]
    own = again | {"title": "Computers uit elkaar halen"}
    assert titles(nobody.post("/needs/new", data=own).text)[0] == "Computers uit elkaar halen"
