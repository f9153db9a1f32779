"""A mail server that does not answer: everybody is told, nothing is lost, it goes on by itself."""

import re
import socket
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from api import health
from api.app import create_app
from api.runtime import Runtime
from api.services import broadcasts, delays, doctor, needs
from api.services.desk import IMPORT, Desk
from api.worker import Worker
from matcher.ranking import Ranker
from models import Message, now
from models.message import MessageState
from tests.api.mail_servers import Mood
from tests.api.test_pages_rooms import draft
from tests.api.test_pages_safety import browser
from tests.api.test_worker import mail_to, point_at
from tests.conftest import SECRET, World, start

SLOW = "Onze mail heeft nu vertraging"
STOPPED = "De mail staat stil"


def dead_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def states(runtime: Runtime) -> set[MessageState]:
    """Of mails that should have left by now; a release has its moment some seconds ahead."""
    with runtime.sessions() as session:
        return set(session.scalars(select(Message.state).where(Message.due_at <= now())))


def test_a_dead_mail_server_is_told_to_everybody_and_loses_nothing(
    sqlite_runtime: Runtime, sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = sqlite_runtime
    point_at(runtime, dead_port())
    app = create_app(runtime)
    nobody = TestClient(app)
    cato, csrf = browser(runtime, sqlite_world.cato)
    asked = {"email": sqlite_world.finn.email}
    assert SLOW not in nobody.post("/sign-in", data=asked).text
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        early = replace(desk, at=desk.at - timedelta(minutes=5))
        need = needs.submit(early, draft(), proven=True)
        waiting = needs.submit(early, draft(), proven=True).id
        broadcasts.approve(early.as_actor(sqlite_world.cato), need.id)
        path = f"/hub/needs/{need.id}/broadcast"
    Worker(runtime).run_once()
    assert states(runtime) == {MessageState.DUE}

    # Who was told to look in the mail hears that it is late, also who is known to nobody.
    for email in (sqlite_world.finn.email, "nobody@elsewhere.example"):
        assert SLOW in nobody.post("/sign-in", data={"email": email}).text
    # The coordinator sees it where the day begins, before releasing and while it is under way.
    for page in ("/hub", f"/hub/needs/{waiting}/approve", path, f"{path}/live"):
        assert STOPPED in cato.get(page).text, page
    released = cato.post(f"/hub/needs/{waiting}/approve", data={"csrf": csrf})
    assert released.status_code == 303
    # Whoever looks after the machine, too; it stays in service.
    ready = nobody.get("/health/ready")
    assert ready.status_code == 200
    assert re.search(r"\d+ late since", ready.json()["mail"])
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", SECRET)
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", runtime.settings.database_url)
    monkeypatch.setenv("MAATMATCH_SMTP_PORT", str(runtime.settings.smtp_port))
    found = {each.what: each for each in doctor.examine()}
    assert not found["mail"].ok
    assert not found["waiting mail"].ok
    assert "maatmatch worker" in found["waiting mail"].to_do

    mood = Mood()
    with mail_to(runtime, mood):
        Worker(runtime).run_once()
    assert states(runtime) == {MessageState.SENT}
    assert set(mood.message_ids.values()) == {1}
    assert "wash@company.example" in mood.recipients
    assert SLOW not in nobody.post("/sign-in", data=asked).text
    assert STOPPED not in cato.get("/hub").text
    assert nobody.get("/health/ready").json()["mail"] == "ok"


def test_mail_that_is_only_just_due_or_due_later_is_not_late(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT)
        assert delays.present(desk) is None
        needs.submit(desk, draft())
        session.flush()
        assert delays.present(desk) is None
        found = delays.present(replace(desk, at=desk.at + timedelta(minutes=3)))
        assert found == delays.Delay(1, desk.at)


def test_a_database_that_may_only_be_read_is_told_by_the_doctor_and_to_who_writes(
    sqlite_runtime: Runtime, sqlite_world: World, ranker: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite_runtime.engine.url.database
    url = f"sqlite:///file:{path}?mode=ro&uri=true"
    runtime = start(url, ranker)
    nobody = TestClient(create_app(runtime))
    assert nobody.get("/companies").status_code == 200
    refused = nobody.post("/sign-in", data={"email": sqlite_world.finn.email})
    assert refused.status_code == 503
    assert "wat je typte" in refused.text
    ready = nobody.get("/health/ready")
    assert ready.status_code == 200
    assert "readonly" in ready.json()["writing"]
    runtime.close()
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", SECRET)
    monkeypatch.setenv("MAATMATCH_DATABASE_URL", url)
    (found,) = (each for each in doctor.examine() if each.what == "database")
    assert not found.ok
    assert "readonly" in found.found
    assert "may write there" in found.to_do


def test_readiness_says_whether_the_database_can_be_written(runtime: Runtime) -> None:
    ready = TestClient(create_app(runtime)).get("/health/ready")
    assert ready.json()["writing"] == "ok"
    if runtime.engine.dialect.name != "postgresql":
        return  # read-only SQLite: above
    with runtime.engine.connect() as connection:
        name = connection.engine.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        connection.commit()
    runtime.engine.dispose()  # what is asked anew, is asked read-only
    ready = TestClient(create_app(runtime)).get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["database"] == "ok"
    assert "read-only" in ready.json()["writing"]


def test_a_disk_that_is_nearly_full_is_told_and_all_can_still_be_read(
    sqlite_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = TestClient(create_app(sqlite_runtime))
    assert nobody.get("/health/ready").json()["disk"] == "ok"
    monkeypatch.setattr(health, "LEAST_DISK", 2**60)
    ready = nobody.get("/health/ready")
    assert ready.status_code == 200
    assert re.fullmatch(r"\d+ MB free", ready.json()["disk"])
