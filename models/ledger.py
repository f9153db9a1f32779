"""Ledger: the append-only, hash-chained record of everything that happened in a broadcast."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class LedgerEntry(Base):
    """Entry `sequence` of a broadcast; `hash` covers sequence, moment, event, details and the
    hash before it, so that a later change of any entry shows."""

    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("broadcast_id", "sequence"),)

    broadcast_id: Mapped[str] = reference("broadcast")
    sequence: Mapped[int]
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(40))
    lead_id: Mapped[str | None] = reference("lead", nullable=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
