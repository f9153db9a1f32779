"""Handing mail over to a mail server, one connection at a time (RFC 5321)."""

import smtplib
import ssl
from urllib.parse import urlsplit

from api.settings import Settings

_GONE = (smtplib.SMTPServerDisconnected, OSError)  # OSError holds timeouts and SSL errors too


class Unreachable(Exception):
    """No connection could be made: nothing was tried, everything can wait."""


class TryLater(Exception):
    """The server did not take this message now; it may take it later."""


class Refused(Exception):
    """The server will never take this message."""


class Connection:
    """One connection, opened when needed and kept for the next message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    @property
    def is_open(self) -> bool:
        return self._smtp is not None

    def open(self) -> None:
        """Connect, encrypt and sign in, when that is not done yet. Raises Unreachable."""
        if self._smtp is not None:
            return
        settings = self._settings
        where = f"{settings.smtp_host}:{settings.smtp_port}"
        try:
            self._smtp = smtp = self._connect()
            if settings.smtp_security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            self.close()
            raise Unreachable(
                f"{where} refused the sign-in ({error.smtp_code}): check MAATMATCH_SMTP_USER "
                "and MAATMATCH_SMTP_PASSWORD"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Unreachable(f"{where} cannot be used: {_words(error)}") from error

    def hand_over(self, sender: str, to: str, mail: bytes) -> str:
        """Give one mail to the server and return its words of acceptance.

        Raises Unreachable (nothing tried), TryLater (4xx, time-out, connection lost) or
        Refused (5xx on the recipient or the content).
        """
        kept = self.is_open
        self.open()
        try:
            code, words = self._mail(sender)
        except _GONE as error:
            self.close()
            if not kept:
                raise TryLater(_words(error)) from error
            code, words = 421, b"connection closed while idle"
        if code == 421 and kept:
            # Servers end idle connections; nothing was said yet, so a new one may be tried.
            self.close()
            self.open()
            try:
                code, words = self._mail(sender)
            except _GONE as error:
                self.close()
                raise TryLater(_words(error)) from error
        # A sender that is refused is our own configuration, not a fault of this recipient.
        self._check(code, words, final=False)
        try:
            code, words = self._session.rcpt(to)
            self._check(code, words)
            code, words = self._session.data(mail)
        except smtplib.SMTPDataError as error:
            code, words = error.smtp_code, _raw(error.smtp_error)
        except _GONE as error:
            # Perhaps it was taken after all: then the next try is the same mail to its reader.
            self.close()
            raise TryLater(_words(error)) from error
        self._check(code, words)
        return _reply(code, words)

    def close(self) -> None:
        """End the connection politely, whatever its state."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.sock.settimeout(2) if smtp.sock else None
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()

    @property
    def _session(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        host, port, timeout = settings.smtp_host, settings.smtp_port, settings.smtp_timeout
        # Python would ask DNS for our own name, which can take longer than the mail.
        own_name = urlsplit(settings.base_url).hostname or "localhost"
        if settings.smtp_security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, own_name, timeout=timeout, context=context)
        return smtplib.SMTP(host, port, own_name, timeout=timeout)

    def _mail(self, sender: str) -> tuple[int, bytes]:
        return self._session.mail(sender)

    def _check(self, code: int, words: bytes, *, final: bool = True) -> None:
        if 200 <= code < 300:
            return
        if code == 421 or code < 200:
            self.close()
        else:
            self._reset()
        if final and 500 <= code < 600:
            raise Refused(_reply(code, words))
        raise TryLater(_reply(code, words))

    def _reset(self) -> None:
        try:
            self._session.rset()
        except _GONE:
            self.close()


def _reply(code: int, words: bytes) -> str:
    return f"{code} {words.decode('utf-8', 'replace')}"


def _raw(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
