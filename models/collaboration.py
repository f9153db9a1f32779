"""Collaboration: what came of a choice: talk, trial, running, ended; hours, FTE, tonnes."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, enum_column, now, reference
from models.states import CollaborationState, check_collaboration


class Collaboration(Base):
    """`hours_per_week` in hours, `fte` in full-time equivalents, `tonnes_per_year` in tonnes."""

    __tablename__ = "collaboration"
    __table_args__ = (UniqueConstraint("need_id", "company_id"),)

    need_id: Mapped[str] = reference("need")
    company_id: Mapped[str] = reference("company")
    state: Mapped[CollaborationState] = mapped_column(
        enum_column(CollaborationState), default=CollaborationState.TALK
    )
    hours_per_week: Mapped[float | None]
    fte: Mapped[float | None]
    tonnes_per_year: Mapped[float | None]
    note: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now, sort_order=901)

    @validates("state")
    def _state_follows(self, _key: str, wanted: CollaborationState) -> CollaborationState:
        return check_collaboration(self.state, CollaborationState(wanted))
