"""A webhook hears of an event within seconds, also beside a receiver that hangs."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from api.runtime import Runtime
from api.services import webhooks
from api.services.desk import IMPORT, Desk
from api.worker.webhooks import TOGETHER, Sender, send_due
from models import WebhookDelivery, now
from models.webhook import DeliveryState
from tests.api.test_webhooks import Receiver, demo, receiver, release
from tests.conftest import World, lay_world

__all__ = ["demo", "receiver"]
SOON = 3.0  # seconds, of which one is the pause between two looks


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


@pytest.fixture
def sender(demo: Runtime) -> Iterator[Sender]:
    stopping = threading.Event()
    running = Sender(demo, stopping)
    running.start()
    yield running
    stopping.set()


@pytest.fixture
def trickling() -> Iterator[str]:
    """A server that answers without end, a letter at a time."""
    ended = threading.Event()

    def trickle(taken: socket.socket) -> None:
        with taken, contextlib.suppress(OSError):
            taken.sendall(b"HTTP/1.1 200 ")
            while not ended.wait(0.05):
                taken.sendall(b"x")

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=trickle, args=server.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        ended.set()


def laid(runtime: Runtime, url: str, *others: str) -> World:
    with runtime.sessions.begin() as session:
        world = lay_world(Desk(session, runtime, IMPORT))
        for address in (url, *others):
            webhooks.add(Desk(session, runtime, world.mira), address, company_id=world.wash)
    return world


def heard_after(receiver: Receiver, since: datetime, number: int = 1) -> float:
    end = time.monotonic() + 15
    while len(receiver.got) < number:
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return (now() - since).total_seconds()


def test_an_event_is_heard_within_seconds(
    demo: Runtime, receiver: Receiver, sender: Sender
) -> None:
    world = laid(demo, receiver.url)
    for number in (1, 2):
        release(demo, world)
        assert heard_after(receiver, now(), number) < SOON


def test_receivers_that_hang_hold_up_nobody_else(
    demo: Runtime, receiver: Receiver, hanging: str, sender: Sender
) -> None:
    world = laid(demo, hanging, *[hanging] * 7)
    release(demo, world)
    time.sleep(1.5)  # they are being waited for
    with demo.sessions.begin() as session:
        webhooks_of_pack = Desk(session, demo, world.maud)
        hook = webhooks.add(webhooks_of_pack, receiver.url, company_id=world.pack)
        webhooks.ping(webhooks_of_pack, hook.id)
    assert heard_after(receiver, now()) < SOON
    assert TOGETHER > 8


def test_events_come_in_the_order_in_which_they_happened(
    demo: Runtime, receiver: Receiver, sender: Sender
) -> None:
    world = laid(demo, receiver.url)
    with demo.sessions.begin() as session:
        mira = Desk(session, demo, world.mira)
        hook = webhooks.of(mira, company_id=world.wash)[0]
        moments = [mira.at - timedelta(seconds=20 - number) for number in range(20)]
        ids = [webhooks.ping(replace(mira, at=at), hook.id).id for at in moments]
    heard_after(receiver, now(), 20)
    assert [headers["Maatmatch-Delivery"] for headers, _ in receiver.got] == ids


def test_a_receiver_that_answers_without_end_is_hung_up_on(
    demo: Runtime, trickling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.worker.webhooks.PATIENCE", 0.5)
    release(demo, laid(demo, trickling))
    begun = time.monotonic()
    assert send_due(demo) == 1
    assert time.monotonic() - begun < 5
    with demo.sessions() as session:
        (sent,) = session.scalars(select(WebhookDelivery))
        assert sent.state is DeliveryState.DUE
        assert "no whole answer" in sent.error
