"""The database goes away, the disk is full, the clock jumps: mail goes on afterwards, once."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from sqlalchemy import create_engine, event, make_url, text

from api.runtime import Runtime
from api.worker import Worker
from models import now
from models.message import MessageState
from tests.api.mail_servers import Mood
from tests.api.networks import lay_companies, leads_by_state, release
from tests.api.test_worker import LONG_AGO, chain_holds, get, mail_to, queue, running, until


@contextmanager
def database_gone(runtime: Runtime) -> Iterator[None]:
    """What a restart of the PostgreSQL server looks like: sessions cut, nobody let in."""
    url = make_url(runtime.settings.database_url)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'))
        connection.execute(cut, {"name": url.database})
        try:
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'))
    admin.dispose()


def events_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("runtime", ["postgresql"], indirect=True)
def test_the_database_restarts_in_the_middle_of_a_broadcast(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow(_to: str, _times: int) -> str | None:
        await asyncio.sleep(0.03)
        return None

    caplog.set_level(logging.WARNING)
    mood = Mood(on_data=slow)
    broadcast_id = release(runtime, lay_companies(runtime, 120), early=LONG_AGO)
    with mail_to(runtime, mood), running(Worker(runtime)):
        until(lambda: len(mood.taken) > 20)
        with database_gone(runtime):
            time.sleep(2.5)
            assert "database_unavailable" in events_logged(caplog)
            # Without a place to note them, it stops handing over instead of running ahead.
            at_first = len(mood.taken)
            time.sleep(1)
            assert len(mood.taken) == at_first < 120
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 120}, seconds=60)
    assert "database_back" in events_logged(caplog)
    assert set(mood.message_ids.values()) == {1}
    assert len(mood.recipients) == 122
    assert chain_holds(runtime, broadcast_id)


@pytest.mark.parametrize("runtime", ["sqlite"], indirect=True)
def test_a_full_disk_loses_no_outcome(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    broadcast_id = release(runtime, lay_companies(runtime, 40), early=LONG_AGO)
    full = False

    @event.listens_for(runtime.engine, "begin")
    def _limit(connection: Any) -> None:
        # The most pages the file may have: SQLite's own way to meet a full disk.
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        limit = pages if full else 1_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")

    async def slow(to: str, _times: int) -> str | None:
        await asyncio.sleep(0.02)
        return None

    mood = Mood(on_data=slow)
    with mail_to(runtime, mood), running(Worker(runtime)):
        until(lambda: len(mood.taken) > 5)
        full = True
        until(lambda: "database_unavailable" in events_logged(caplog))
        time.sleep(1.5)
        full = False
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 40}, seconds=60)
    (line, *_) = [r for r in caplog.records if r.getMessage() == "database_unavailable"]
    assert "full" in line.__dict__["error"]
    assert set(mood.message_ids.values()) == {1}
    assert chain_holds(runtime, broadcast_id)


class Clock:
    """The clock of the machine, set forward or back while everything runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift = shift = [timedelta()]
        real_time = time.time

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + shift[0]

        monkeypatch.setattr("models.base.datetime", Shifted)
        monkeypatch.setattr(time, "time", lambda: real_time() + shift[0].total_seconds())

    def set(self, shift: timedelta) -> None:
        self.shift[0] = shift


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "back"])
def test_the_clock_jumps(
    runtime: Runtime,
    jump: timedelta,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(_to: str, _times: int) -> str | None:
        await asyncio.sleep(0.05)
        return None

    caplog.set_level(logging.WARNING)
    clock = Clock(monkeypatch)
    mood = Mood(on_data=slow)
    release(runtime, lay_companies(runtime, 40), early=2 * timedelta(hours=1))
    with mail_to(runtime, mood), running(Worker(runtime)):
        until(lambda: len(mood.taken) > 8)
        clock.set(jump)
        until(lambda: leads_by_state(runtime) == {MessageState.SENT: 40}, seconds=60)
        later = queue(runtime)  # the worker did not stop at that
        until(lambda: get(runtime, later).state is MessageState.SENT)
    assert set(mood.message_ids.values()) == {1}
    assert "clock_jumped" in events_logged(caplog)


@pytest.mark.parametrize("runtime", ["sqlite"], indirect=True)
def test_a_clock_set_back_before_the_release_holds_nothing_up(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    mood = Mood()
    with mail_to(runtime, mood, smtp_connections=1), running(Worker(runtime)):
        waiting = queue(runtime, to="later@m.example", due_at=now() + timedelta(seconds=1.4))
        until(lambda: get(runtime, waiting).leased_by is not None)
        clock.set(timedelta(hours=-1))
        other = queue(runtime)
        until(lambda: get(runtime, other).state is MessageState.SENT)
        assert get(runtime, waiting).state is MessageState.DUE
        clock.set(timedelta())
        until(lambda: get(runtime, waiting).state is MessageState.SENT)
    assert set(mood.message_ids.values()) == {1}
