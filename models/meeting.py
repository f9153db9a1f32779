"""Meeting: firm and an interested company agree a date; both get it in their calendar."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, enum_column, reference
from models.states import OptionState, check_option

__all__ = ["Meeting", "MeetingOption", "OptionState", "Side"]


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


class Side(StrEnum):
    """Who of the two proposes."""

    FIRM = "firm"
    COMPANY = "company"


class MeetingOption(Base):
    """One moment that a side proposes to the other; taken, it becomes the meeting of the lead."""

    __tablename__ = "meeting_option"

    need_id: Mapped[str] = reference("need")
    lead_id: Mapped[str] = reference("lead")
    side: Mapped[Side] = mapped_column(enum_column(Side))
    state: Mapped[OptionState] = mapped_column(enum_column(OptionState), default=OptionState.OPEN)
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=60)
    place: Mapped[str] = mapped_column(String(300), default="")
    note: Mapped[str] = mapped_column(Text, default="")

    @validates("state")
    def _state_follows(self, _key: str, wanted: OptionState) -> OptionState:
        return check_option(self.state, OptionState(wanted))
