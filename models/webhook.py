"""Webhooks: a company or hub hears of its events at its own address, signed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, enum_column, exactly_one, reference
from models.states import DeliveryState, check_delivery

__all__ = ["DeliveryState", "Webhook", "WebhookDelivery"]


class Webhook(Base):
    __tablename__ = "webhook"
    __table_args__ = (exactly_one("hub_id", "company_id"),)

    hub_id: Mapped[str | None] = reference("hub", nullable=True)
    company_id: Mapped[str | None] = reference("company", nullable=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(64))
    active: Mapped[bool] = mapped_column(default=True)  # false: deleted by its owner
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())


class WebhookDelivery(Base):
    """`answer` is what the receiver said last: status, reason, and how long it took."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_claim", "state", "due_at"),)

    webhook_id: Mapped[str] = reference("webhook", ondelete="CASCADE")
    event: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    state: Mapped[DeliveryState] = mapped_column(
        enum_column(DeliveryState), default=DeliveryState.DUE
    )
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(String(200), default="", server_default="")

    @validates("state")
    def _state_follows(self, _key: str, wanted: DeliveryState) -> DeliveryState:
        return check_delivery(self.state, DeliveryState(wanted))
