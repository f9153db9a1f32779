"""Webhooks on pages: the secret once, a test that arrives, replay, pause, delete; for one's own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.runtime import Runtime
from api.services.desk import IMPORT, Desk
from api.worker.webhooks import send_due
from matcher.ranking import Ranker
from models import AuditEntry, Webhook
from tests.api.test_pages_safety import browser
from tests.api.test_webhooks import Receiver
from tests.conftest import World, lay_world, start_sqlite


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def demo(tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker) -> Iterator[Runtime]:
    """Only the demo may send to this machine's own addresses."""
    runtime = start_sqlite(tmp_path, prepared_sqlite, ranker, demo=True)
    yield runtime
    runtime.close()


@pytest.fixture
def world(demo: Runtime) -> World:
    with demo.sessions.begin() as session:
        return lay_world(Desk(session, demo, IMPORT))


def only_hook(runtime: Runtime) -> Webhook:
    with runtime.sessions() as session:
        return session.scalars(select(Webhook)).one()


@pytest.mark.parametrize("of", ["company", "hub"])
def test_added_tried_replayed_paused_and_deleted(
    demo: Runtime, world: World, receiver: Receiver, of: str
) -> None:
    client, csrf = browser(demo, world.mira if of == "company" else world.cato)
    path = f"/companies/{world.wash}/webhooks" if of == "company" else f"/hub/{world.hub}/webhooks"
    made = client.post(path, data={"csrf": csrf, "url": receiver.url})
    hook = only_hook(demo)
    assert hook.secret in made.text
    assert hook.secret not in client.get(path).text
    page = f"/webhooks/{hook.id}"
    assert "Nog niets verstuurd" in client.get(page).text

    client.post(f"{page}/test", data={"csrf": csrf})
    assert send_due(demo) == 1
    assert receiver.got[0][0]["Maatmatch-Event"] == "ping"
    shown = client.get(page).text
    assert re.search(r"204 No Content · \d+ ms", shown)
    assert "<html" not in client.get(f"{page}/live").text
    delivery = re.search(r'name="delivery" value="(\w+)"', shown)
    assert delivery
    client.post(f"{page}/replay", data={"csrf": csrf, "delivery": delivery[1]})
    assert send_due(demo) == 1
    assert receiver.got[0][1] == receiver.got[1][1]

    client.post(f"{page}/pause", data={"csrf": csrf, "paused": "1"})
    client.post(f"{page}/replay", data={"csrf": csrf, "delivery": delivery[1]})
    assert send_due(demo) == 1  # a test goes through also while paused
    assert "gepauzeerd" in client.get(page).text
    client.post(f"{page}/pause", data={"csrf": csrf})
    assert "gepauzeerd</span>" not in client.get(page).text
    gone = client.post(f"{page}/delete", data={"csrf": csrf})
    assert gone.headers["location"] == f"{path}?done=webhook_deleted"
    assert client.get(page).status_code == 404
    with demo.sessions() as session:
        deeds = session.scalars(
            select(AuditEntry.action).where(AuditEntry.noun == "webhook").order_by(AuditEntry.id)
        ).all()
    assert deeds == ["add", "test", "replay", "pause", "replay", "resume", "remove"]


def test_a_wrong_address_is_said_beside_the_field(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/companies/{sqlite_world.wash}/webhooks"
    for url in ("https://127.0.0.1/hook", "http://93.184.215.14/", "https://10.0.0.5/", "geen"):
        refused = mira.post(path, data={"csrf": csrf, "url": url})
        assert refused.status_code == 422
        assert 'id="url-error"' in refused.text
        assert url in refused.text


def test_nobody_sees_or_touches_those_of_others(demo: Runtime, world: World) -> None:
    mira, csrf = browser(demo, world.mira)
    mira.post(
        f"/companies/{world.wash}/webhooks",
        data={"csrf": csrf, "url": "https://93.184.215.14/hook"},
    )
    hook = only_hook(demo)
    others: list[tuple[TestClient, str]] = [
        browser(demo, each) for each in (world.cato, world.maud, world.finn, world.otto)
    ]
    for client, secret in others:
        assert client.get(f"/companies/{world.wash}/webhooks").status_code == 403
        assert client.get(f"/webhooks/{hook.id}").status_code == 404
        for deed in ("test", "pause", "delete", "replay"):
            answer = client.post(f"/webhooks/{hook.id}/{deed}", data={"csrf": secret})
            assert answer.status_code == 404
    assert mira.get(f"/hub/{world.hub}/webhooks").status_code == 403
    with demo.sessions() as session:
        assert session.get_one(Webhook, hook.id).active
