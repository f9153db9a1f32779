"""Meeting: firm and an interested company agree a date; both get it in their calendar."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class Meeting(Base):
    """One per lead. `sequence` rises with every change, as calendars want (RFC 5545, 3.8.7.4).

    `minutes` is how long it lasts.
    """

    __tablename__ = "meeting"
    __table_args__ = (UniqueConstraint("lead_id"),)

    need_id: Mapped[str] = reference("need")
    lead_id: Mapped[str] = reference("lead", index=False)
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=60)
    place: Mapped[str] = mapped_column(String(300), default="")
    sequence: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[str] = mapped_column(String(60))
    cancelled_at: Mapped[datetime | None]
