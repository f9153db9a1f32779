"""Returned mail: bounces, delays, automatic replies and letters, by pipe and over IMAP."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.mail import bounces
from api.mail.bounces import Kind
from api.runtime import Runtime
from api.services.desk import Desk
from api.worker import Worker
from api.worker.chores import Chores
from models import Company, Lead, Message
from models.message import MessageKind, MessageState
from tests.api.mail_servers import Mood
from tests.api.networks import events, lay_companies, release
from tests.api.test_worker import chain_holds, mail_to, running, until

# As a Postfix writes it (RFC 3464), shortened; the original's headers are in the third part.
DSN = """Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B.1"
Message-Id: <20261122101010.ABCDEF@mx.example>

--B.1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B.1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Sun, 22 Nov 2026 10:10:00 +0100 (CET)

Final-Recipient: rfc822; c0@company.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <c0@company.example>: Recipient address
    rejected: User unknown

--B.1
Content-Type: text/rfc822-headers

From: Maatmatch <no-reply@maatmatch.example>
Message-ID: {message_id}
Subject: Vraag

--B.1--
"""
HOLIDAY = """From: c0@company.example
To: no-reply@maatmatch.example
Subject: Afwezig
Auto-Submitted: auto-replied
In-Reply-To: {message_id}

Ik ben er weer op 4 januari.
"""
LETTER = """From: c0@company.example
To: no-reply@maatmatch.example
Subject: Re: Vraag
In-Reply-To: {message_id}

Dag, wij hebben nog een vraag.
"""


def dsn(
    message_id: str, action: str = "failed", status: str = "5.1.1", to: str = "r@m.example"
) -> bytes:
    return DSN.format(message_id=message_id, action=action, status=status, to=to).encode()


@pytest.fixture
def lead_mail(runtime: Runtime) -> Message:
    """A lead that was handed over."""
    release(runtime, lay_companies(runtime, 1), early=timedelta(minutes=1))
    with mail_to(runtime, Mood()):
        Worker(runtime).run_once()
    return the_mail(runtime)


def the_mail(runtime: Runtime) -> Message:
    with runtime.sessions() as session:
        return session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)).one()


def take_in(runtime: Runtime, raw: bytes) -> Kind:
    with runtime.sessions.begin() as session:
        return bounces.take_in(Desk(session, runtime), raw)


def shown(runtime: Runtime, mail: Message) -> tuple[MessageState, bool, bool, list[str]]:
    """State of the mail, bounce at the lead, bounce at the company, what the ledger tells."""
    with runtime.sessions() as session:
        lead = session.get_one(Lead, mail.lead_id)
        company = session.get_one(Company, lead.company_id)
    told = [entry.event for entry in events(runtime, lead.broadcast_id)]
    assert chain_holds(runtime, lead.broadcast_id)
    return (
        the_mail(runtime).state,
        lead.bounced_at is not None,
        company.email_bounced_at is not None,
        [event for event in told if event in ("bounced", "auto_reply")],
    )


def test_a_bounce_shows_at_mail_lead_company_and_ledger(
    runtime: Runtime, lead_mail: Message
) -> None:
    raw = dsn(lead_mail.message_id)
    assert take_in(runtime, raw) is Kind.BOUNCE
    assert take_in(runtime, raw) is Kind.BOUNCE  # the same once more
    assert shown(runtime, lead_mail) == (MessageState.BOUNCED, True, True, ["bounced"])
    assert "User unknown" in the_mail(runtime).error


def test_a_full_mailbox_does_not_condemn_the_address(runtime: Runtime, lead_mail: Message) -> None:
    assert take_in(runtime, dsn(lead_mail.message_id, status="4.2.2")) is Kind.BOUNCE
    assert shown(runtime, lead_mail) == (MessageState.BOUNCED, True, False, ["bounced"])


def test_a_delay_changes_nothing(runtime: Runtime, lead_mail: Message) -> None:
    raw = dsn(lead_mail.message_id, action="delayed", status="4.4.1")
    assert take_in(runtime, raw) is Kind.DELAYED
    assert shown(runtime, lead_mail) == (MessageState.SENT, False, False, [])


def test_out_of_office_is_only_told(runtime: Runtime, lead_mail: Message) -> None:
    raw = HOLIDAY.format(message_id=lead_mail.message_id).encode()
    assert take_in(runtime, raw) is Kind.AUTO_REPLY
    assert shown(runtime, lead_mail) == (MessageState.SENT, False, False, ["auto_reply"])


def test_a_letter_is_left_for_a_person(runtime: Runtime, lead_mail: Message) -> None:
    raw = LETTER.format(message_id=lead_mail.message_id).encode()
    assert take_in(runtime, raw) is Kind.OTHER
    assert shown(runtime, lead_mail) == (MessageState.SENT, False, False, [])


def test_a_forged_bounce_is_not_believed(runtime: Runtime, lead_mail: Message) -> None:
    guessed = f"<{'0' * 26}@maatmatch.example>"
    assert take_in(runtime, dsn(guessed)) is Kind.UNKNOWN
    assert shown(runtime, lead_mail) == (MessageState.SENT, False, False, [])


def test_a_bounce_that_quotes_nothing_is_known_by_its_address(
    runtime: Runtime, lead_mail: Message
) -> None:
    update = {"bounce_address": "back+{id}@m.example"}
    runtime.settings = runtime.settings.model_copy(update=update)
    raw = dsn("<nothing@elsewhere.example>", to=f"back+{lead_mail.id.lower()}@m.example")
    assert take_in(runtime, raw) is Kind.BOUNCE
    assert shown(runtime, lead_mail)[0] is MessageState.BOUNCED


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert bounces.read(raw).kind in (Kind.OTHER, Kind.AUTO_REPLY)
    bounces.read(b"Content-Type: message/delivery-status\n\n" + raw)
    bounces.read(b"Content-Type: multipart/report; boundary=x\n\n--x\n" + raw)


class Mailbox(socketserver.StreamRequestHandler):
    """The part of IMAP4rev1 that reading unread mail needs, on real sockets."""

    mails: list[bytes]
    flags: dict[int, str]
    logins: list[str]

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        while line := self.rfile.readline().decode().strip():
            tag, command, *rest = line.split(" ", 2)
            words = rest[0] if rest else ""
            if command == "LOGIN":
                self.logins.append(f"{words} {rest[1] if len(rest) > 1 else ''}".strip())
            answer = self.answer(command, rest[-1] if rest else "", line)
            self.wfile.write(answer + f"{tag} OK done\r\n".encode())
            if command == "LOGOUT":
                return

    def answer(self, command: str, words: str, line: str) -> bytes:
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if command == "SELECT":
            return f"* {len(self.mails)} EXISTS\r\n".encode()
        if command == "SEARCH":
            unread = [str(n + 1) for n in range(len(self.mails)) if n + 1 not in self.flags]
            return f"* SEARCH {' '.join(unread)}\r\n".encode()
        if command == "FETCH":
            number = int(line.split()[2])
            mail = self.mails[number - 1]
            return b"* %d FETCH (BODY[]<0> {%d}\r\n%s)\r\n" % (number, len(mail), mail)
        if command == "STORE":
            self.flags[int(line.split()[2])] = line.split("(")[1].rstrip(")")
        return b""


@contextmanager
def imap(*mails: bytes) -> Iterator[tuple[str, Any]]:
    """A mailbox with these mails; gives its address and the handler class that keeps flags."""
    values = {"mails": list(mails), "flags": {}, "logins": []}
    handler: Any = type("OneMailbox", (Mailbox,), values)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"imap://hub:p%40ss@127.0.0.1:{server.server_address[1]}/INBOX", handler
        server.shutdown()


def test_the_mailbox_is_read_once_and_letters_are_flagged(
    runtime: Runtime, lead_mail: Message
) -> None:
    letter = LETTER.format(message_id=lead_mail.message_id).encode()
    with imap(dsn(lead_mail.message_id), letter) as (url, mailbox):
        runtime.settings = runtime.settings.model_copy(update={"imap_url": url})
        assert bounces.fetch(runtime) == Counter({Kind.BOUNCE: 1, Kind.OTHER: 1})
        assert bounces.fetch(runtime) == Counter()
    assert mailbox.flags == {1: r"\Seen", 2: r"\Seen \Flagged"}
    assert "p@ss" in mailbox.logins[0]
    assert shown(runtime, lead_mail)[0] is MessageState.BOUNCED


def test_the_worker_reads_the_mailbox_and_outlives_one_that_is_gone(
    runtime: Runtime, lead_mail: Message, caplog: pytest.LogCaptureFixture
) -> None:
    with imap(dsn(lead_mail.message_id)) as (url, _), mail_to(runtime, Mood()):
        runtime.settings = runtime.settings.model_copy(update={"imap_url": url})
        with running(Worker(runtime)):
            until(lambda: the_mail(runtime).state is MessageState.BOUNCED)
    stopping = threading.Event()
    chores = Chores(runtime, stopping)
    chores.start()
    until(lambda: any(r.getMessage() == "return_mailbox_unreachable" for r in caplog.records))
    assert chores.is_alive()
    stopping.set()
    chores.join(5)
