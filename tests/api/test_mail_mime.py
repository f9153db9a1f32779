"""Mail as bytes: what goes in comes out of the standard library's parser, and nothing else."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.mail import mime
from models import Message
from tests.conftest import make_settings

SETTINGS = make_settings("sqlite:///unused.db", mail_from="Maatmatch é <no-reply@m.example>")
INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Kennismaking à 10 h\r\nEND:VCALENDAR\r\n"


def message(**values: object) -> Message:
    given_values: dict[str, object] = {
        "id": "01HZX" + "0" * 21,
        "to_email": "mira@company.example",
        "to_name": "Mira",
        "subject": "Vraag",
        "message_id": "<01hzx@m.example>",
        "language": "nl",
        "text": "Dag\n",
        "html": "<p>Dag</p>",
        "headers": {},
        "attachment": None,
    }
    return Message(**(given_values | values))


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=default)


def display_name(raw: bytes) -> str:
    """The recipient's name. By the older parser: the newer one puts spaces between encoded words
    of a name, which RFC 2047 (section 6.2) says are to be joined."""
    name, _ = parseaddr(str(message_from_bytes(raw)["To"]))
    return str(make_header(decode_header(name)))


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


WORDS = st.text(st.characters(codec="utf-8"), max_size=120)


@settings(deadline=None)
@given(subject=WORDS, name=WORDS, text=WORDS, html=WORDS)
@example(subject="a\r\nBcc: all@m.example", name='"x" <y@z>, b', text=".\nFrom me\n..", html="")
@example(subject="=?utf-8?q?x?=", name="=?utf-8?q?x?=", text="x" * 2000, html="é" * 2000)
@example(subject="é" * 300, name="ö, ü", text="a \t\n\n", html="\x85\x1c")
def test_any_words_come_out_as_they_went_in(subject: str, name: str, text: str, html: str) -> None:
    raw = mime.write(message(subject=subject, to_name=name, text=text, html=html), SETTINGS)
    mail = read(raw)
    assert not mail.defects
    assert all(not part.defects for part in mail.walk())
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "a bare line break"
    raw.decode("ascii")
    one_line = " ".join(mime._UNSAFE.sub(" ", subject).split())
    assert mail["Subject"] == one_line
    assert [each.addr_spec for each in mail["To"].addresses] == ["mira@company.example"]
    assert display_name(raw) == " ".join(mime._UNSAFE.sub(" ", name).split())
    assert body(mail, "plain").splitlines() == [*text.splitlines()] or not text
    assert body(mail, "html").splitlines() == [*html.splitlines()] or not html


@settings(deadline=None)
@given(WORDS.filter(lambda value: not value.isprintable() or not value.isascii()))
def test_no_header_can_be_smuggled_in(value: str) -> None:
    for headers in ({"Reply-To": f"a@m.example{value}"}, {"List-Unsubscribe": value}):
        with pytest.raises(mime.Unwritable):
            mime.write(message(headers=headers), SETTINGS)
    with pytest.raises(mime.Unwritable):
        mime.write(message(to_email=f"a@m.example{value}"), SETTINGS)


def test_a_header_of_another_name_is_refused() -> None:
    with pytest.raises(mime.Unwritable, match="Bcc"):
        mime.write(message(headers={"Bcc": "all@m.example"}), SETTINGS)


def test_the_headers_of_a_machine() -> None:
    unsubscribe = {
        "List-Unsubscribe": "<https://m.example/unsubscribe/x>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Reply-To": "hub@m.example",
    }
    mail = read(mime.write(message(headers=unsubscribe), SETTINGS))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<01hzx@m.example>"
    assert mail["Content-Language"] == "nl"
    assert mail["From"].addresses[0].display_name == "Maatmatch é"
    assert mail["Date"].datetime is not None
    for name, value in unsubscribe.items():
        assert mail[name] == value


def test_an_invitation_travels_along() -> None:
    mail = read(mime.write(message(attachment=INVITATION), SETTINGS))
    (part,) = mail.iter_attachments()
    assert part.get_content_type() == "text/calendar"
    assert part.get_filename() == "maatmatch.ics"
    assert part["Content-Type"].params["method"] == "REQUEST"
    assert part.get_content().splitlines() == INVITATION.splitlines()
    assert body(mail, "plain").strip() == "Dag"
    assert body(mail, "html").strip() == "<p>Dag</p>"


def test_the_return_address() -> None:
    assert mime.return_path(message(), SETTINGS) == "no-reply@m.example"
    own = make_settings("sqlite:///unused.db", bounce_address="bounces+{id}@m.example")
    assert mime.return_path(message(), own) == "bounces+01hzx" + "0" * 21 + "@m.example"
