"""Sends webhooks: one POST each, to the address that was checked, never through a redirect."""

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from sqlalchemy.exc import InterfaceError, OperationalError

from api.errors import Invalid
from api.runtime import Runtime
from api.services import webhooks
from api.services.desk import WORKER, Desk
from models import Webhook, WebhookDelivery, now

log = logging.getLogger("maatmatch.worker")

EVERY = 1.0  # seconds between two looks: a webhook hears of a release when the mail goes
TIMEOUT = 10.0  # seconds without a sign of life
PATIENCE = 20.0  # seconds for all of it: a receiver that answers letter by letter holds up others
TOGETHER = 16  # receivers served at the same time; each hears of its events one after another


class Sender(threading.Thread):
    """In a thread of its own, with one more for each receiver that has something due.

    A receiver that hangs delays neither mail nor chores nor other receivers.
    """

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._runtime, self._stopping = runtime, stopping
        self._busy: set[str] = set()

    def run(self) -> None:
        with ThreadPoolExecutor(TOGETHER, "webhook") as pool:
            while not self._stopping.is_set():
                with _errors_logged():
                    for webhook_id in _waiting(self._runtime):
                        if webhook_id not in self._busy:
                            self._busy.add(webhook_id)
                            pool.submit(self._serve, webhook_id)
                self._stopping.wait(EVERY)
            pool.shutdown(cancel_futures=True)

    def _serve(self, webhook_id: str) -> None:
        with _errors_logged():
            _send_to(self._runtime, webhook_id, self._stopping)
        self._busy.discard(webhook_id)


@contextmanager
def _errors_logged() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        log.error("database_unavailable", extra={"error": str(error.orig).strip()[:300]})
    except Exception:
        log.exception("webhooks_broke")


def send_due(runtime: Runtime) -> int:
    """Send everything that is due now, once; returns how many deliveries were taken up."""
    ids = _waiting(runtime)
    with ThreadPoolExecutor(TOGETHER, "webhook") as pool:
        return sum(pool.map(lambda each: _send_to(runtime, each), ids))


def _waiting(runtime: Runtime) -> Sequence[str]:
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        return webhooks.waiting(Desk(session, runtime, WORKER))


def _send_to(runtime: Runtime, webhook_id: str, stopping: threading.Event | None = None) -> int:
    """Send what is due to one webhook, oldest first; returns how many were taken up."""
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        ids = webhooks.due(Desk(session, runtime, WORKER), webhook_id)
    number = 0
    for delivery_id in ids:
        if stopping is not None and stopping.is_set():
            break
        with runtime.sessions.begin() as session:
            taken = webhooks.claim(Desk(session, runtime, WORKER), delivery_id)
        if taken is None:
            continue
        number += 1
        error, answer = _post(runtime, *taken)  # outside any transaction: it locks nothing
        with runtime.sessions.begin() as session:
            webhooks.record(Desk(session, runtime, WORKER), delivery_id, error, answer)
    return number


def _post(runtime: Runtime, delivery: WebhookDelivery, hook: Webhook) -> tuple[str, str]:
    """What went wrong (empty when the receiver answered 2xx), and what it answered."""
    body = webhooks.body_of(delivery)
    parts = urlsplit(hook.url)
    begun = time.monotonic()
    try:
        address, port = webhooks.reachable(hook.url, demo=runtime.settings.demo)
        connection = _Pinned(parts.hostname or "", port, address, tls=parts.scheme == "https")
        patience = threading.Timer(PATIENCE, connection.hang_up)
        patience.start()
        try:
            connection.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body,
                {
                    "Content-Type": "application/json",
                    "User-Agent": "Maatmatch",
                    "Maatmatch-Event": delivery.event,
                    "Maatmatch-Delivery": delivery.id,
                    "Maatmatch-Signature": webhooks.signature(
                        hook.secret, body, int(now().timestamp())
                    ),
                },
            )
            response = connection.getresponse()
            if connection.hung_up:  # half an answer reads as a whole one
                raise TimeoutError(f"no whole answer within {PATIENCE:g} seconds")
        finally:
            patience.cancel()
            connection.close()
    except Invalid as error:
        return error.detail, ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}", ""
    took = round((time.monotonic() - begun) * 1000)
    answer = f"{response.status} {response.reason[:100]} · {took} ms"
    return ("" if 200 <= response.status < 300 else f"answered {response.status}"), answer


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was checked, while name and certificate stay the host's."""

    def __init__(self, host: str, port: int, address: str, *, tls: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address, self._tls = address, tls
        self.hung_up = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()  # only now, so that it can be hung up on too

    def hang_up(self) -> None:
        """From another thread: whoever waits for this connection stops waiting."""
        self.hung_up = True
        with suppress(OSError):  # it ended by itself
            if self.sock is not None:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
