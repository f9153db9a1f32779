"""One connection to a mail server that refuses, hangs, drops, greylists, encrypts, signs in."""

import asyncio
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from pydantic import SecretStr

from api.mail.smtp import Connection, Refused, TryLater, Unreachable
from api.settings import Settings
from tests.api.mail_servers import DROP, TAKE_AND_DROP, Mood, mail_server
from tests.conftest import make_settings

MAIL = b"From: a@m.example\r\nTo: b@m.example\r\nMessage-ID: <one@m.example>\r\n\r\nDag\r\n.\r\n"


def settings(port: int, **changes: object) -> Settings:
    values: dict[str, object] = {"smtp_port": port, "smtp_timeout": 0.5}
    return make_settings("sqlite:///unused.db", **(values | changes))


def hand_over(connection: Connection, to: str = "b@m.example") -> str:
    return connection.hand_over("return@m.example", to, MAIL)


async def never(_to: str, _times: int) -> str | None:
    await asyncio.sleep(30)
    return None


def test_the_reply_of_the_server_is_kept() -> None:
    mood = Mood()
    with mail_server(mood) as port:
        connection = Connection(settings(port))
        assert hand_over(connection) == "250 taken number 1"
        assert hand_over(connection) == "250 taken number 2"
        connection.close()
    assert mood.connections == 1
    assert mood.senders == ["return@m.example"] * 2
    assert mood.raw[0].endswith(b"Dag\r\n.\r\n")


def test_a_refused_recipient_is_refused_and_the_next_goes_on() -> None:
    async def on_rcpt(to: str, _times: int) -> str | None:
        return "550 5.1.1 no such mailbox" if to.startswith("gone") else None

    mood = Mood(on_rcpt=on_rcpt)
    with mail_server(mood) as port:
        connection = Connection(settings(port))
        with pytest.raises(Refused, match=r"550 5\.1\.1 no such mailbox"):
            hand_over(connection, "gone@m.example")
        assert hand_over(connection).startswith("250")
        connection.close()
    assert mood.connections == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [("451 4.7.1 greylisted", TryLater), ("554 5.7.1 not this text", Refused)],
)
def test_a_reply_after_the_text_counts_too(reply: str, error: type[Exception]) -> None:
    async def on_data(_to: str, times: int) -> str | None:
        return reply if times == 1 else None

    with mail_server(Mood(on_data=on_data)) as port:
        connection = Connection(settings(port))
        with pytest.raises(error, match=reply[:3]):
            hand_over(connection)
        assert hand_over(connection).startswith("250")
        connection.close()


def test_a_refused_sender_is_not_held_against_the_recipient() -> None:
    async def on_mail(_address: str) -> str | None:
        return "550 5.7.1 you may not send as this"

    with mail_server(Mood(on_mail=on_mail)) as port:
        connection = Connection(settings(port))
        with pytest.raises(TryLater, match="550"):
            hand_over(connection)
        connection.close()


def test_a_server_that_hangs_is_left_after_the_time_out() -> None:
    with mail_server(Mood(on_data=never)) as port:
        connection = Connection(settings(port))
        start = time.monotonic()
        with pytest.raises(TryLater, match=r"TimeoutError|timed out"):
            hand_over(connection)
        assert time.monotonic() - start < 4
        assert not connection.is_open


@pytest.mark.parametrize(
    "mood",
    [
        Mood(drop_inside=True),
        Mood(on_data=lambda _to, _times: _say(DROP)),
        Mood(on_data=lambda _to, _times: _say(TAKE_AND_DROP)),
    ],
    ids=["inside", "before the reply", "taken, before the reply"],
)
def test_a_connection_that_drops_means_later(mood: Mood) -> None:
    with mail_server(mood) as port:
        connection = Connection(settings(port))
        with pytest.raises(TryLater):
            hand_over(connection)
        assert not connection.is_open


async def _say(reply: str) -> str:
    return reply


def test_a_server_that_ended_an_idle_connection_gets_a_new_one() -> None:
    seen = 0

    async def on_mail(_address: str) -> str | None:
        nonlocal seen
        seen += 1
        return DROP if seen == 2 else None

    mood = Mood(on_mail=on_mail)
    with mail_server(mood) as port:
        connection = Connection(settings(port))
        hand_over(connection)
        assert hand_over(connection).startswith("250")  # the second MAIL was dropped
        connection.close()
    assert mood.connections == 2
    assert len(mood.taken) == 2


def test_nothing_listens() -> None:
    with mail_server(Mood()) as port:
        pass
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be used"):
        Connection(settings(port)).open()


@pytest.mark.parametrize("greeting", ["421 closed for today", "554 not you"])
def test_a_server_that_turns_us_away(greeting: str) -> None:
    with mail_server(Mood(greeting=greeting)) as port, pytest.raises(Unreachable):
        Connection(settings(port)).open()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for 127.0.0.1 in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key, cert = path.with_name("key.pem"), path.with_name("cert.pem")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {cert}"
    )
    try:
        subprocess.run(command.split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine to make a certificate with")
    path.write_bytes(key.read_bytes() + cert.read_bytes())
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_encrypted_and_signed_in(
    security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def authenticator(
        _server: object, _session: object, _envelope: object, _how: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    context = server_context(certificate)
    options: dict[str, object] = {"authenticator": authenticator}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    else:
        options |= {"auth_require_tls": False}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(Mood(options=options), tls=context if security == "tls" else None) as port:
        who = {"smtp_security": security, "smtp_user": "hub", "smtp_timeout": 5}
        connection = Connection(settings(port, **who, smtp_password=SecretStr("right")))
        assert hand_over(connection).startswith("250")
        connection.close()
        with pytest.raises(Unreachable, match="MAATMATCH_SMTP_PASSWORD"):
            Connection(settings(port, **who, smtp_password=SecretStr("wrong"))).open()
    assert given[0] == (b"hub", b"right")


def test_a_certificate_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with (
        mail_server(Mood(), tls=server_context(certificate)) as port,
        pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        Connection(settings(port, smtp_security="tls", smtp_timeout=5)).open()


def test_no_encryption_where_it_was_asked_for_is_refused() -> None:
    with mail_server(Mood()) as port, pytest.raises(Unreachable, match="STARTTLS"):
        Connection(settings(port, smtp_security="starttls")).open()
