"""The demo's mail server takes real mail over SMTP and shows it as it was."""

import smtplib
from pathlib import Path

import pytest

from api.mail.receiver import DemoReceiver
from api.runtime import Runtime
from api.services import outbox
from api.services.desk import Desk
from api.worker import Worker
from models.message import MessageKind


def test_what_the_worker_sends_is_shown(sqlite_runtime: Runtime, tmp_path: Path) -> None:
    with DemoReceiver(tmp_path / "mail") as receiver:
        settings = sqlite_runtime.settings.model_copy(update={"smtp_port": receiver.port})
        sqlite_runtime.settings = settings
        with sqlite_runtime.sessions.begin() as session:
            outbox.queue(
                Desk(session, sqlite_runtime),
                MessageKind.SIGN_IN,
                outbox.Recipient("zoe@m.example", "Zoë", "fr"),
                link="https://m.example/sign-in/x",
                minutes=30,
            )
        Worker(sqlite_runtime).run_once()
        (mail,) = receiver.messages
    assert mail.to == "zoe@m.example"
    assert mail.subject == "Se connecter à Maatmatch"
    assert mail.text.startswith("Bonjour Zoë,")
    assert 'href="https://m.example/sign-in/x"' in mail.html
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert receiver.get(mail.id) == mail
    assert receiver.get("unknown") is None
    assert b"Se connecter" in (tmp_path / "mail" / f"{mail.id}.eml").read_bytes()


def test_mail_of_any_make_is_kept() -> None:
    with DemoReceiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as smtp:
        smtp.sendmail("a@m.example", ["b@m.example", "c@m.example"], b"no headers at all")
        smtp.sendmail("a@m.example", ["b@m.example"], b"Subject: caf\xe9\r\n\r\n\xff\xfe")
        assert [mail.to for mail in receiver.messages] == [
            "b@m.example, c@m.example",
            "b@m.example",
        ]


def test_the_oldest_mail_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.mail.receiver.MOST_KEPT", 3)
    with DemoReceiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as smtp:
        for number in range(5):
            text = f"Subject: {number}\r\n\r\n."
            smtp.sendmail("a@m.example", ["b@m.example"], text.encode())
        assert [mail.subject for mail in receiver.messages] == ["2", "3", "4"]


def test_mail_is_still_there_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.mail.receiver.MOST_KEPT", 2)
    with DemoReceiver(tmp_path) as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as smtp:
        for number in range(3):
            text = f"To: Bo <b@m.example>\r\nSubject: {number}\r\n\r\nDag."
            smtp.sendmail("a@m.example", ["b@m.example"], text.encode())
        before = receiver.messages
    assert len(list(tmp_path.glob("*.eml"))) == 2  # what is no longer shown is no longer kept
    with DemoReceiver(tmp_path) as receiver:
        after = receiver.messages
    assert [(mail.id, mail.to, mail.subject, mail.text) for mail in after] == [
        (mail.id, mail.to, mail.subject, mail.text) for mail in before
    ]
    assert [mail.subject for mail in after] == ["1", "2"]
    assert abs((after[0].at - before[0].at).total_seconds()) < 60
