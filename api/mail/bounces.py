"""Returned mail and automatic replies, read back and put where people see them.

A mail comes back as a delivery status notification (RFC 3464). It is believed only when it
names a mail of ours by its Message-ID or its own return address: both hold 80 random bits
that nobody but our mail server and the recipient has seen.
"""

import imaplib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from sqlalchemy import select

from api.runtime import Runtime
from api.services import ledger, outbox
from api.services.desk import WORKER, Desk
from models import Company, Lead, Message
from models.message import MessageKind, MessageState

log = logging.getLogger("maatmatch.worker")

MOST_BYTES = 1_000_000  # a larger mail is no bounce and is not read
_MESSAGE_ID = re.compile(r"<[0-9a-z]{26}@[^<>\s]{1,200}>", re.IGNORECASE)
_FAILED = re.compile(r"^action:\s*failed", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(
    r"^(status|diagnostic-code):\s*(.+(?:\n[ \t].+)*)", re.IGNORECASE | re.MULTILINE
)


class Kind(StrEnum):
    """What a mail to the return address turned out to be."""

    BOUNCE = "bounce"  # could not be delivered
    DELAYED = "delayed"  # the other mail server keeps trying
    AUTO_REPLY = "auto_reply"  # out of office and the like
    OTHER = "other"  # perhaps written by a person: left for one to read
    UNKNOWN = "unknown"  # a bounce or reply to no mail of ours


@dataclass(frozen=True)
class Returned:
    """What was read from a mail: its kind, the mails it may be about, the words of the server."""

    kind: Kind
    message_ids: tuple[str, ...] = ()
    row_id: str = ""
    status: str = ""
    words: str = ""

    @property
    def lasting(self) -> bool:
        """Whether the address itself is at fault (5.x.x), not a full mailbox or a dead line."""
        return not self.status.startswith("4")


def read(raw: bytes, return_address: str = "") -> Returned:
    """Understand a mail that came to the return address, without looking anything up.

    `return_address` is MAATMATCH_BOUNCE_ADDRESS; with `{id}` in it, the address the mail was
    sent to names the mail that came back.
    """
    mail = message_from_bytes(raw[:MOST_BYTES], _class=EmailMessage, policy=default)
    ids = tuple(dict.fromkeys(_MESSAGE_ID.findall(raw[:MOST_BYTES].decode("latin-1"))))
    row_id = _row_id(mail, return_address)
    report = _report(mail)
    if report:
        fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(report)}
        status = fields.get("status", "5.0.0").split()[0]
        words = f"{status} {fields.get('diagnostic-code', '')}".strip()
        kind = Kind.BOUNCE if _FAILED.search(report) else Kind.DELAYED
        return Returned(kind, ids, row_id, status, words)
    if _is_automatic(mail):
        return Returned(Kind.AUTO_REPLY, ids, row_id)
    return Returned(Kind.OTHER, ids, row_id)


def take_in(desk: Desk, raw: bytes) -> Kind:
    """Read one mail to the return address and note what it says; returns what it was.

    A bounce marks the message, its lead (of a digest: all its leads) and, when the address is at
    fault, the company; an automatic reply is only told to the ledger. The same bounce twice
    changes nothing more.
    """
    returned = read(raw, desk.runtime.settings.bounce_address)
    if returned.kind is Kind.OTHER:
        return Kind.OTHER
    message = _find(desk, returned)
    if message is None:
        return Kind.UNKNOWN
    if returned.kind is Kind.BOUNCE:
        _bounced(desk, message, returned)
    elif returned.kind is Kind.AUTO_REPLY:
        _tell_ledger(desk, message, "auto_reply")
    return returned.kind


def fetch(runtime: Runtime) -> Counter[Kind]:
    """Take in all unread mail of the return address over IMAP (MAATMATCH_IMAP_URL).

    Each is marked as read once it is noted; what a person may have written is flagged, so that
    it stands out in the mailbox. Raises OSError or imaplib.IMAP4.error when the mailbox cannot
    be read.
    """
    counted: Counter[Kind] = Counter()
    with _mailbox(runtime.settings.imap_url) as mailbox:
        for number, raw in _unread(mailbox):
            with runtime.sessions.begin() as session:
                kind = take_in(Desk(session, runtime, WORKER), raw)
            counted[kind] += 1
            flags = r"(\Seen \Flagged)" if kind is Kind.OTHER else r"(\Seen)"
            mailbox.store(number, "+FLAGS", flags)
    if counted:
        log.info("return_mail_read", extra={str(kind): n for kind, n in counted.items()})
    return counted


def _bounced(desk: Desk, message: Message, returned: Returned) -> None:
    if message.state is MessageState.BOUNCED:
        return
    # With a digest, every lead mail inside it came back.
    for each in (message, *outbox.inside(desk, [message]).get(message.id, ())):
        each.state = MessageState.BOUNCED
        each.error = returned.words[:500]
        lead = _tell_ledger(desk, each, "bounced", reply=returned.words[:500])
        if lead is None:
            continue
        company = desk.session.get_one(Company, lead.company_id)
        if each.kind is not MessageKind.LEAD and company.email != each.to_email:
            continue  # a colleague's copy came back: the company itself did get it
        lead.bounced_at = desk.at
        if returned.lasting and company.email == each.to_email:
            company.email_bounced_at = desk.at


def _tell_ledger(desk: Desk, message: Message, event: str, **details: str) -> Lead | None:
    lead = desk.session.get(Lead, message.lead_id) if message.lead_id else None
    if lead is not None:
        details |= {"kind": message.kind.value, "message_id": message.message_id}
        ledger.append(desk, lead.broadcast_id, event, lead.id, **details)
    return lead


def _report(mail: EmailMessage) -> str:
    """The delivery status of a DSN as text; empty when the mail is none."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            inside = part.get_payload()
            blocks = inside if isinstance(inside, list) else [inside]
            return "\n".join(str(block) for block in blocks)
    return ""


def _is_automatic(mail: EmailMessage) -> bool:
    """RFC 3834, and what mail programs used before it."""
    submitted = str(mail.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    return (
        submitted.startswith("auto-")
        or precedence in ("auto_reply", "auto-reply")
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    )


def _row_id(mail: EmailMessage, return_address: str) -> str:
    if "{id}" not in return_address:
        return ""
    before, _, after = return_address.partition("{id}")
    pattern = re.compile(re.escape(before) + "([0-9a-z]{26})" + re.escape(after), re.IGNORECASE)
    for name in ("Delivered-To", "X-Original-To", "To"):
        for value in mail.get_all(name, []):
            if found := pattern.fullmatch(parseaddr(str(value))[1]):
                return found[1].upper()
    return ""


def _find(desk: Desk, returned: Returned) -> Message | None:
    if returned.row_id and (found := desk.session.get(Message, returned.row_id)):
        return found
    named = returned.message_ids[:50]
    return desk.session.scalar(select(Message).where(Message.message_id.in_(named)))


def _mailbox(url: str) -> imaplib.IMAP4:
    parts = urlsplit(url)
    secure = parts.scheme == "imaps"
    port = parts.port or (993 if secure else 143)
    kind = imaplib.IMAP4_SSL if secure else imaplib.IMAP4
    mailbox = kind(parts.hostname or "", port, timeout=30)
    mailbox.login(unquote(parts.username or ""), unquote(parts.password or ""))
    mailbox.select(unquote(parts.path.strip("/")) or "INBOX")
    return mailbox


def _unread(mailbox: imaplib.IMAP4) -> Iterator[tuple[str, bytes]]:
    _, found = mailbox.search(None, "UNSEEN")
    for number in (found[0] or b"").split():
        _, parts = mailbox.fetch(number.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
        for part in parts:
            if isinstance(part, tuple):
                yield number.decode(), part[1]
