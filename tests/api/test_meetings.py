"""Meetings and their invitations, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from api.errors import Conflict, Invalid, NotFound
from api.mail import mime
from api.services import answers, broadcasts, meetings, needs
from api.services.desk import BRUSSELS, Actor, Desk
from api.services.needs import NeedDraft
from models import Lead, Message
from models.answer import AnswerKind
from models.message import MessageKind
from tests.conftest import World

AT = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
SUMMER = datetime(2026, 3, 30, 14, 0, tzinfo=BRUSSELS)  # the day after the clock went forward


@pytest.fixture
def stage(desk: Desk, world: World) -> tuple[Desk, Lead]:
    desk = replace(desk, at=AT)
    draft = NeedDraft(
        text="Wie kan onze lakens wassen en plooien?",
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    need = needs.submit(desk.as_actor(world.finn), draft, proven=True)
    broadcast = broadcasts.approve(desk.as_actor(world.cato), need.id)
    return replace(desk, at=broadcast.released_at), desk.session.scalars(select(Lead)).one()


def invitations(desk: Desk) -> list[Message]:
    return list(
        desk.session.scalars(
            select(Message).where(Message.kind == MessageKind.MEETING).order_by(Message.id)
        )
    )


def test_both_get_the_same_hour_in_their_calendar(stage: tuple[Desk, Lead], world: World) -> None:
    desk, lead = stage
    firm = desk.as_actor(world.finn)
    with pytest.raises(Conflict):
        meetings.agree(firm, lead.id, SUMMER)
    answers.give(desk, lead, AnswerKind.INTERESTED)
    meeting = meetings.agree(firm, lead.id, SUMMER, minutes=45, place="Het atelier, Lier")
    meetings.agree(desk.as_actor(Actor(f"lead:{lead.id}")), lead.id, SUMMER + timedelta(hours=1))
    meetings.cancel(desk.as_actor(world.mira), lead.id)
    desk.session.flush()
    sent = invitations(desk)
    assert len(sent) == 6
    assert {message.to_email for message in sent} == {world.finn.email, "wash@company.example"}
    found = []
    for message in sent:
        book = Calendar.from_ical(message.attachment or "")
        (event,) = book.walk("VEVENT")
        (zone,) = book.walk("VTIMEZONE")
        assert zone["TZID"] == "Europe/Brussels"
        assert event["UID"].startswith(meeting.id.lower())
        found.append((str(book["METHOD"]), event["SEQUENCE"], event.decoded("DTSTART")))
        written = mime.write(message, desk.runtime.settings).decode()
        assert f'method="{book["METHOD"]}"' in written or f"method={book['METHOD']}" in written
    later = SUMMER + timedelta(hours=1)
    assert found[::2] == [("REQUEST", 0, SUMMER), ("REQUEST", 1, later), ("CANCEL", 2, later)]
    # The zone's own rules, not only its name: 14:00 in summer is 12:00 UTC.
    assert found[0][2].astimezone(UTC).hour == 12
    assert "DTSTART;TZID=Europe/Brussels:20260330T140000" in (sent[0].attachment or "")


def test_who_may_and_when(stage: tuple[Desk, Lead], world: World) -> None:
    desk, lead = stage
    answers.give(desk, lead, AnswerKind.INTERESTED)
    for stranger in (world.otto, world.maud):
        with pytest.raises(NotFound):
            meetings.agree(desk.as_actor(stranger), lead.id, SUMMER)
    firm = desk.as_actor(world.finn)
    with pytest.raises(Invalid):
        meetings.agree(firm, lead.id, AT - timedelta(hours=1))
    with pytest.raises(Invalid):
        meetings.agree(firm, lead.id, SUMMER, minutes=0)
    with pytest.raises(Conflict):
        meetings.cancel(firm, lead.id)
