"""Every form on a thing of somebody else, by every role that has no business there: refused, and
nothing changed. Which role may open which page stands in test_pages_rooms."""

import io
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from api.runtime import Runtime
from api.services import attachments, notes, people
from api.services.desk import IMPORT, Actor, Desk
from api.services.uploads import Upload
from models import Attachment, Collaboration, Hub, Message, Note, Question
from models.base import Base
from tests.api.test_pages_rooms import Stage, staged  # noqa: F401 - a fixture
from tests.api.test_pages_safety import OPEN_POSTS, posts

# What a path begins with -> who is refused. Finn asked, Cato is his hub's coordinator, Mira's
# company got the lead and was chosen; Maud's did not, Otto belongs nowhere, Oda's hub is another.
REFUSED = {
    "/hub/needs/": ("finn", "mira", "maud", "otto", "oda"),
    "/hub/companies/": ("finn", "mira", "maud", "otto"),
    "/hub/{hub_id}/": ("finn", "mira", "maud", "otto", "oda"),
    "/needs/": ("mira", "maud", "otto", "oda"),
    "/leads/": ("finn", "cato", "maud", "otto", "oda"),
    "/leads/{lead_id}/meeting": ("cato", "maud", "otto", "oda"),  # both sides agree on it
    "/companies/": ("finn", "maud", "otto"),
    "/companies/{company_id}/people": ("finn", "cato", "maud", "otto", "oda"),
    "/companies/{company_id}/feed": ("finn", "cato", "maud", "otto", "oda"),
    "/companies/{company_id}/webhooks": ("finn", "cato", "maud", "otto", "oda"),
    "/offers/": ("finn", "maud", "otto"),
    "/reading/offers/": ("finn", "maud", "otto"),
    "/webhooks/": ("finn", "cato", "maud", "otto", "oda"),
    "/questions/": ("mira", "maud", "otto", "oda"),
    "/collaborations/": ("maud", "otto", "oda"),
}
# Enough of each form that nothing but its sender is wrong with it.
TYPED = {
    "email": "nieuw@elsewhere.example", "name": "Nieuw", "text": "Een nieuwe tekst hierover",
    "title": "Nieuw", "reason": "Zomaar, om te proberen", "kind": "interested", "grade": "2",
    "answer": "Twintig kilogram", "state": "ended", "alpha": "0.1", "deadline_days": "9",
    "policy": "activity", "message": "Graag jullie hulp", "url": "https://93.184.215.14/x",
    "places": "2800 Mechelen", "at_workshop": "1", "starts_on": "2030-01-01",
    "ends_on": "2030-01-02", "moments": "2030-01-01T10:00", "sure": "1", "none": "1",
}  # fmt: skip


def refused(path: str) -> tuple[str, ...]:
    """Who may not send this form: by the longest beginning that fits."""
    fitting = [begin for begin in REFUSED if path.startswith(begin)]
    return REFUSED[max(fitting, key=len)] if fitting else ()


def rows(runtime: Runtime) -> dict[str, list[tuple[object, ...]]]:
    """All that is kept, but for sessions, which are noted when they are used."""
    with runtime.sessions() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for table in Base.metadata.sorted_tables
            if table.name != "browser_session"
        }


@pytest.fixture(name="oda")
def other_coordinator(stage: Stage) -> Actor:
    with stage.runtime.sessions.begin() as session:
        desk = Desk(session, stage.runtime, IMPORT)
        hub = session.scalars(select(Hub).where(Hub.slug == "kempen")).one()
        person = people.find_or_add(desk, "oda@hub.example", name="Oda")
        people.add_role(desk, person, hub_id=hub.id)
        return people.actor_of(desk, person)


@pytest.fixture
def ids(stage: Stage) -> dict[str, str]:
    """One thing of each kind, all of Finn's need, its hub and Mira's company."""
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(photo, "PNG")
    with stage.runtime.sessions.begin() as session:
        desk = Desk(session, stage.runtime)
        notes.add(desk.as_actor(stage.world.cato), stage.open, "Gebeld.")
        finn = desk.as_actor(stage.world.finn)
        attachments.add(finn, stage.open, [Upload("a.png", photo.getvalue())])
        session.flush()
        first = {
            "note_id": Note, "attachment_id": Attachment, "question_id": Question,
            "collaboration_id": Collaboration,
        }  # fmt: skip
        found = {name: session.scalars(select(kind.id)).first() for name, kind in first.items()}
    world = stage.world
    return {name: str(each) for name, each in found.items()} | {
        "need_id": stage.open, "lead_id": stage.lead, "company_id": world.wash,
        "hub_id": world.hub, "offer_id": stage.offer, "webhook_id": stage.webhook,
    }  # fmt: skip


@pytest.fixture
def browsers(stage: Stage, oda: Actor) -> dict[str, TestClient]:
    people_of = {"oda": oda} | {
        name: getattr(stage.world, name) for name in ("finn", "cato", "mira", "maud", "otto")
    }
    return {name: stage.browser(actor) for name, actor in people_of.items()}


def attempts() -> Iterator[tuple[str, str]]:
    for path in posts():
        if "{" in path and path not in OPEN_POSTS:
            for who in refused(path):
                yield path, who


def test_every_form_on_a_thing_has_somebody_who_is_refused() -> None:
    with_id = {path for path in posts() if "{" in path and path not in OPEN_POSTS}
    assert {path for path, _ in attempts()} == with_id


def test_nobody_sends_a_form_of_somebody_else(
    stage: Stage, ids: dict[str, str], browsers: dict[str, TestClient]
) -> None:
    secrets = {}
    for who, browser in browsers.items():
        found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account").text)
        assert found
        secrets[who] = found[1]
    before = rows(stage.runtime)
    wrong = []
    for path, who in attempts():
        sent = TYPED | {"csrf": secrets[who]}
        answer = browsers[who].post(path.format(**ids), data=sent)
        if answer.status_code not in (403, 404):
            wrong.append((path, who, answer.status_code))
        if stage.world.finn.email in answer.text and who != "finn":
            wrong.append((path, who, "tells Finn's address"))
    assert wrong == []
    assert rows(stage.runtime) == before
    with stage.runtime.sessions() as session:
        assert session.scalars(select(Message.to_email)).all().count("nieuw@elsewhere.example") == 0
