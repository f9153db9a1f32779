"""A real local mail server that keeps what it receives: for the demo, and for tests."""

import asyncio
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from models import new_id, now

MOST_KEPT = 2_000  # mails; the oldest go first


@dataclass(frozen=True)
class ReceivedMail:
    """One mail as it came in over SMTP. `headers` holds the last value of each name."""

    id: str
    at: datetime
    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)


class DemoReceiver:
    """Listens on a free loopback port from `start` to `stop`; also a context manager.

    `messages` is a copy of what was received, oldest first. With a folder, every mail is also
    written there as <id>.eml, and what an earlier receiver wrote there is read again.
    """

    def __init__(self, folder: Path | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port, self.folder = host, port, folder
        self._kept: list[ReceivedMail] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-mail", daemon=True)

    @property
    def messages(self) -> list[ReceivedMail]:
        with self._lock:
            return list(self._kept)

    def get(self, mail_id: str) -> ReceivedMail | None:
        """The mail with this id; None when there is none (any more)."""
        return next((mail for mail in self.messages if mail.id == mail_id), None)

    def start(self) -> "DemoReceiver":
        """Listen. Raises OSError when the port is taken."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._kept = _earlier(self.folder)
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, self.host, self.port)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread.start()
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def __enter__(self) -> "DemoReceiver":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # aiosmtpd calls this by name when a mail has come in whole.
    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        mail = read(raw, ", ".join(envelope.rcpt_tos))
        if self.folder is not None:
            (self.folder / f"{mail.id}.eml").write_bytes(raw)
        with self._lock:
            self._kept.append(mail)
            gone = self._kept[:-MOST_KEPT]
            del self._kept[:-MOST_KEPT]
        if self.folder is not None:
            for each in gone:
                (self.folder / f"{each.id}.eml").unlink(missing_ok=True)
        return f"250 2.0.0 kept as {mail.id}"

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="demo.maatmatch.example", loop=self._loop, enable_SMTPUTF8=False)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0.05))
            self._loop.close()


def _earlier(folder: Path) -> list[ReceivedMail]:
    """The mails of an earlier run, oldest first: their ids rise with the moment they came in."""
    found = []
    for path in sorted(folder.glob("*.eml"))[-MOST_KEPT:]:
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        found.append(replace(read(path.read_bytes()), id=path.stem, at=at))
    return found


def read(raw: bytes, to: str = "") -> ReceivedMail:
    """The parts of a mail that a page shows; to whom it went is else read from its header."""
    parsed = message_from_bytes(raw, _class=EmailMessage, policy=default)
    plain, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    return ReceivedMail(
        id=new_id(),
        at=now(),
        to=to or parseaddr(str(parsed.get("to", "")))[1],
        subject=str(parsed.get("subject", "")),
        text=plain.get_content() if plain else "",
        html=html.get_content() if html else "",
        headers={name: str(value) for name, value in parsed.items()},
    )
