"""The work table on pages: proposed, taken, declined, moved and called off, by both sides."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy import select

from api.runtime import Runtime
from api.services import answers, broadcasts, choices, links
from api.services.desk import BRUSSELS, IMPORT, Desk
from models import Lead, Meeting, MeetingOption, Message, Need, now
from models.answer import AnswerKind
from models.meeting import OptionState
from models.message import MessageKind
from tests.api.test_pages_safety import browser, submit
from tests.conftest import World


@pytest.fixture
def lead(sqlite_runtime: Runtime, sqlite_world: World) -> str:
    """A lead of the wash company that said it is interested, an hour ago."""
    need_id = submit(sqlite_runtime)
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT, now() - timedelta(hours=1))
        broadcasts.approve(desk.as_actor(sqlite_world.cato), need_id)
        found = session.scalars(
            select(Lead).where(Lead.need_id == need_id, Lead.company_id == sqlite_world.wash)
        ).one()
        answers.give(desk, found, AnswerKind.INTERESTED)
        return found.id


def soon(days: int) -> str:
    """A moment as a browser's field sends it."""
    return (now().astimezone(BRUSSELS) + timedelta(days=days)).strftime("%Y-%m-%dT10:00")


def need_of(runtime: Runtime, lead: str) -> str:
    with runtime.sessions() as session:
        return session.get_one(Lead, lead).need_id


def options(runtime: Runtime, state: OptionState = OptionState.OPEN) -> list[MeetingOption]:
    with runtime.sessions() as session:
        return list(
            session.scalars(
                select(MeetingOption)
                .where(MeetingOption.state == state)
                .order_by(MeetingOption.starts_at)
            )
        )


def mails(runtime: Runtime, kind: MessageKind) -> list[Message]:
    with runtime.sessions() as session:
        return list(
            session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
        )


def personal_link(runtime: Runtime, lead: str) -> str:
    with runtime.sessions() as session:
        found = links.lead_link(Desk(session, runtime), session.get_one(Lead, lead))
    return found.removeprefix("http://testserver")


def test_firm_proposes_and_company_takes_one_by_its_link(
    sqlite_runtime: Runtime, sqlite_world: World, lead: str
) -> None:
    finn, csrf = browser(sqlite_runtime, sqlite_world.finn)
    path = f"/needs/{need_of(sqlite_runtime, lead)}/meetings"
    assert "Wasserij Het Blauwe Laken" in finn.get(path).text
    sent = finn.post(
        path,
        data={
            "csrf": csrf, "leads": lead, "first": soon(3), "second": soon(4),
            "minutes": "45", "place": "Het atelier, Mechelen", "note": "Kom gerust langs.",
        },
    )  # fmt: skip
    assert sent.status_code == 303
    assert "Jullie stelden deze momenten voor" in finn.get(path).text
    (told,) = mails(sqlite_runtime, MessageKind.PROPOSAL)
    assert told.to_email == "wash@company.example"
    assert "Crèche De Zandkorrel" in told.text
    assert "Kom gerust langs." in told.text

    link = personal_link(sqlite_runtime, lead)
    nobody = TestClient(finn.app, follow_redirects=False)
    page = nobody.get(link).text
    wanted = options(sqlite_runtime)[1]
    assert page.count("Dit past") == 2
    taken = nobody.post(f"{link}/meeting", data={"act": "take", "option": wanted.id})
    assert taken.status_code == 303
    assert options(sqlite_runtime) == []
    with sqlite_runtime.sessions() as session:
        meeting = session.scalars(select(Meeting)).one()
        assert (meeting.starts_at, meeting.minutes) == (wanted.starts_at, 45)
    invited = mails(sqlite_runtime, MessageKind.MEETING)
    assert {each.to_email for each in invited} == {"finn@creche.example", "wash@company.example"}
    (event,) = Calendar.from_ical(invited[0].attachment or "").walk("VEVENT")
    assert event.decoded("DTSTART") == wanted.starts_at
    assert "Het atelier, Mechelen" in finn.get(path).text
    again = nobody.post(f"{link}/meeting", data={"act": "take", "option": wanted.id})
    assert again.status_code == 409


def test_company_declines_then_proposes_and_the_firm_takes_and_cancels(
    sqlite_runtime: Runtime, sqlite_world: World, lead: str
) -> None:
    finn, firm_csrf = browser(sqlite_runtime, sqlite_world.finn)
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/needs/{need_of(sqlite_runtime, lead)}/meetings"
    finn.post(path, data={"csrf": firm_csrf, "leads": lead, "first": soon(3)})
    declined = mira.post(
        f"/leads/{lead}/meeting", data={"csrf": csrf, "act": "decline", "note": "Inventaris."}
    )
    assert declined.headers["location"].startswith(f"/leads/{lead}?done=meeting_declined")
    assert "paste niet" in finn.get(path).text
    mira.post(f"/leads/{lead}/meeting", data={"csrf": csrf, "act": "propose", "first": soon(5)})
    (proposed,) = options(sqlite_runtime)
    own = mira.post(
        f"/leads/{lead}/meeting", data={"csrf": csrf, "act": "take", "option": proposed.id}
    )
    assert own.status_code == 409
    taken = finn.post(
        f"/leads/{lead}/meeting",
        data={"csrf": firm_csrf, "act": "take", "option": proposed.id},
    )
    assert taken.headers["location"].startswith(f"{path}?done=meeting_agreed")
    cancelled = finn.post(f"/leads/{lead}/meeting", data={"csrf": firm_csrf, "act": "cancel"})
    assert cancelled.status_code == 303
    last = mails(sqlite_runtime, MessageKind.MEETING)[-1]
    assert Calendar.from_ical(last.attachment or "")["METHOD"] == "CANCEL"
    told = [each.to_email for each in mails(sqlite_runtime, MessageKind.PROPOSAL)]
    assert told == ["wash@company.example", "finn@creche.example", "finn@creche.example"]


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    sqlite_runtime: Runtime, sqlite_world: World, lead: str
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/leads/{lead}/meeting"
    empty = mira.post(path, data={"csrf": csrf, "place": "Onze refter"})
    assert empty.status_code == 422
    assert 'id="first-error"' in empty.text
    assert "Onze refter" in empty.text
    past = mira.post(path, data={"csrf": csrf, "first": "2020-01-01T10:00"})
    assert "Kies een moment dat nog moet komen." in past.text
    finn, firm_csrf = browser(sqlite_runtime, sqlite_world.finn)
    table = f"/needs/{need_of(sqlite_runtime, lead)}/meetings"
    unticked = finn.post(table, data={"csrf": firm_csrf, "first": soon(2), "place": "Bij ons"})
    assert unticked.status_code == 422
    assert re.search(r"Vink een maatwerkbedrijf aan", unticked.text)
    assert "Bij ons" in unticked.text
    assert options(sqlite_runtime) == []


def test_nobody_else_comes_to_the_table(
    sqlite_runtime: Runtime, sqlite_world: World, lead: str
) -> None:
    table = f"/needs/{need_of(sqlite_runtime, lead)}/meetings"
    wanted = {"otto": (404, 404), "maud": (404, 404), "cato": (403, 403), "mira": (404, 303)}
    for name, (page, act) in wanted.items():
        client, csrf = browser(sqlite_runtime, getattr(sqlite_world, name))
        assert client.get(table).status_code == page, name
        form = {"csrf": csrf, "act": "propose", "first": soon(3)}
        assert client.post(f"/leads/{lead}/meeting", data=form).status_code == act, name


def test_a_choice_for_none_calls_the_meeting_off(
    sqlite_runtime: Runtime, sqlite_world: World, lead: str
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    finn, firm_csrf = browser(sqlite_runtime, sqlite_world.finn)
    mira.post(f"/leads/{lead}/meeting", data={"csrf": csrf, "first": soon(5)})
    (proposed,) = options(sqlite_runtime)
    finn.post(
        f"/leads/{lead}/meeting", data={"csrf": firm_csrf, "act": "take", "option": proposed.id}
    )
    mira.post(f"/leads/{lead}/meeting", data={"csrf": csrf, "first": soon(6)})
    with sqlite_runtime.sessions.begin() as session:
        need = session.get_one(Need, session.get_one(Lead, lead).need_id)
        choices.choose(Desk(session, sqlite_runtime, sqlite_world.finn), need.id, [])
    assert options(sqlite_runtime) == []
    with sqlite_runtime.sessions() as session:
        assert session.scalars(select(Meeting)).one().cancelled_at is not None
    assert "afgezegd" in mira.get(f"/leads/{lead}").text
