"""Webhooks and what was delivered to them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Bool, Id, In, Line, Out, example
from models.webhook import DeliveryState

_HOOK = {
    "id": EXAMPLE_ID,
    "hub_id": None,
    "company_id": EXAMPLE_ID,
    "url": "https://crm.example/maatmatch",
    "paused": False,
    "created_at": "2027-01-02T08:00:00Z",
}


class WebhookIn(In):
    """A webhook for exactly one hub or company of yours."""

    model_config = example(url="https://crm.example/maatmatch", company_id=EXAMPLE_ID)

    url: Line = Field(min_length=10, description="public, and https")
    hub_id: Id | None = None
    company_id: Id | None = None


class WebhookChangeIn(In):
    """Pause or resume; what is due waits meanwhile."""

    model_config = example(paused=True)

    paused: Bool


class WebhookOut(Out):
    """A webhook, without its secret."""

    model_config = example(**_HOOK)

    id: Id
    hub_id: Id | None
    company_id: Id | None
    url: str
    paused: bool
    created_at: datetime


class WebhookMadeOut(WebhookOut):
    """A new webhook with its secret, which is shown this once."""

    model_config = example(**(_HOOK | {"secret": "kXq2…"}))

    secret: str = Field(
        description="the key of Maatmatch-Signature; keep it, it is never shown again"
    )


class DeliveryOut(Out):
    """One event for one webhook, and what came of it."""

    model_config = example(
        id=EXAMPLE_ID,
        webhook_id=EXAMPLE_ID,
        event="lead.released",
        payload={"event": "lead.released", "lead_id": EXAMPLE_ID},
        state="sent",
        attempts=1,
        due_at="2027-01-12T10:00:02Z",
        handed_over_at="2027-01-12T10:00:03Z",
        answer="204 No Content · 35 ms",
        error="",
        created_at="2027-01-12T10:00:00Z",
    )

    id: Id
    webhook_id: Id
    event: str
    payload: dict[str, Any]
    state: DeliveryState
    attempts: int
    due_at: datetime
    handed_over_at: datetime | None
    answer: str = Field(description="what the receiver said last, and how long it took")
    error: str
    created_at: datetime
