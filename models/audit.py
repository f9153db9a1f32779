"""Audit trail: who did what to which object, written in the same transaction as the deed."""

from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class AuditEntry(Base):
    """`actor` is a person's id, or the name of the process (`worker`, `import`, `link`)."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_object", "noun", "object_id"),)

    actor: Mapped[str] = mapped_column(String(60), index=True)
    action: Mapped[str] = mapped_column(String(60))
    noun: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(40))
    hub_id: Mapped[str | None] = reference("hub", nullable=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
