"""Sends webhooks: one POST each, to the address that was checked, never through a redirect."""

import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

from api.errors import Invalid
from api.runtime import Runtime
from api.services import webhooks
from api.services.desk import WORKER, Desk
from models import Webhook, WebhookDelivery, now

BUDGET = 30.0  # seconds in one round: other chores wait meanwhile
TIMEOUT = 10.0  # seconds for the whole of connecting, and again for the answer


def send_due(runtime: Runtime) -> int:
    """Send every delivery that is due now, once; returns how many were taken up."""
    with runtime.sessions() as session:
        session.connection(execution_options={"read_only": True})
        ids = webhooks.due(Desk(session, runtime, WORKER))
    ends = time.monotonic() + BUDGET
    for delivery_id in ids:
        if time.monotonic() > ends:
            break
        with runtime.sessions.begin() as session:
            claimed = webhooks.claim(Desk(session, runtime, WORKER), delivery_id)
        if claimed is None:
            continue
        error = _post(runtime, *claimed)  # outside any transaction: a slow receiver locks nothing
        with runtime.sessions.begin() as session:
            webhooks.record(Desk(session, runtime, WORKER), delivery_id, error)
    return len(ids)


def _post(runtime: Runtime, delivery: WebhookDelivery, hook: Webhook) -> str:
    """What went wrong; empty when the receiver answered 2xx."""
    body = webhooks.body_of(delivery)
    parts = urlsplit(hook.url)
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
            status = connection.getresponse().status
        finally:
            connection.close()
    except Invalid as error:
        return error.detail
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "" if 200 <= status < 300 else f"answered {status}"


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
