"""The worker on real mail servers and both databases: nothing lost, nothing doubled."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

from api.runtime import Runtime
from api.services import ledger, outbox
from api.services.desk import WORKER, Desk
from api.services.outbox import Outcome, Recipient, Result
from api.worker import Worker, identity
from matcher.neutrality import GENESIS
from models import Lead, Message, now
from models.message import MessageKind, MessageState
from tests.api.mail_servers import TAKE_AND_DROP, Mood, mail_server
from tests.api.networks import broadcast_of, events, lay_companies, leads_by_state, release

LONG_AGO = timedelta(minutes=1)


@contextmanager
def mail_to(runtime: Runtime, mood: Mood, **changes: Any) -> Iterator[int]:
    """The runtime hands its mail to a server in this mood."""
    with mail_server(mood) as port:
        point_at(runtime, port, **changes)
        yield port


def point_at(runtime: Runtime, port: int, **changes: Any) -> None:
    update = {"smtp_port": port, "smtp_timeout": 1.0} | changes
    runtime.settings = runtime.settings.model_copy(update=update)


def queue(runtime: Runtime, to: str = "someone@m.example", **values: Any) -> str:
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime)
        link = f"{runtime.settings.base_url}/sign-in/abc"
        message = outbox.queue(
            desk, MessageKind.SIGN_IN, Recipient(to), link=link, minutes=30, **values
        )
        session.flush()
        return message.id


def get(runtime: Runtime, message_id: str) -> Message:
    with runtime.sessions() as session:
        return session.get_one(Message, message_id)


def make_due(runtime: Runtime) -> None:
    """As if the back-off were over."""
    with runtime.sessions.begin() as session:
        session.execute(
            update(Message)
            .where(Message.state == MessageState.DUE)
            .values(due_at=now() - timedelta(seconds=1))
        )


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()


def until(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def chain_holds(runtime: Runtime, broadcast_id: str) -> bool:
    previous = GENESIS
    for number, entry in enumerate(events(runtime, broadcast_id), start=1):
        expected = ledger.entry_hash(
            previous, number, entry.at, entry.event, entry.lead_id, entry.details
        )
        if (entry.sequence, entry.previous_hash, entry.hash) != (number, previous, expected):
            return False
        previous = entry.hash
    return True


def test_a_broadcast_is_handed_over_once_and_told_to_the_ledger(runtime: Runtime) -> None:
    mood = Mood()
    world = lay_companies(runtime, 12)
    broadcast_id = release(runtime, world, early=LONG_AGO)
    with mail_to(runtime, mood):
        assert Worker(runtime).run_once() == 14  # and one to firm, one to coordinator
        assert Worker(runtime).run_once() == 0
    leads = [to for to in mood.recipients if to.startswith("c")]
    assert sorted(leads) == sorted(
        [*(f"c{n}@company.example" for n in range(12)), "cato@hub.example"]
    )
    assert set(mood.recipients.values()) == {1}
    told = [entry for entry in events(runtime, broadcast_id) if entry.event == "handed_over"]
    assert len(told) == 12
    assert all(entry.details["reply"].startswith("250 taken") for entry in told)
    assert {entry.details["message_id"] for entry in told} <= set(mood.message_ids)
    assert chain_holds(runtime, broadcast_id)
    with runtime.sessions() as session:
        leads_kept = session.scalars(select(Lead)).all()
        assert all(lead.handed_over_at is not None for lead in leads_kept)


def test_one_time_secrets_leave_the_database_with_the_mail(runtime: Runtime) -> None:
    message_id = queue(runtime)
    assert "/sign-in/" in get(runtime, message_id).text
    mood = Mood()
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
    assert b"/sign-in/abc" in mood.raw[0]
    kept = get(runtime, message_id)
    assert kept.state is MessageState.SENT
    assert kept.text == kept.html == ""


def test_greylisted_then_taken(runtime: Runtime) -> None:
    async def on_rcpt(_to: str, times: int) -> str | None:
        return "451 4.7.1 greylisted, come back" if times == 1 else None

    mood = Mood(on_rcpt=on_rcpt)
    world = lay_companies(runtime, 3)
    broadcast_id = release(runtime, world, early=LONG_AGO)
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
        assert leads_by_state(runtime) == {MessageState.DUE: 3}
        assert mood.taken == []
        assert Worker(runtime).run_once() == 0  # the back-off is respected
        make_due(runtime)
        Worker(runtime).run_once()
    assert leads_by_state(runtime) == {MessageState.SENT: 3}
    told = [entry.event for entry in events(runtime, broadcast_id)]
    assert told.count("hand_over_failed") == 3
    assert told.count("handed_over") == 3


def test_back_off_grows_and_then_ends_in_a_failure_that_shows(runtime: Runtime) -> None:
    async def on_rcpt(_to: str, _times: int) -> str | None:
        return "450 4.2.2 mailbox full"

    message_id = queue(runtime)
    waits = []
    with mail_to(runtime, Mood(on_rcpt=on_rcpt), smtp_connections=1):
        for _ in range(outbox.MOST_ATTEMPTS - 1):
            before = now()
            Worker(runtime).run_once()
            waits.append((get(runtime, message_id).due_at - before).total_seconds())
            make_due(runtime)
        Worker(runtime).run_once()
    assert waits[0] == pytest.approx(30, abs=5)
    assert all(later >= earlier - 5 for earlier, later in pairwise(waits))
    assert waits[-1] == pytest.approx(outbox.LONGEST_RETRY.total_seconds(), abs=5)
    message = get(runtime, message_id)
    assert message.state is MessageState.FAILED
    assert "450 4.2.2 mailbox full" in message.error


def test_a_refused_recipient_fails_and_the_others_get_theirs(runtime: Runtime) -> None:
    async def on_rcpt(to: str, _times: int) -> str | None:
        return "550 5.1.1 unknown" if to == "c1@company.example" else None

    mood = Mood(on_rcpt=on_rcpt)
    broadcast_id = release(runtime, lay_companies(runtime, 5), early=LONG_AGO)
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
    assert leads_by_state(runtime) == {MessageState.SENT: 4, MessageState.FAILED: 1}
    (refusal,) = [entry for entry in events(runtime, broadcast_id) if entry.event == "refused"]
    assert "550 5.1.1 unknown" in refusal.details["error"]


def test_taken_but_the_connection_drops_is_the_same_mail_again(runtime: Runtime) -> None:
    async def on_data(_to: str, times: int) -> str | None:
        return TAKE_AND_DROP if times == 1 else None

    mood = Mood(on_data=on_data)
    release(runtime, lay_companies(runtime, 4), early=LONG_AGO)
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
        make_due(runtime)
        Worker(runtime).run_once()
    assert leads_by_state(runtime) == {MessageState.SENT: 4}
    for company in range(4):
        ids = {mid for mid, to in mood.taken if to == f"c{company}@company.example"}
        assert len(ids) == 1, "a reader would see two mails"


def test_a_server_that_hangs_delays_and_loses_nothing(runtime: Runtime) -> None:
    async def on_data(to: str, times: int) -> str | None:
        if to == "c0@company.example" and times == 1:
            await asyncio.sleep(20)
        return None

    mood = Mood(on_data=on_data)
    release(runtime, lay_companies(runtime, 6), early=LONG_AGO)
    with mail_to(runtime, mood, smtp_timeout=0.5):
        Worker(runtime).run_once()
        assert leads_by_state(runtime) == {MessageState.SENT: 5, MessageState.DUE: 1}
        make_due(runtime)
        Worker(runtime).run_once()
    assert leads_by_state(runtime) == {MessageState.SENT: 6}


def test_no_mail_server_costs_no_attempts(runtime: Runtime) -> None:
    with mail_server(Mood()) as port:
        pass
    point_at(runtime, port)
    message_id = queue(runtime)
    Worker(runtime).run_once()
    message = get(runtime, message_id)
    assert (message.state, message.attempts, message.leased_by) == (MessageState.DUE, 0, None)
    with mail_to(runtime, Mood()):
        Worker(runtime).run_once()
    assert get(runtime, message_id).state is MessageState.SENT


def test_a_server_that_allows_one_connection_gets_one(runtime: Runtime) -> None:
    async def slow(_to: str, _times: int) -> str | None:
        await asyncio.sleep(0.05)
        return None

    mood = Mood(most_connections=1, on_data=slow)
    release(runtime, lay_companies(runtime, 8), early=LONG_AGO)
    with mail_to(runtime, mood), running(Worker(runtime)):
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 8})
    assert set(mood.recipients.values()) == {1}


def test_nothing_leaves_before_the_release_moment(runtime: Runtime) -> None:
    mood = Mood()
    world = lay_companies(runtime, 10)
    with mail_to(runtime, mood), running(Worker(runtime)):
        broadcast_id = release(runtime, world)
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 10})
    released_at = broadcast_of(runtime, broadcast_id).released_at
    moments = [e.at for e in events(runtime, broadcast_id) if e.event == "handed_over"]
    assert min(moments) >= released_at
    assert (max(moments) - released_at).total_seconds() < 3


def test_two_workers_double_nothing(runtime: Runtime) -> None:
    mood = Mood()
    broadcast_id = release(runtime, lay_companies(runtime, 60), early=LONG_AGO)
    with mail_to(runtime, mood), running(Worker(runtime), Worker(runtime)):
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 60}, seconds=60)
    assert len(mood.taken) == 62
    assert set(mood.message_ids.values()) == {1}
    assert chain_holds(runtime, broadcast_id)


def test_what_a_killed_worker_had_in_hand_goes_out_at_once(runtime: Runtime) -> None:
    message_id = queue(runtime)
    dead = identity.new_name().split(":")
    dead[1], dead[2] = "999999999", "1"
    with runtime.sessions.begin() as session:
        assert len(outbox.claim(Desk(session, runtime), ":".join(dead), 10)) == 1
    with mail_to(runtime, Mood()):
        Worker(runtime).run_once()
    assert get(runtime, message_id).state is MessageState.SENT


def test_a_living_worker_keeps_what_it_has_in_hand(runtime: Runtime) -> None:
    message_id = queue(runtime)
    with runtime.sessions.begin() as session:
        outbox.claim(Desk(session, runtime), identity.new_name(), 10)
    with mail_to(runtime, Mood()):
        assert Worker(runtime).run_once() == 0
    assert get(runtime, message_id).state is MessageState.DUE


def test_leases_end_renew_and_survive_a_clock_that_is_set_back(runtime: Runtime) -> None:
    message_id = queue(runtime)

    def claimed(worker: str, later: timedelta) -> bool:
        with runtime.sessions.begin() as session:
            desk = Desk(session, runtime, WORKER, now() + later)
            return bool(outbox.claim(desk, worker, 10))

    assert claimed("elsewhere:1:1:a", timedelta())
    assert not claimed("elsewhere:2:1:b", timedelta())
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, WORKER, now() + outbox.LEASE / 2)
        assert outbox.renew(desk, "elsewhere:1:1:a", {message_id}) == {message_id}
        assert outbox.renew(desk, "elsewhere:2:1:b", {message_id}) == set()
    assert not claimed("elsewhere:2:1:b", outbox.LEASE + timedelta(seconds=5))
    assert claimed("elsewhere:2:1:b", outbox.LEASE * 2)
    # The lease now lies far ahead of a clock that is set back by an hour.
    with runtime.sessions.begin() as session:
        session.execute(update(Message).values(due_at=now() - timedelta(hours=2)))
    assert claimed("elsewhere:3:1:c", -timedelta(hours=1))


def test_what_was_taken_back_meanwhile_is_not_tried_again(runtime: Runtime) -> None:
    world = lay_companies(runtime, 2)
    broadcast_id = release(runtime, world, early=LONG_AGO)
    need_id = broadcast_of(runtime, broadcast_id).need_id
    with runtime.sessions.begin() as session:
        claimed = outbox.claim(Desk(session, runtime), "w", 100)
        ids = [each.id for each in claimed if each.kind is MessageKind.LEAD]
    with runtime.sessions.begin() as session:
        outbox.cancel_for_need(Desk(session, runtime), need_id, [MessageKind.LEAD])
    with runtime.sessions.begin() as session:
        assert outbox.renew(Desk(session, runtime), "w", ids) == set()
        outbox.record(
            Desk(session, runtime),
            [
                Outcome(ids[0], Result.LATER, "451", now()),
                Outcome(ids[1], Result.TAKEN, "250", now()),
            ],
        )
    # What the server took is told as it was; the other one stays taken back.
    assert get(runtime, ids[0]).state is MessageState.CANCELLED
    assert get(runtime, ids[1]).state is MessageState.SENT


def test_a_mail_that_cannot_be_written_fails_alone(runtime: Runtime) -> None:
    bad = queue(runtime, to="a@m.example\r\nBcc: all@m.example")
    good = queue(runtime)
    mood = Mood()
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
    assert get(runtime, bad).state is MessageState.FAILED
    assert get(runtime, good).state is MessageState.SENT
    assert list(mood.recipients) == ["someone@m.example"]


def test_stop_gives_back_what_was_not_tried(runtime: Runtime) -> None:
    async def slow(_to: str, _times: int) -> str | None:
        await asyncio.sleep(0.3)
        return None

    release(runtime, lay_companies(runtime, 30), early=LONG_AGO)
    mood = Mood(on_data=slow)
    with mail_to(runtime, mood, smtp_connections=2, smtp_timeout=5):
        with running(Worker(runtime)):
            until(lambda: len(mood.taken) >= 3)
        with runtime.sessions() as session:
            left = session.scalars(select(Message).where(Message.state == MessageState.DUE)).all()
            assert left
            assert {(each.leased_by, each.attempts) for each in left} == {(None, 0)}
        mood.on_data = None
        Worker(runtime).run_once()
    assert leads_by_state(runtime) == {MessageState.SENT: 30}
    assert set(mood.recipients.values()) == {1}
