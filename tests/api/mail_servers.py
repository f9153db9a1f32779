"""Real mail servers on loopback with the moods that real ones have."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, syntax


@dataclass
class Mood:
    """What a server does, and what it has taken: (Message-ID, recipient) per mail.

    `on_rcpt` and `on_data` get (recipient, how often it was seen there) and give a reply, or
    None for yes; they may sleep, or return DROP.
    """

    on_rcpt: Callable[[str, int], Awaitable[str | None]] | None = None
    on_data: Callable[[str, int], Awaitable[str | None]] | None = None
    on_mail: Callable[[str], Awaitable[str | None]] | None = None
    drop_inside: bool = False  # closes when the message starts to come in
    greeting: str | None = None
    most_connections: int = 1000
    options: dict[str, Any] = field(default_factory=dict)
    taken: list[tuple[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0

    @property
    def message_ids(self) -> Counter[str]:
        return Counter(message_id for message_id, _ in self.taken)

    @property
    def recipients(self) -> Counter[str]:
        return Counter(to for _, to in self.taken)

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.on_mail and (reply := await self.on_mail(address)):
            if reply == DROP:
                server.transport.abort()
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.tries[address] += 1
        if self.on_rcpt and (reply := await self.on_rcpt(address, self.tries[address])):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        to = envelope.rcpt_tos[0]
        reply = None
        if self.on_data:
            reply = await self.on_data(to, self.tries[to])
        if reply and reply not in (DROP, TAKE_AND_DROP):
            return reply
        if reply != DROP:
            mail = message_from_bytes(envelope.original_content)
            self.taken.append((str(mail["Message-ID"]), to))
            self.raw.append(envelope.original_content)
            self.senders.append(envelope.mail_from)
        if reply in (DROP, TAKE_AND_DROP):
            server.transport.abort()
        return f"250 taken number {len(self.taken)}"


DROP = "drop"
TAKE_AND_DROP = "take and drop"


class _Server(SMTP):
    mood: Mood

    def connection_made(self, transport: Any) -> None:
        mood = self.mood
        mood.connections += 1
        mood.open_now += 1
        mood.most_open = max(mood.most_open, mood.open_now)
        if mood.open_now > mood.most_connections or mood.greeting:
            transport.write((mood.greeting or "421 too many connections").encode() + b"\r\n")
            transport.close()
            self.transport = None
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.mood.open_now -= 1
        if self.transport is not None:
            super().connection_lost(error)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        if self.mood.drop_inside:
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


@contextmanager
def mail_server(mood: Mood, *, port: int = 0, tls: Any = None) -> Iterator[int]:
    """Runs a server in a thread; gives its port. `tls` makes every connection encrypted."""
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        server = _Server(mood, hostname="test.example", loop=loop, **mood.options)
        server.mood = mood
        return server

    listening = loop.run_until_complete(
        loop.create_server(protocol, "127.0.0.1", port, ssl=tls, reuse_address=True)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(listening: asyncio.Server) -> None:
    listening.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.02)
