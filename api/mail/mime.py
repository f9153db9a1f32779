"""A message of the outbox as the bytes a mail server takes (RFC 5322, RFC 2045)."""

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from secrets import token_hex

from api.settings import Settings
from models import Message, now

# Headers a message may bring along; all others are written here and nowhere else.
ALLOWED = frozenset({"List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To"})
_ADDRESS = re.compile(r"[!-;=?-~]+@[A-Za-z0-9.-]+")  # printable ASCII without < > and spaces
_PRINTABLE = re.compile(r"[ -~]*")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_LINE = "\r\n"


class Unwritable(ValueError):
    """The message cannot be written as mail; trying again would not help."""


def write(message: Message, settings: Settings) -> bytes:
    """The whole mail: headers, text and HTML, and the invitation when there is one.

    Written by hand because the standard library's EmailMessage takes ten times as long, and
    a broadcast is written between its approval and its release; tests read every mail back
    with the standard library. Raises Unwritable for an address or header that would break it.
    """
    headers = {
        "From": _mailbox(*parseaddr(settings.mail_from)),
        "To": _mailbox(message.to_name, message.to_email),
        "Subject": _encoded(message.subject, len("Subject: ")),
        "Message-ID": message.message_id,
        "Date": format_datetime(now()),
        # RFC 3834: says that no person typed this, so that holiday notices stay away.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Content-Language": message.language,
        "MIME-Version": "1.0",
    }
    for name, value in message.headers.items():
        if name not in ALLOWED or not _PRINTABLE.fullmatch(str(value)):
            raise Unwritable(f"header {name!r} with value {str(value)[:100]!r} may not be sent")
        headers[name] = str(value)
    body = _several("alternative", _part("plain", message.text), _part("html", message.html))
    if message.attachment:
        body = _several("mixed", body, _invitation(message.attachment))
    head = _LINE.join(f"{name}: {value}" for name, value in headers.items())
    return head.encode("ascii") + _LINE.encode() + body


def return_path(message: Message, settings: Settings) -> str:
    """The address that gets the mail back when it cannot be delivered.

    With `{id}` in MAATMATCH_BOUNCE_ADDRESS every mail has its own return address, so that a
    bounce names its mail even when it quotes nothing of it (VERP).
    """
    address = settings.bounce_address or parseaddr(settings.mail_from)[1]
    return address.replace("{id}", message.id.lower())


def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise Unwritable(f"{address[:100]!r} is no mail address")
    clean = _one_line(name)
    if clean.isascii() and "=?" not in clean:
        return formataddr((clean, address))
    return f"{_encoded(clean, len('From: '))} <{address}>"


def _encoded(text: str, already: int) -> str:
    """A header's text; what is not ASCII as encoded words, in lines of at most 76 characters."""
    clean = _one_line(text)
    if clean.isascii() and "=?" not in clean:
        return clean
    return Header(clean, "utf-8", header_name=" " * max(already - 2, 0)).encode(linesep=_LINE)


def _one_line(text: str) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())


def _part(subtype: str, text: str) -> bytes:
    lines = _LINE.join(text.encode("utf-8", "replace").decode().splitlines()) + _LINE
    head = f'Content-Type: text/{subtype}; charset="utf-8"{_LINE}'
    return _quoted(head, lines)


def _invitation(text: str) -> bytes:
    method = re.search(r"^METHOD:(\w+)\s*$", text, re.MULTILINE)
    head = (
        f'Content-Type: text/calendar; charset="utf-8"; '
        f"method={method[1] if method else 'PUBLISH'}{_LINE}"
        f'Content-Disposition: attachment; filename="maatmatch.ics"{_LINE}'
    )
    return _quoted(head, _LINE.join(text.splitlines()) + _LINE)


def _quoted(head: str, lines: str) -> bytes:
    head += f"Content-Transfer-Encoding: quoted-printable{_LINE}{_LINE}"
    # A line that is one dot or starts with "From " is left to the SMTP client and the quoting.
    return head.encode("ascii") + b2a_qp(lines.encode(), istext=True)


def _several(subtype: str, *parts: bytes) -> bytes:
    boundary = f"=_{token_hex(16)}"
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{_LINE}{_LINE}'
    between = f"--{boundary}{_LINE}".encode()
    inside = b"".join(between + part + _LINE.encode() for part in parts)
    return head.encode("ascii") + inside + f"--{boundary}--{_LINE}".encode()
