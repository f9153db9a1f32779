"""The company's inbox and its reasons, and one lead in every state it can be opened in."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.app import create_app
from api.runtime import Runtime
from api.services import answers, broadcasts, choices, closing, exceptions, links
from api.services.desk import IMPORT, Actor, Desk
from models import Answer, Broadcast, Lead, now
from models.answer import AnswerKind, DeclineReason
from models.broadcast import ExceptionKind
from tests.api.test_pages_safety import TEXT, browser, submit
from tests.conftest import World

REASON = "Deze vraag is al met jullie besproken op de vergadering."


def release(runtime: Runtime, world: World, **made: ExceptionKind) -> str:
    """A need released an hour ago, with these exceptions (a company of the world -> kind)."""
    need_id = submit(runtime)
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, world.cato, now() - timedelta(hours=1))
        for name, kind in made.items():
            exceptions.make(desk, need_id, getattr(world, name), kind, REASON)
        broadcasts.approve(desk, need_id)
    return need_id


def lead_of(runtime: Runtime, need_id: str, company_id: str) -> Lead:
    with runtime.sessions() as session:
        return session.scalars(
            select(Lead).where(Lead.need_id == need_id, Lead.company_id == company_id)
        ).one()


def link_to(runtime: Runtime, lead: Lead) -> str:
    with runtime.sessions() as session:
        return links.lead_link(Desk(session, runtime), lead).removeprefix("http://testserver")


def past_deadline(runtime: Runtime, need_id: str) -> None:
    with runtime.sessions.begin() as session:
        broadcast = session.scalars(select(Broadcast).where(Broadcast.need_id == need_id)).one()
        broadcast.deadline = now() - timedelta(minutes=1)


@pytest.fixture
def nobody(sqlite_runtime: Runtime, sqlite_world: World) -> TestClient:
    return TestClient(create_app(sqlite_runtime), follow_redirects=False)


def test_the_inbox_keeps_leads_apart_by_what_they_ask(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, _ = browser(sqlite_runtime, sqlite_world.mira)
    empty = mira.get("/leads").text
    assert "Nog geen leads" in empty
    waiting, answered, missed, closed = (release(sqlite_runtime, sqlite_world) for _ in range(4))
    leads = [lead_of(sqlite_runtime, each, sqlite_world.wash) for each in (answered, closed)]
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT)
        for lead in leads:
            answers.give(desk, session.get_one(Lead, lead.id), AnswerKind.INTERESTED)
        session.flush()
        choices.choose(desk.as_actor(sqlite_world.finn), closed, [])
    past_deadline(sqlite_runtime, missed)
    page = mira.get("/leads").text
    first, second, third = (
        page.index(heading)
        for heading in ("Wacht op jullie antwoord", "Beantwoord of gekozen", "Voorbij")
    )
    where = {
        need_id: page.index(lead_of(sqlite_runtime, need_id, sqlite_world.wash).id)
        for need_id in (waiting, answered, missed, closed)
    }
    assert first < where[waiting] < second < where[answered] < third
    assert min(where[missed], where[closed]) > third
    assert "niet beantwoord" in page[third:]


def test_why_not_says_the_reason_and_where_to_change_it(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    release(sqlite_runtime, sqlite_world)
    maud, _ = browser(sqlite_runtime, sqlite_world.maud)
    page = maud.get("/leads/why?show=missed").text
    assert "past niet bij het werk" in page
    assert f'href="/companies/{sqlite_world.pack}/offers/new"' in page
    assert "opplooit" not in page  # the firm's words went to the recipients alone
    assert "Zandkorrel" not in page
    assert "Mechelen" in page
    assert "nog geen vraag verstuurd" in maud.get("/leads/why?show=received").text
    mira, _ = browser(sqlite_runtime, sqlite_world.mira)
    assert "past bij het werk" in mira.get("/leads/why?show=received").text
    assert "geen vraag die jullie niet kregen" in mira.get("/leads/why?show=missed").text


def test_an_exception_is_told_to_whom_it_concerns(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    release(sqlite_runtime, sqlite_world, wash=ExceptionKind.LEFT_OUT, pack=ExceptionKind.ADDED)
    mira, _ = browser(sqlite_runtime, sqlite_world.mira)
    left = mira.get("/leads/why?show=missed").text
    assert "De hub liet jullie weg" in left
    assert REASON in left
    maud, _ = browser(sqlite_runtime, sqlite_world.maud)
    added = maud.get("/leads/why?show=received").text
    assert "De hub voegde jullie toe" in added


def test_opening_a_link_never_answers(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    lead = lead_of(sqlite_runtime, release(sqlite_runtime, sqlite_world), sqlite_world.wash)
    link = link_to(sqlite_runtime, lead)
    for pressed in ("", "?answer=interested", "?answer=not_for_us", "?answer=question"):
        assert nobody.get(link + pressed).status_code == 200
    with sqlite_runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_a_lead_reads_well_in_every_state(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    need_id = release(sqlite_runtime, sqlite_world)
    lead = lead_of(sqlite_runtime, need_id, sqlite_world.wash)
    link = link_to(sqlite_runtime, lead)
    assert "Snel antwoorden geeft geen voordeel" in nobody.get(link).text

    form = {"kind": "interested", "capacity": "300 kg per week"}
    assert "answer_kept" in nobody.post(f"{link}/answer", data=form).headers["location"]
    given = nobody.get(link).text
    assert "Jullie antwoord: geïnteresseerd" in given
    assert "300 kg per week" in given
    assert "Van gedacht veranderd?" in given
    changed = nobody.post(f"{link}/answer", data={"kind": "not_for_us", "reason": "no_capacity"})
    assert "declined_kept" in changed.headers["location"]
    assert "niet voor ons</strong> (nu geen plaats)" in nobody.get(link).text
    without = nobody.post(f"{link}/answer", data={"kind": "not_for_us", "note": ""})
    assert without.status_code == 422
    assert 'id="reason-error"' in without.text

    past_deadline(sqlite_runtime, need_id)
    late = nobody.post(f"{link}/answer", data=form)
    assert late.status_code == 409
    over = nobody.get(link).text
    assert "Wijzigen kan niet meer." in over
    assert "Jullie hoeven niets meer te doen" in over

    with sqlite_runtime.sessions.begin() as session:
        closing.withdraw(Desk(session, sqlite_runtime, sqlite_world.finn), need_id)
    assert "De onderneming trok deze vraag in." in nobody.get(link).text


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (True, "De onderneming koos voor jullie."),
        (False, "De onderneming koos niemand."),
    ],
)
def test_the_outcome_is_told(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient, chosen: bool, words: str
) -> None:
    need_id = release(sqlite_runtime, sqlite_world)
    lead = lead_of(sqlite_runtime, need_id, sqlite_world.wash)
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, Actor(f"lead:{lead.id}"))
        answers.give(desk, session.get_one(Lead, lead.id), AnswerKind.INTERESTED)
        session.flush()
        finn = desk.as_actor(sqlite_world.finn)
        choices.choose(finn, need_id, [lead.id] if chosen else [])
    page = nobody.get(link_to(sqlite_runtime, lead)).text
    assert words in page
    assert ("finn@creche.example" in page) is chosen
    assert ("Crèche De Zandkorrel" in page) is chosen
    assert "iemand anders" not in page


def test_an_expired_and_a_replaced_link_say_what_to_do(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    need_id = release(sqlite_runtime, sqlite_world)
    lead = lead_of(sqlite_runtime, need_id, sqlite_world.wash)
    link = link_to(sqlite_runtime, lead)
    with sqlite_runtime.sessions.begin() as session:
        session.get_one(Lead, lead.id).closed_at = now() - timedelta(days=179)
    assert nobody.get(link).status_code == 200
    with sqlite_runtime.sessions.begin() as session:
        session.get_one(Lead, lead.id).closed_at = now() - timedelta(days=181)
    expired = nobody.get(link)
    assert expired.status_code == 410
    assert "Deze link is verlopen" in expired.text
    with sqlite_runtime.sessions.begin() as session:
        session.get_one(Lead, lead.id).link_version += 1
    # Its newest link is of no use either: what helps is to sign in.
    assert "Deze link is verlopen" in nobody.get(link).text
    with sqlite_runtime.sessions.begin() as session:
        session.get_one(Lead, lead.id).closed_at = None
    replaced = nobody.get(link)
    assert replaced.status_code == 410
    assert "Gebruik de nieuwste mail" in replaced.text
    assert nobody.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404


def test_the_company_of_another_reads_nothing(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    lead = lead_of(sqlite_runtime, release(sqlite_runtime, sqlite_world), sqlite_world.wash)
    with sqlite_runtime.sessions.begin() as session:
        answers.give(
            Desk(session, sqlite_runtime, IMPORT),
            session.get_one(Lead, lead.id),
            AnswerKind.NOT_FOR_US,
            reason=DeclineReason.TOO_FAR,
        )
    maud, _ = browser(sqlite_runtime, sqlite_world.maud)
    assert maud.get(f"/leads/{lead.id}").status_code == 404
    assert lead.id not in maud.get("/leads").text
    assert TEXT not in maud.get("/leads").text
