"""The daily digest, nudges, follow-ups and tasks, through the services on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from api.errors import NotFound
from api.runtime import Runtime
from api.services import (
    answers,
    broadcasts,
    choices,
    closing,
    companies,
    digests,
    needs,
    nudges,
    outbox,
    proof,
    tasks,
)
from api.services.desk import BRUSSELS, Desk
from api.services.needs import NeedDraft
from api.services.outbox import Outcome, Result
from api.services.tasks import TaskKind
from models import Broadcast, Collaboration, Company, Lead, Message
from models.answer import AnswerKind
from models.company import Delivery
from models.message import MessageKind, MessageState
from models.states import CollaborationState
from tests.conftest import World

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def monday(desk: Desk) -> Desk:
    return replace(desk, at=AT)


def release(desk: Desk, world: World) -> Broadcast:
    draft = NeedDraft(
        text=TEXT,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    need = needs.submit(desk.as_actor(world.finn), draft, proven=True)
    return broadcasts.approve(desk.as_actor(world.cato), need.id)


def mails(desk: Desk, kind: MessageKind) -> list[Message]:
    return list(
        desk.session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
    )


def test_a_digest_carries_the_leads_of_a_day_and_shares_its_outcome(
    monday: Desk, world: World
) -> None:
    desk = monday
    companies.change(desk.as_actor(world.mira), world.wash, delivery=Delivery.DAILY)
    first, second = release(desk, world), release(desk, world)
    due = mails(desk, MessageKind.LEAD)
    seven = datetime(2026, 3, 3, 7, 0, tzinfo=BRUSSELS).astimezone(UTC)
    assert {message.due_at for message in due} == {seven}

    assert digests.waiting(desk) == []
    early = replace(desk, at=seven - timedelta(minutes=1))
    assert digests.waiting(early) == [world.wash]
    digest = digests.gather(early, world.wash)
    assert digest is not None
    assert digests.waiting(early) == []
    assert digests.gather(early, world.wash) is None
    assert digest.text.count("/l/") == 2
    desk.session.flush()
    lead_mails = {message.id for message in due}

    at_seven = replace(desk, at=seven)
    claimed = {message.id for message in outbox.claim(at_seven, "worker", 50)}
    assert digest.id in claimed
    assert not claimed & lead_mails
    outbox.record(at_seven, [Outcome(digest.id, Result.TAKEN, "250 ok", seven)])
    desk.session.flush()
    for broadcast in (first, second):
        lead = desk.session.scalars(select(Lead).where(Lead.broadcast_id == broadcast.id)).one()
        assert lead.handed_over_at == seven
        assert all(check.ok for check in proof.verify_broadcast(desk, broadcast.id))
    assert {message.state for message in mails(desk, MessageKind.LEAD)} == {MessageState.SENT}


def test_a_digest_that_is_refused_leaves_no_lead_unseen(monday: Desk, world: World) -> None:
    desk = monday
    companies.change(desk.as_actor(world.mira), world.wash, delivery=Delivery.DAILY)
    release(desk, world), release(desk, world)
    early = replace(desk, at=datetime(2026, 3, 3, 6, 59, tzinfo=BRUSSELS))
    digest = digests.gather(early, world.wash)
    assert digest is not None
    desk.session.flush()
    outbox.record(desk, [Outcome(digest.id, Result.REFUSED, "550 no such user", early.at)])
    found = tasks.of_hub(early.as_actor(world.cato), world.hub)
    assert [task.kind for task in found].count(TaskKind.LEAD_UNREACHED) == 2


def test_one_lead_alone_needs_no_digest(monday: Desk, world: World) -> None:
    companies.change(monday.as_actor(world.mira), world.wash, delivery=Delivery.DAILY)
    release(monday, world)
    early = replace(monday, at=datetime(2026, 3, 3, 6, 59, tzinfo=BRUSSELS))
    assert digests.waiting(early) == []


@pytest.mark.parametrize(
    ("released", "mailed"),
    [
        ("2026-03-28T20:00+01:00", "2026-03-29T07:00+02:00"),  # the night the clock goes forward
        ("2026-10-24T20:00+02:00", "2026-10-25T07:00+01:00"),  # and back
        ("2026-03-02T06:00+01:00", "2026-03-02T07:00+01:00"),
        ("2026-03-02T07:00+01:00", "2026-03-02T07:00+01:00"),
        ("2026-03-02T07:01+01:00", "2026-03-03T07:00+01:00"),
    ],
)
def test_seven_is_seven_in_brussels(released: str, mailed: str) -> None:
    company = Company(delivery=Delivery.DAILY)
    moment = digests.mail_moment(company, datetime.fromisoformat(released))
    assert moment == datetime.fromisoformat(mailed)


def test_two_nudges_a_week_apart_and_then_silence(monday: Desk, world: World) -> None:
    desk = monday
    broadcast = release(desk, world)
    lead = desk.session.scalars(select(Lead)).one()
    answers.give(desk, lead, AnswerKind.INTERESTED)
    after = replace(desk, at=broadcast.deadline)
    closing.attend(after, broadcast.id)
    for days, due in [(6, 0), (7, 1), (8, 0), (13, 0), (14, 1), (15, 0), (60, 0)]:
        then = replace(desk, at=broadcast.deadline + timedelta(days=days))
        found = nudges.undecided(then)
        assert len(found) == due, days
        for need_id in found:
            nudges.nudge(then, need_id)
            nudges.nudge(then, need_id)  # twice at once: the second does nothing
        desk.session.flush()
    told = [message.to_email for message in mails(desk, MessageKind.NUDGE)]
    assert sorted(told) == sorted([world.finn.email, world.cato.email] * 2)
    kinds = {task.kind for task in tasks.of_hub(then.as_actor(world.cato), world.hub)}
    assert TaskKind.DECIDING_LONG in kinds


def test_both_sides_are_asked_once_how_it_goes(monday: Desk, world: World) -> None:
    desk = monday
    broadcast = release(desk, world)
    lead = desk.session.scalars(select(Lead)).one()
    answers.give(desk, lead, AnswerKind.INTERESTED)
    choices.choose(desk.as_actor(world.finn), broadcast.need_id, [lead.id])
    collaboration = desk.session.scalars(select(Collaboration)).one()
    collaboration.updated_at = AT
    desk.session.flush()
    assert nudges.unasked(replace(desk, at=AT + timedelta(weeks=5))) == []
    later = replace(desk, at=AT + timedelta(weeks=6))
    assert nudges.unasked(later) == [collaboration.id]
    nudges.follow_up(later, collaboration.id)
    nudges.follow_up(later, collaboration.id)
    desk.session.flush()
    asked = {message.to_email for message in mails(desk, MessageKind.FOLLOW_UP)}
    assert asked == {world.finn.email, "wash@company.example"}
    assert len(mails(desk, MessageKind.FOLLOW_UP)) == 2
    assert nudges.unasked(replace(desk, at=AT + timedelta(weeks=60))) == []
    collaboration.state = CollaborationState.ENDED


def test_a_company_without_an_address_is_a_task(monday: Desk, world: World) -> None:
    desk = monday
    companies.change(desk.as_actor(world.mira), world.wash, email="")
    broadcast = release(desk, world)
    found = tasks.of_hub(desk.as_actor(world.cato), world.hub)
    (unreached,) = [task for task in found if task.kind is TaskKind.LEAD_UNREACHED]
    assert (unreached.company_id, unreached.need_id) == (world.wash, broadcast.need_id)
    assert world.wash in {t.company_id for t in found if t.kind is TaskKind.NO_ADDRESS}
    with pytest.raises(NotFound):
        tasks.of_hub(desk.as_actor(world.otto), world.hub)
    with pytest.raises(NotFound):
        tasks.of_hub(desk.as_actor(world.finn), world.hub)


def test_the_chores_do_it_all(runtime: Runtime, world: World) -> None:
    from threading import Event

    from api.worker.chores import Chores

    past = datetime.now(UTC) - timedelta(days=40)
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, at=past)
        broadcast = release(desk, world)
        lead = session.scalars(select(Lead)).one()
        answers.give(desk, lead, AnswerKind.INTERESTED)
        closing.attend(replace(desk, at=broadcast.deadline), broadcast.id)
    Chores(runtime, Event()).run_once()
    Chores(runtime, Event()).run_once()
    with runtime.sessions() as session:
        told = session.scalars(select(Message.to_email).where(Message.kind == MessageKind.NUDGE))
        # A worker that was away for weeks does not catch up with two nudges at once.
        assert sorted(told) == sorted([world.finn.email, world.cato.email])
