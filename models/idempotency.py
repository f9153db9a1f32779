"""Idempotency: the first response to a POST with an Idempotency-Key, given again to a repeat."""

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class IdempotentResponse(Base):
    """`caller` is the API token's id; `request_hash` tells a repeat from a different request."""

    __tablename__ = "idempotent_response"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
