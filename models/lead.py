"""Lead: one broadcast for one company; the unit that is delivered, opened, answered."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, enum_column, reference
from models.states import Outcome, check_lead

__all__ = ["Lead", "Outcome"]


class Lead(Base):
    """`link_version` is part of the personal link: raising it revokes every earlier link."""

    __tablename__ = "lead"
    __table_args__ = (UniqueConstraint("broadcast_id", "company_id"),)

    broadcast_id: Mapped[str] = reference("broadcast")
    need_id: Mapped[str] = reference("need")
    company_id: Mapped[str] = reference("company")
    late: Mapped[bool] = mapped_column(default=False)
    link_version: Mapped[int] = mapped_column(default=1)
    handed_over_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(enum_column(Outcome))

    @validates("outcome")
    def _outcome_follows(self, _key: str, wanted: Outcome) -> Outcome:
        return check_lead(self.outcome, Outcome(wanted))
