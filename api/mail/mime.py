"""A message of the outbox as the bytes a mail server takes (RFC 5322, RFC 2045)."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from api.settings import Settings
from models import Message, now

# Headers a message may bring along; all others are written here and nowhere else.
ALLOWED = frozenset({"List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To"})
_ADDRESS = re.compile(r"[!-;=?-~]+@[A-Za-z0-9.-]+")  # printable ASCII without < > and spaces
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]+")
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=200)


class Unwritable(ValueError):
    """The message cannot be written as mail; trying again would not help."""


def write(message: Message, settings: Settings) -> bytes:
    """The whole mail: headers, text and HTML, and the invitation when there is one.

    Raises Unwritable for an address or header that would break the mail.
    """
    mail = EmailMessage(policy=_POLICY)
    try:
        mail["From"] = _mailbox(*parseaddr(settings.mail_from))
        mail["To"] = _mailbox(message.to_name, message.to_email)
        mail["Subject"] = _one_line(message.subject)
        mail["Message-ID"] = message.message_id
        mail["Date"] = format_datetime(now())
        # RFC 3834: says that no person typed this, so that holiday notices stay away.
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
        mail["Content-Language"] = message.language
        for name, value in message.headers.items():
            if name not in ALLOWED:
                raise Unwritable(f"header {name!r} is not one of {', '.join(sorted(ALLOWED))}")
            mail[name] = str(value)
    except Unwritable:
        raise
    except ValueError as error:  # the policy refuses line breaks in headers
        raise Unwritable(str(error)) from error
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.attachment:
        method = re.search(r"^METHOD:(\w+)", message.attachment, re.MULTILINE)
        mail.add_attachment(
            message.attachment,
            subtype="calendar",
            filename="maatmatch.ics",
            params={"method": method[1] if method else "PUBLISH"},
        )
    return mail.as_bytes()


def return_path(message: Message, settings: Settings) -> str:
    """The address that gets the mail back when it cannot be delivered.

    With `{id}` in MAATMATCH_BOUNCE_ADDRESS every mail has its own return address, so that a
    bounce names its mail even when it quotes nothing of it (VERP).
    """
    address = settings.bounce_address or parseaddr(settings.mail_from)[1]
    return address.replace("{id}", message.id.lower())


def _mailbox(name: str, address: str) -> Address:
    if not _ADDRESS.fullmatch(address):
        raise Unwritable(f"{address[:100]!r} is no mail address")
    return Address(_one_line(name), addr_spec=address)


def _one_line(text: str) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())
