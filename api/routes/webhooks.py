"""Webhooks: events of one's own hub or company, sent signed to an address of one's own."""

from fastapi import Response
from sqlalchemy import select

from api.idempotency import OnceDep
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, PathId, WebhooksRead, WebhooksWrite, noun
from api.schemas.base import Page
from api.schemas.webhooks import (
    DeliveryOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookMadeOut,
    WebhookOut,
)
from api.services import webhooks
from models import Webhook, WebhookDelivery

router = noun("webhooks")


@router.get("/webhooks", responses=LISTED)
def list_webhooks(desk: WebhooksRead, paging: PagingDep) -> Page[WebhookOut]:
    """The webhooks of your hub or company. Scope `webhooks:read`."""
    rows, following = paginate(desk.session, webhooks.all_mine(desk), Webhook.id, paging)
    return Page(items=[WebhookOut.model_validate(row) for row in rows], next_cursor=following)


@router.post("/webhooks", status_code=201, response_model=WebhookMadeOut, responses=WRITTEN)
def add_webhook(desk: WebhooksWrite, body: WebhookIn, once: OnceDep) -> Response:
    """Add one; the answer holds its secret, once. Your own hub or company.

    Events: `lead.released`, `lead.answered`, `lead.closed`, `meeting.agreed`,
    `meeting.cancelled` and `ping`. Scope `webhooks:write`.
    """
    made = webhooks.add(desk, body.url, hub_id=body.hub_id, company_id=body.company_id)
    return once.answer(WebhookMadeOut.model_validate(made), 201)


@router.get("/webhooks/{webhook_id}", responses=FOUND)
def read_webhook(desk: WebhooksRead, webhook_id: PathId) -> WebhookOut:
    """One webhook. Scope `webhooks:read`."""
    return WebhookOut.model_validate(webhooks.find(desk, webhook_id))


@router.patch("/webhooks/{webhook_id}", responses=WRITTEN)
def pause_webhook(desk: WebhooksWrite, webhook_id: PathId, body: WebhookChangeIn) -> WebhookOut:
    """Pause or resume. Scope `webhooks:write`."""
    return WebhookOut.model_validate(webhooks.pause(desk, webhook_id, body.paused))


@router.delete("/webhooks/{webhook_id}", status_code=204, responses=WRITTEN)
def delete_webhook(desk: WebhooksWrite, webhook_id: PathId) -> None:
    """Switch it off for good; what is due is not sent. Scope `webhooks:write`."""
    webhooks.remove(desk, webhook_id)


@router.post(
    "/webhooks/{webhook_id}/test", status_code=201, response_model=DeliveryOut, responses=WRITTEN
)
def ping_webhook(desk: WebhooksWrite, webhook_id: PathId, once: OnceDep) -> Response:
    """Send it an event `ping`, also while paused. Scope `webhooks:write`."""
    return once.answer(DeliveryOut.model_validate(webhooks.ping(desk, webhook_id)), 201)


@router.get("/webhooks/{webhook_id}/deliveries", responses=FOUND)
def list_deliveries(desk: WebhooksRead, webhook_id: PathId, paging: PagingDep) -> Page[DeliveryOut]:
    """What was sent to a webhook and what came of it. Scope `webhooks:read`."""
    hook = webhooks.find(desk, webhook_id)
    statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook.id)
    rows, following = paginate(desk.session, statement, WebhookDelivery.id, paging)
    return Page(items=[DeliveryOut.model_validate(row) for row in rows], next_cursor=following)


@router.post("/deliveries/{delivery_id}/replay", response_model=DeliveryOut, responses=WRITTEN)
def replay_delivery(desk: WebhooksWrite, delivery_id: PathId, once: OnceDep) -> Response:
    """Send one event again, with the same id. Scope `webhooks:write`."""
    return once.answer(DeliveryOut.model_validate(webhooks.replay(desk, delivery_id)))
