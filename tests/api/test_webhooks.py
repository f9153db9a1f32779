"""Webhooks over a real connection: signed, retried, replayed; and never into our own network."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from api.errors import Invalid, NotAllowed, NotFound
from api.runtime import Runtime
from api.services import broadcasts, needs, webhooks
from api.services.desk import IMPORT, Desk
from api.services.needs import NeedDraft
from api.worker.webhooks import send_due
from matcher.ranking import Ranker
from models import WebhookDelivery, now
from models.webhook import DeliveryState
from tests.conftest import World, lay_world, start_sqlite


class Receiver:
    """A web server that keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_args: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def demo(tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker) -> Iterator[Runtime]:
    """Only the demo may send to addresses that are not public, such as this machine's own."""
    runtime = start_sqlite(tmp_path, prepared_sqlite, ranker, demo=True)
    yield runtime
    runtime.close()


def release(runtime: Runtime, world: World) -> None:
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, world.finn, now() - broadcasts.RELEASE_DELAY)
        draft = NeedDraft(
            text="Wie kan onze lakens wassen en plooien?",
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email=world.finn.email,
        )
        need = needs.submit(desk, draft, proven=True)
        broadcasts.approve(desk.as_actor(world.cato), need.id)


def test_an_event_is_signed_retried_and_replayed(demo: Runtime, receiver: Receiver) -> None:
    with demo.sessions.begin() as session:
        world = lay_world(Desk(session, demo, IMPORT))
        mira = Desk(session, demo, world.mira)
        hook = webhooks.add(mira, receiver.url, company_id=world.wash)
        secret = hook.secret
    release(demo, world)
    receiver.answers = [500, 302]
    assert send_due(demo) == 1
    assert send_due(demo) == 0  # it rests before the next try
    for _ in range(2):
        with demo.sessions.begin() as session:
            delivery = session.scalars(select(WebhookDelivery)).one()
            assert delivery.state is DeliveryState.DUE
            assert delivery.error.startswith("answered")
            assert delivery.due_at > now()
            delivery.due_at = now()
        assert send_due(demo) == 1
    assert len(receiver.got) == 3  # 500, a redirect that nobody followed, and taken
    headers, body = receiver.got[-1]
    seconds, signed = (part.split("=")[1] for part in headers["Maatmatch-Signature"].split(","))
    wanted = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256)
    assert signed == wanted.hexdigest()
    assert json.loads(body)["event"] == "lead.released"
    assert json.loads(body)["company_id"] == world.wash

    with demo.sessions.begin() as session:
        mira = Desk(session, demo, world.mira)
        (sent,) = webhooks.deliveries(mira, hook.id)
        assert sent.state is DeliveryState.SENT
        with pytest.raises(NotFound):
            webhooks.replay(Desk(session, demo, world.maud), sent.id)
        webhooks.replay(mira, sent.id)
    assert send_due(demo) == 1
    assert receiver.got[-1][1] == body


def test_no_webhook_is_before_the_release(demo: Runtime, receiver: Receiver) -> None:
    with demo.sessions.begin() as session:
        world = lay_world(Desk(session, demo, IMPORT))
        webhooks.add(Desk(session, demo, world.cato), receiver.url, hub_id=world.hub)
    with demo.sessions.begin() as session:
        desk = Desk(session, demo, world.finn)
        need = needs.submit(
            desk,
            NeedDraft("Wie kan onze lakens wassen?", "2800 Mechelen", "Crèche De Zandkorrel",
                      "Finn", world.finn.email),
            proven=True,
        )  # fmt: skip
        broadcast = broadcasts.approve(desk.as_actor(world.cato), need.id)
        session.flush()
        moments = session.scalars(select(WebhookDelivery.due_at)).all()
        assert set(moments) == {broadcast.released_at}


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/hook", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.8/",
        "https://169.254.169.254/latest", "https://192.168.1.1/", "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[fd00::1]/",
        "https://2130706433/", "https://user:word@93.184.215.14/", "ftp://93.184.215.14/",
        "https://100.64.0.1/", "https://[2002:7f00:1::]/", "https:///path", "https://x:99999/",
        "https://224.0.0.1/", "https://[::127.0.0.1]/", "https://[::ffff:0:10.0.0.8]/",
        "https://[64:ff9b:1::a00:8]/", "https://[fec0::1]/", "https://[5f00::1]/",
    ],
)  # fmt: skip
def test_addresses_inside_a_network_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        webhooks.reachable(url)


def test_a_public_address_is_taken() -> None:
    assert webhooks.reachable("https://93.184.215.14/hook") == ("93.184.215.14", 443)
    for address in ("2606:4700:4700::1111", "64:ff9b::5db8:d70e"):
        assert webhooks.reachable(f"https://[{address}]/") == (address, 443)


def test_only_for_ones_own(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    with sqlite_runtime.sessions() as session:
        maud = Desk(session, sqlite_runtime, sqlite_world.maud)
        with pytest.raises(NotAllowed):
            webhooks.add(maud, "https://93.184.215.14/", company_id=sqlite_world.wash)
        with pytest.raises(NotAllowed):
            webhooks.of(maud, hub_id=sqlite_world.hub)
        cato = Desk(session, sqlite_runtime, sqlite_world.cato)
        for actor in (cato, maud):
            for company in (sqlite_world.wash, sqlite_world.pack):
                with pytest.raises(NotAllowed):
                    webhooks.add(
                        actor,
                        "https://93.184.215.14/",
                        hub_id=sqlite_world.hub,
                        company_id=company,
                    )
        mine = webhooks.add(maud, "https://93.184.215.14/", company_id=sqlite_world.pack)
        assert [each.id for each in webhooks.of(maud, company_id=sqlite_world.pack)] == [mine.id]
        webhooks.remove(maud, mine.id)
        assert webhooks.of(maud, company_id=sqlite_world.pack) == []
