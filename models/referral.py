"""Referral: a need handed to another hub, partner, expert or funder, with a message."""

from enum import StrEnum

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, reference


class ReferralKind(StrEnum):
    HUB = "hub"
    PARTNER = "partner"
    EXPERT = "expert"
    FINANCE = "finance"


class Referral(Base):
    """`to_hub_id` when another hub takes over; otherwise name and mail address of who does."""

    __tablename__ = "referral"

    need_id: Mapped[str] = reference("need")
    kind: Mapped[ReferralKind] = mapped_column(enum_column(ReferralKind))
    from_hub_id: Mapped[str] = reference("hub")
    to_hub_id: Mapped[str | None] = reference("hub", nullable=True)
    to_name: Mapped[str] = mapped_column(String(200), default="")
    to_email: Mapped[str] = mapped_column(String(254), default="")
    message: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = reference("person", index=False)
