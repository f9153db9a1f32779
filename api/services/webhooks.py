"""Webhooks: a company or hub hears of its events at its own address, signed and retried.

The rows are written in the transaction of the deed, like mail. A receiver checks the header
`Maatmatch-Signature: t=<seconds>,v1=<hex>`: the HMAC-SHA256, keyed with the webhook's secret, of
`<t>.<body>`; and refuses a `t` older than five minutes.
"""

import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from api.errors import Invalid, NotAllowed, NotFound
from api.services import audit, checks, links
from api.services.desk import Desk
from models import Lead, Need, Webhook, WebhookDelivery
from models.webhook import DeliveryState

MOST_WEBHOOKS = 10  # of one hub or company
AT_ONCE = 100  # deliveries taken up in one round
MOST_ATTEMPTS = 10
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)
LEASE = timedelta(minutes=2)
PING = "ping"
# Where all public IPv6 addresses are (RFC 4291). Beside it lie forms that hide an IPv4 address.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def add(
    desk: Desk, url: str, *, hub_id: str | None = None, company_id: str | None = None
) -> Webhook:
    """A webhook for one's own hub or company; its `secret` is how the receiver trusts it.

    Raises Invalid for an address that is not public https, NotAllowed for somebody else's.
    """
    if len(of(desk, hub_id=hub_id, company_id=company_id)) >= MOST_WEBHOOKS:
        raise Invalid("too_many_webhooks", f"url: at most {MOST_WEBHOOKS}", field="url")
    address = checks.line(url, "url", least=10, most=500)
    reachable(address, demo=desk.runtime.settings.demo)
    found = Webhook(
        hub_id=hub_id,
        company_id=company_id,
        url=address,
        secret=links.new_secret(),
        created_at=desk.at,
    )
    desk.session.add(found)
    desk.session.flush()
    audit.record(desk, "add", "webhook", found.id, hub_id)
    return found


def remove(desk: Desk, webhook_id: str) -> None:
    """Switch a webhook off; what is still to go to it is not sent. Raises NotFound."""
    found = find(desk, webhook_id)
    found.active = False
    audit.record(desk, "remove", "webhook", found.id, found.hub_id)


def pause(desk: Desk, webhook_id: str, paused: bool) -> Webhook:
    """Hold back what goes to a webhook, or let it go again; nothing is lost meanwhile."""
    found = find(desk, webhook_id)
    found.paused = paused
    audit.record(desk, "pause" if paused else "resume", "webhook", found.id, found.hub_id)
    return found


def ping(desk: Desk, webhook_id: str) -> WebhookDelivery:
    """Send an event `ping` now, also to a paused webhook."""
    found = find(desk, webhook_id)
    sent = WebhookDelivery(
        webhook_id=found.id,
        event=PING,
        payload={"event": PING, "hub_id": found.hub_id, "company_id": found.company_id},
        due_at=desk.at,
        created_at=desk.at,
    )
    desk.session.add(sent)
    desk.session.flush()
    audit.record(desk, "test", "webhook", found.id, found.hub_id)
    return sent


def all_mine(desk: Desk) -> Select[Webhook]:
    """Every webhook of the caller's hubs and companies."""
    mine = Webhook.hub_id.in_(desk.actor.hubs) | Webhook.company_id.in_(desk.actor.companies)
    return select(Webhook).where(Webhook.active, mine)


def of(
    desk: Desk, *, hub_id: str | None = None, company_id: str | None = None
) -> Sequence[Webhook]:
    """The webhooks of one's own hub or company."""
    _mine(desk, hub_id, company_id)
    return desk.session.scalars(
        select(Webhook)
        .where(Webhook.active, Webhook.hub_id == hub_id, Webhook.company_id == company_id)
        .order_by(Webhook.id)
    ).all()


def deliveries(desk: Desk, webhook_id: str, limit: int = 100) -> Sequence[WebhookDelivery]:
    """What was sent to a webhook and what came of it, newest first."""
    return desk.session.scalars(
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == find(desk, webhook_id).id)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    ).all()


def replay(desk: Desk, delivery_id: str) -> WebhookDelivery:
    """Send one event again; its id stays, so that a receiver can tell. Raises NotFound."""
    found = desk.session.get(WebhookDelivery, delivery_id)
    if found is None:
        raise NotFound("delivery_not_found", "there is no such delivery of yours")
    hook = find(desk, found.webhook_id)
    found.state, found.due_at, found.attempts = DeliveryState.DUE, desk.at, 0
    found.leased_until, found.error, found.answer = None, "", ""
    audit.record(desk, "replay", "webhook", hook.id, hook.hub_id, delivery_id=found.id)
    return found


def tell(
    desk: Desk,
    event: str,
    need: Need,
    facts: Sequence[tuple[Lead, dict[str, Any]]],
    at: datetime | None = None,
) -> None:
    """Write an event of leads of one need for the webhooks of their companies and of its hub.

    `at` is when it may be known at the earliest: no webhook is before the release moment.
    """
    hooks = desk.session.scalars(select(Webhook).where(Webhook.active)).all()
    for lead, told in facts:
        body = {"event": event, "lead_id": lead.id, "need_id": need.id}
        body |= {"company_id": lead.company_id, **told}
        desk.session.add_all(
            WebhookDelivery(
                webhook_id=hook.id,
                event=event,
                payload=body,
                due_at=at or desk.at,
                created_at=desk.at,
            )
            for hook in hooks
            if hook.company_id == lead.company_id or hook.hub_id == need.hub_id
        )


def waiting(desk: Desk) -> Sequence[str]:
    """The webhooks that have something due; only reads."""
    return desk.session.scalars(_due(desk, WebhookDelivery.webhook_id).distinct()).all()


def due(desk: Desk, webhook_id: str) -> Sequence[str]:
    """The deliveries to one webhook that are due, oldest first; only reads."""
    return desk.session.scalars(
        _due(desk, WebhookDelivery.id)
        .where(WebhookDelivery.webhook_id == webhook_id)
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(AT_ONCE)
    ).all()


def _due(desk: Desk, column: InstrumentedAttribute[str]) -> Select[str]:
    return (
        select(column)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(
            Webhook.active,
            ~Webhook.paused | (WebhookDelivery.event == PING),
            WebhookDelivery.state == DeliveryState.DUE,
            WebhookDelivery.due_at <= desk.at,
            _free(desk),
        )
    )


def _free(desk: Desk) -> Any:
    return or_(WebhookDelivery.leased_until.is_(None), WebhookDelivery.leased_until < desk.at)


def claim(desk: Desk, delivery_id: str) -> tuple[WebhookDelivery, Webhook] | None:
    """Lease one delivery to the caller; None when another has it."""
    claimed = desk.session.scalar(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == delivery_id,
            WebhookDelivery.state == DeliveryState.DUE,
            _free(desk),
        )
        .values(leased_until=desk.at + LEASE, attempts=WebhookDelivery.attempts + 1)
        .returning(WebhookDelivery)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (claimed, desk.session.get_one(Webhook, claimed.webhook_id)) if claimed else None


def record(desk: Desk, delivery_id: str, error: str = "", answer: str = "") -> None:
    """Keep what came of a delivery: sent, to be tried again later, or given up."""
    found = desk.session.get_one(WebhookDelivery, delivery_id)
    found.leased_until, found.error, found.answer = None, error[:500], answer[:200]
    if not error:
        found.state, found.handed_over_at = DeliveryState.SENT, desk.at
    elif found.attempts >= MOST_ATTEMPTS:
        found.state = DeliveryState.FAILED
    else:
        found.due_at = desk.at + min(FIRST_RETRY * 2 ** (found.attempts - 1), LONGEST_RETRY)


def body_of(delivery: WebhookDelivery) -> bytes:
    """The bytes that are sent and signed. `id` stays the same when it is sent again."""
    content = {"id": delivery.id, "at": delivery.created_at.isoformat(), **delivery.payload}
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


def signature(secret: str, body: bytes, seconds: int) -> str:
    """The value of the header `Maatmatch-Signature` at a moment in seconds since 1970."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


def reachable(url: str, *, demo: bool = False) -> tuple[str, int]:
    """The address to connect to: (IP, port), looked up once, so that it cannot change after.

    Raises Invalid unless it is https and every address of its name is public: otherwise a
    webhook could make this server knock on doors inside its own network. The demo allows all.
    """
    wrong = Invalid("webhook_url", "url: give a public address with https://", field="url")
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        host = parts.hostname
    except ValueError:
        raise wrong from None
    allowed = ("https", "http") if demo else ("https",)
    if parts.scheme not in allowed or not host or parts.username or parts.password:
        raise wrong
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise wrong from None
    addresses = [str(each[4][0]) for each in found]
    if not addresses or (not demo and not all(_public(each) for each in addresses)):
        raise wrong
    return addresses[0], port


def _public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 hides an IPv4 address
            return _public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        inside = found.sixtofour or (found.teredo or (None, None))[1]
        if found not in _GLOBAL_UNICAST or (inside is not None and not _public(str(inside))):
            return False
    return found.is_global and not found.is_multicast


def _mine(desk: Desk, hub_id: str | None, company_id: str | None) -> None:
    """Of exactly one, and that one's own: beside a hub of one's own no company may slip in."""
    mine = company_id in desk.actor.companies if hub_id is None else hub_id in desk.actor.hubs
    if not mine or None not in (hub_id, company_id):
        raise NotAllowed("company_only", "webhooks are for your own hub or maatwerkbedrijf")


def find(desk: Desk, webhook_id: str) -> Webhook:
    """The webhook of one's own hub or company. Raises NotFound for others."""
    found = desk.session.get(Webhook, webhook_id)
    if (
        found is None
        or not found.active
        or not (found.hub_id in desk.actor.hubs or found.company_id in desk.actor.companies)
    ):
        raise NotFound("webhook_not_found", "there is no such webhook of yours")
    return found
