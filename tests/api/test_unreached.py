"""A lead that reached nobody goes out by itself once its company has another address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from api.mail import bounces
from api.runtime import Runtime
from api.services import (
    answers,
    closing,
    companies,
    digests,
    leads,
    ledger,
    outbox,
    proof,
    tasks,
    unreached,
)
from api.services.desk import BRUSSELS, IMPORT, Desk
from api.services.outbox import Outcome, Result
from api.services.tasks import TaskKind
from api.worker import Worker
from models import Broadcast, Company, Lead, LedgerEntry, Message
from models.company import Delivery
from models.message import MessageKind, MessageState
from tests.api.mail_servers import Mood
from tests.api.test_digests import release
from tests.api.test_mail_bounces import dsn
from tests.api.test_worker import mail_to
from tests.conftest import World

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=2)


@pytest.fixture
def monday(desk: Desk) -> Desk:
    return replace(desk, at=AT)


@pytest.fixture
def later(desk: Desk) -> Desk:
    return replace(desk, at=LATER)


def address(desk: Desk, world: World, email: str) -> None:
    companies.change(desk.as_actor(world.mira), world.wash, email=email)
    desk.session.flush()


def lead_mails(desk: Desk) -> list[Message]:
    desk.session.flush()
    statement = select(Message).where(Message.kind == MessageKind.LEAD).order_by(Message.id)
    return list(desk.session.scalars(statement))


def the_lead(desk: Desk) -> Lead:
    return desk.session.scalars(select(Lead)).one()


def to_do(desk: Desk, world: World) -> set[TaskKind]:
    return {task.kind for task in tasks.of_hub(desk.as_actor(world.cato), world.hub)}


def say(desk: Desk, message: Message, result: Result, words: str) -> None:
    message.attempts += 1
    outbox.record(desk, [Outcome(message.id, result, words, desk.at)])
    desk.session.flush()


def bring_all(desk: Desk) -> list[Message]:
    found = [unreached.bring(desk, lead_id) for lead_id in unreached.waiting(desk)]
    desk.session.flush()
    return [message for message in found if message is not None]


def every_proof_holds(desk: Desk, broadcast: Broadcast, world: World) -> None:
    desk.session.flush()
    for actor in (world.cato, world.finn, world.mira):
        found, audience = proof.find(desk.as_actor(actor), broadcast.id)
        document = proof.proof(desk.as_actor(actor), found, audience)
        assert [each for each in proof.verify(document) if not each.ok] == []


def test_who_had_no_address_gets_its_lead_once_it_has_one(
    monday: Desk, later: Desk, world: World
) -> None:
    address(monday, world, "")
    broadcast = release(monday, world)
    assert TaskKind.LEAD_UNREACHED in to_do(monday, world)
    assert bring_all(later) == []

    address(later, world, "new@company.example")
    assert TaskKind.LEAD_UNREACHED not in to_do(later, world)
    (message,) = bring_all(later)
    assert (message.to_email, message.due_at) == ("new@company.example", LATER)
    assert bring_all(later) == [], "once is enough"
    say(later, message, Result.TAKEN, "250 ok")
    assert bring_all(later) == []
    told = [
        each.event
        for each in desk_entries(later)
        if each.event in ("no_address", "queued", "readdressed", "handed_over")
    ]
    assert told == ["no_address", "readdressed", "handed_over"]
    every_proof_holds(later, broadcast, world)
    assert leads.spread_seconds(later, broadcast.id) is None, "it did not leave with the others"


def desk_entries(desk: Desk) -> list[LedgerEntry]:
    desk.session.flush()
    return list(desk.session.scalars(select(LedgerEntry).order_by(LedgerEntry.sequence)))


@pytest.mark.parametrize("returned", [True, False], ids=["bounced", "refused"])
def test_an_address_that_failed_is_replaced(
    monday: Desk, later: Desk, world: World, returned: bool
) -> None:
    broadcast = release(monday, world)
    (first,) = lead_mails(monday)
    soon = replace(monday, at=broadcast.released_at + timedelta(seconds=1))
    if returned:
        say(soon, first, Result.TAKEN, "250 ok")
        bounces.take_in(soon, dsn(first.message_id))
    else:
        say(soon, first, Result.REFUSED, "550 no such user")
    monday.session.flush()
    assert TaskKind.LEAD_UNREACHED in to_do(later, world)
    address(later, world, first.to_email)
    assert bring_all(later) == [], "that address has failed already"
    assert TaskKind.LEAD_UNREACHED in to_do(later, world)

    address(later, world, "new@company.example")
    assert TaskKind.LEAD_UNREACHED not in to_do(later, world)
    (second,) = bring_all(later)
    assert the_lead(later).bounced_at is None
    every_proof_holds(later, broadcast, world)
    say(later, second, Result.TAKEN, "250 ok")
    every_proof_holds(later, broadcast, world)
    assert {each.state for each in lead_mails(later)} == {
        MessageState.SENT, MessageState.BOUNCED if returned else MessageState.FAILED,
    }  # fmt: skip


def test_what_still_waits_for_the_old_address_is_taken_back(
    monday: Desk, later: Desk, world: World
) -> None:
    broadcast = release(monday, world)
    (first,) = lead_mails(monday)
    say(replace(monday, at=broadcast.released_at), first, Result.LATER, "451 later")
    address(later, world, "new@company.example")
    (second,) = bring_all(later)
    assert first.state is MessageState.CANCELLED
    assert [each.id for each in outbox.claim(later, "worker", 9) if each.lead_id] == [second.id]
    every_proof_holds(later, broadcast, world)


def test_a_mail_that_a_worker_has_in_hand_is_waited_for(
    monday: Desk, later: Desk, world: World
) -> None:
    release(monday, world)
    outbox.claim(replace(monday, at=AT + timedelta(minutes=1)), "worker", 9)
    address(later, world, "new@company.example")
    assert bring_all(later) == []


def test_nothing_goes_to_who_has_read_it_or_when_it_is_over(
    monday: Desk, later: Desk, world: World
) -> None:
    address(monday, world, "")
    read, over = release(monday, world), release(monday, world)
    opened, closed = (
        monday.session.scalars(select(Lead).where(Lead.broadcast_id == each.id)).one()
        for each in (read, over)
    )
    answers.opened(monday, opened)
    closing.withdraw(monday.as_actor(world.finn), closed.need_id)
    address(later, world, "new@company.example")
    assert bring_all(later) == []
    assert unreached.bring(later, opened.id) is None
    assert lead_mails(later) == []


def test_an_import_of_the_same_address_forgets_no_bounce(
    monday: Desk, later: Desk, world: World
) -> None:
    wash = monday.session.get_one(Company, world.wash)
    wash.email_bounced_at = AT
    companies.change(later.as_actor(IMPORT), world.wash, email=wash.email)
    assert wash.email_bounced_at == AT
    companies.change(later.as_actor(IMPORT), world.wash, email="new@company.example")
    assert wash.email_bounced_at is None


def test_a_digest_that_comes_back_is_a_task_for_each_of_its_leads(
    monday: Desk, world: World
) -> None:
    companies.change(monday.as_actor(world.mira), world.wash, delivery=Delivery.DAILY)
    both = [release(monday, world), release(monday, world)]
    seven = datetime(2026, 3, 3, 7, 0, tzinfo=BRUSSELS).astimezone(UTC)
    early, at_seven = replace(monday, at=seven - timedelta(minutes=1)), replace(monday, at=seven)
    digest = digests.gather(early, world.wash)
    assert digest is not None
    monday.session.flush()
    say(at_seven, digest, Result.TAKEN, "250 ok")
    hour = replace(monday, at=seven + timedelta(hours=1))
    assert TaskKind.LEAD_UNREACHED not in to_do(hour, world)
    for _twice in range(2):
        bounces.take_in(hour, dsn(digest.message_id))
    assert {each.state for each in lead_mails(hour)} == {MessageState.BOUNCED}
    assert [each.event for each in desk_entries(hour)].count("bounced") == 2
    assert {TaskKind.LEAD_UNREACHED, TaskKind.BOUNCED_ADDRESS} <= to_do(hour, world)

    address(hour, world, "new@company.example")
    assert to_do(hour, world).isdisjoint({TaskKind.LEAD_UNREACHED, TaskKind.BOUNCED_ADDRESS})
    again = bring_all(hour)
    next_seven = datetime(2026, 3, 4, 7, 0, tzinfo=BRUSSELS)
    assert [each.due_at for each in again] == [next_seven, next_seven], "it wants one mail a day"
    for broadcast in both:
        every_proof_holds(hour, broadcast, world)
    morning = replace(monday, at=next_seven.astimezone(UTC))
    second = digests.gather(morning, world.wash)
    assert second is not None
    monday.session.flush()
    say(morning, second, Result.TAKEN, "250 ok")
    for broadcast in both:
        every_proof_holds(morning, broadcast, world)


def test_a_lead_sent_again_though_it_had_arrived_shows(
    monday: Desk, later: Desk, world: World
) -> None:
    broadcast = release(monday, world)
    (first,) = lead_mails(monday)
    say(replace(monday, at=broadcast.released_at), first, Result.TAKEN, "250 ok")
    ledger.append(later, broadcast.id, "readdressed", the_lead(later).id, company_id=world.wash)
    later.session.flush()
    checks = proof.verify_broadcast(later, broadcast.id)
    assert [each.name for each in checks if not each.ok] == ["one_lead_each"]


def test_the_worker_does_it(runtime: Runtime, world: World) -> None:
    mood = Mood()
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        before = replace(desk, at=desk.at - timedelta(minutes=1))
        address(before, world, "")
        broadcast = release(before, world)
        address(desk, world, "new@company.example")
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
        Worker(runtime).run_once()
    assert mood.recipients["new@company.example"] == 1
    with runtime.sessions() as session:
        every_proof_holds(Desk(session, runtime, IMPORT), broadcast, world)
