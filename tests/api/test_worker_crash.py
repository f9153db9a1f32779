"""The worker is killed with -9 at random moments: no lead is lost, none is seen twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from api.runtime import Runtime
from models.message import MessageState
from tests.api.mail_servers import Mood, mail_server
from tests.api.networks import events, lay_companies, leads_by_state, release
from tests.api.test_worker import LONG_AGO, chain_holds
from tests.conftest import SECRET

# Imports once and then makes a worker process for every line it reads: a worker of its own that
# is killed for good, without waiting for its imports each time.
NURSERY = """
import os
import signal
import sys
from api import logs
from api.runtime import Runtime
from api.settings import load_settings
from api.worker import Worker
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    worker = os.fork()
    if worker == 0:
        settings = load_settings()
        logs.configure(settings.log_level)
        Worker(Runtime.start(settings)).run()
        os._exit(0)
    print(worker, flush=True)
"""
LONGEST = 240  # seconds for one run of the harness


@contextmanager
def nursery(runtime: Runtime, port: int) -> Iterator[Callable[[], int]]:
    """Gives what starts a worker process, as `maatmatch worker` does, and tells its id."""
    environment = os.environ | {
        "MAATMATCH_DATABASE_URL": runtime.settings.database_url,
        "MAATMATCH_SECRET_KEY": SECRET,
        "MAATMATCH_BASE_URL": runtime.settings.base_url,
        "MAATMATCH_SMTP_PORT": str(port),
        "MAATMATCH_LOG_LEVEL": "error",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        order, told = process.stdin, process.stdout

        def start() -> int:
            order.write("\n")
            order.flush()
            return int(told.readline())

        try:
            yield start
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def kill(worker: int) -> None:
    """Kill -9, and wait until it is gone."""
    os.kill(worker, signal.SIGKILL)
    with suppress(ProcessLookupError):
        while True:
            os.kill(worker, 0)
            time.sleep(0.001)


def kill_often(runtime: Runtime, deliveries: int, seed: int) -> dict[str, int]:
    """Deliver a broadcast while killing the worker; counts kills, lost, doubled, repeated."""
    dice = random.Random(seed)

    async def a_little_slow(_to: str, _times: int) -> str | None:
        await asyncio.sleep(dice.random() / 100)
        return None

    mood = Mood(on_data=a_little_slow)
    broadcast_id = release(runtime, lay_companies(runtime, deliveries), early=LONG_AGO)
    done = {MessageState.SENT: deliveries}
    kills, end = 0, time.monotonic() + LONGEST
    with mail_server(mood) as port, nursery(runtime, port) as start:
        while leads_by_state(runtime) != done:
            assert time.monotonic() < end, f"not done in {LONGEST} s: {leads_by_state(runtime)}"
            worker = start()
            enough = len(mood.taken) + dice.randint(1, deliveries // 8)
            while len(mood.taken) < enough and time.monotonic() < end:
                time.sleep(0.002)
                if len(mood.recipients) >= deliveries and leads_by_state(runtime) == done:
                    break
            # Anywhere between a hand-over, its reply, and the note in the database.
            time.sleep(dice.random() / 20)
            kill(worker)
            kills += 1
    seen: dict[str, set[str]] = {f"c{n}@company.example": set() for n in range(deliveries)}
    for message_id, to in mood.taken:
        if to in seen:
            seen[to].add(message_id)
    told = [e.lead_id for e in events(runtime, broadcast_id) if e.event == "handed_over"]
    assert len(set(told)) == deliveries
    assert chain_holds(runtime, broadcast_id)
    return {
        "kills": kills,
        "lost": sum(not ids for ids in seen.values()),
        "doubled": sum(len(ids) > 1 for ids in seen.values()),
        "repeated": sum(times - 1 for times in mood.message_ids.values()),
    }


def report(counted: dict[str, int], deliveries: int, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{deliveries} deliveries, {counted['kills']} kills: {counted['lost']} lost, "
            f"{counted['doubled']} doubled, {counted['repeated']} handed over again as the same "
            "mail (same Message-ID)"
        )
    assert counted["kills"] > 3
    assert (counted["lost"], counted["doubled"]) == (0, 0)


@pytest.mark.parametrize("runtime", ["sqlite"], indirect=True)  # both in the slow one below
def test_kill_over_200_deliveries(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    report(kill_often(runtime, 200, seed=1), 200, capsys)


@pytest.mark.slow
def test_kill_over_1000_deliveries(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    report(kill_often(runtime, 1000, seed=2), 1000, capsys)
