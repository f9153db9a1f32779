"""The doctor: looks at configuration, database, encoder, mail and clock, says what to do."""

import shutil
import smtplib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from api.errors import Misconfigured
from api.runtime import Runtime
from api.services import delays
from api.services.desk import Desk
from api.settings import Settings, load_settings
from models import now, schema

LEAST_DISK = 200 * 1024 * 1024  # bytes: below it, SQLite may fail in the middle of a broadcast
MOST_DRIFT = 5.0  # seconds between this clock and the database server's


@dataclass(frozen=True)
class Finding:
    """One thing looked at, what was found, and what to do when it is not ok."""

    what: str
    ok: bool
    found: str
    to_do: str = ""


def examine() -> list[Finding]:
    """Every finding, also after one has failed."""
    try:
        settings = load_settings()
    except Misconfigured as error:
        return [Finding("configuration", False, "incomplete", str(error))]
    runtime = Runtime.start(settings)
    checks: list[tuple[str, Callable[[Runtime], Finding]]] = [
        ("database", _database),
        ("disk", _disk),
        ("encoder", _encoder),
        ("mail", _mail),
        ("waiting mail", _waiting),
        ("clock", _clock),
    ]
    findings = [Finding("configuration", True, settings.base_url)]
    for what, check in checks:
        try:
            findings.append(check(runtime))
        except Exception as error:
            findings.append(Finding(what, False, f"{type(error).__name__}: {error}", _ADVICE[what]))
    runtime.close()
    return findings


_ADVICE = {
    "database": "check MAATMATCH_DATABASE_URL, that the server runs and that we may write there; "
    "then: maatmatch init",
    "disk": "free some space on the disk of the database",
    "encoder": "check MAATMATCH_ENCODER; empty means the shipped one; after a change of encoder "
    "run: maatmatch vectors",
    "mail": "check MAATMATCH_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD",
    "waiting mail": "it leaves by itself once the mail server answers and a worker runs: "
    "maatmatch serve, or maatmatch worker",
    "clock": "set the clock (NTP); deadlines and links depend on it",
}


def _database(runtime: Runtime) -> Finding:
    present, newest = schema.present_revision(runtime.engine), schema.newest_revision()
    kind = runtime.engine.dialect.name
    if present != newest:
        return Finding(
            "database", False, f"{kind}, tables at {present}, needs {newest}", "maatmatch init"
        )
    with runtime.sessions() as session:
        require_writable(session)
    return Finding("database", True, f"{kind}, tables at {present}")


def require_writable(session: Session) -> None:
    """Raises SQLAlchemy's DBAPIError when the database may only be read; changes nothing."""
    session.execute(text("UPDATE hub SET name = name WHERE 1 = 0"))
    session.rollback()


def free_space(settings: Settings) -> int | None:
    """Bytes free where the embedded database stands; None with a database server."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return shutil.disk_usage(Path(url.database).parent).free


def _disk(runtime: Runtime) -> Finding:
    free = free_space(runtime.settings)
    if free is None:
        return Finding("disk", True, "kept by the database server")
    enough = free > LEAST_DISK
    return Finding("disk", enough, f"{free // 2**20} MB free", "" if enough else _ADVICE["disk"])


def _encoder(runtime: Runtime) -> Finding:
    start = time.perf_counter()
    identity = runtime.ranker.encoder.identity
    took = time.perf_counter() - start
    fits = runtime.ranker.read("wie kan onze werkkledij wassen en herstellen?").fit
    return Finding("encoder", fits > 0, f"{identity}, loaded in {took:.1f} s")


def _mail(runtime: Runtime) -> Finding:
    settings: Settings = runtime.settings
    where = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
    kind = smtplib.SMTP_SSL if settings.smtp_security == "tls" else smtplib.SMTP
    try:
        with kind(settings.smtp_host, settings.smtp_port, timeout=5) as server:
            server.ehlo()
            if settings.smtp_security == "starttls":
                server.starttls()
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    except (OSError, smtplib.SMTPException, socket.gaierror) as error:
        return Finding("mail", False, f"{where}: {error}", _ADVICE["mail"])
    return Finding("mail", True, where)


def _waiting(runtime: Runtime) -> Finding:
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        delay = delays.present(Desk(session, runtime))
    if delay is None:
        return Finding("waiting mail", True, "none")
    found = f"{delay.count} since {delay.since.isoformat(timespec='minutes')}"
    return Finding("waiting mail", False, found, _ADVICE["waiting mail"])


def _clock(runtime: Runtime) -> Finding:
    here = now()
    if here.year < 2026:
        return Finding("clock", False, here.isoformat(), _ADVICE["clock"])
    if runtime.engine.dialect.name != "postgresql":
        return Finding("clock", True, here.isoformat(timespec="seconds"))
    with runtime.engine.connect() as connection:
        there = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    drift = abs((there - here).total_seconds())
    near = drift < MOST_DRIFT
    return Finding(
        "clock", near, f"{drift:.1f} s from the database's", "" if near else _ADVICE["clock"]
    )
