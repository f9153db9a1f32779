"""Sends webhooks: one POST each, to the address that was checked, never through a redirect."""

import http.client
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sqlalchemy.exc import InterfaceError, OperationalError

from api.errors import Invalid
from api.runtime import Runtime
from api.services import webhooks
from api.services.desk import WORKER, Desk
from models import Webhook, WebhookDelivery, now

log = logging.getLogger("maatmatch.worker")

EVERY = 2.0  # seconds between two looks: a webhook hears of a release when the mail goes
TIMEOUT = 10.0  # seconds for the whole of connecting, and again for the answer
TOGETHER = 8  # one slow receiver holds up few others


class Sender(threading.Thread):
    """In a thread of its own: a receiver that hangs may not delay mail or chores."""

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._runtime, self._stopping = runtime, stopping

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                send_due(self._runtime)
            except (OperationalError, InterfaceError) as error:
                log.error("database_unavailable", extra={"error": str(error.orig).strip()[:300]})
            except Exception:
                log.exception("webhooks_broke")
            self._stopping.wait(EVERY)


def send_due(runtime: Runtime) -> int:
    """Send the deliveries that are due now, once; returns how many were taken up."""
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        ids = webhooks.due(Desk(session, runtime, WORKER))
    claimed = []
    for delivery_id in ids:
        with runtime.sessions.begin() as session:
            taken = webhooks.claim(Desk(session, runtime, WORKER), delivery_id)
        if taken is not None:
            claimed.append(taken)
    if not claimed:
        return 0

    def deliver(taken: tuple[WebhookDelivery, Webhook]) -> None:
        error, answer = _post(runtime, *taken)  # outside any transaction: it locks nothing
        with runtime.sessions.begin() as session:
            webhooks.record(Desk(session, runtime, WORKER), taken[0].id, error, answer)

    with ThreadPoolExecutor(min(TOGETHER, len(claimed)), "webhook") as pool:
        list(pool.map(deliver, claimed))
    return len(claimed)


def _post(runtime: Runtime, delivery: WebhookDelivery, hook: Webhook) -> tuple[str, str]:
    """What went wrong (empty when the receiver answered 2xx), and what it answered."""
    body = webhooks.body_of(delivery)
    parts = urlsplit(hook.url)
    begun = time.monotonic()
    try:
        address, port = webhooks.reachable(hook.url, demo=runtime.settings.demo)
        connection = _Pinned(parts.hostname or "", port, address, tls=parts.scheme == "https")
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
        finally:
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

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
