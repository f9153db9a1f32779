"""Need: what a firm wants done, in its own words plus facts; and its steps."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from models.base import ID_LENGTH, Base, Email, Language, Name, enum_column, now, reference
from models.states import NeedState, check_need


class WorkPlace(StrEnum):
    ON_SITE = "on_site"
    AT_WORKSHOP = "at_workshop"
    EITHER = "either"


class StepSource(StrEnum):
    READ = "read"  # as the matcher understood it
    CORRECTED = "corrected"  # as the coordinator corrected it


class Need(Base):
    __tablename__ = "need"
    __table_args__ = (Index("ix_need_hub_state", "hub_id", "state"),)

    hub_id: Mapped[str] = reference("hub")
    firm_id: Mapped[str] = reference("firm")
    state: Mapped[NeedState] = mapped_column(enum_column(NeedState), default=NeedState.DRAFT)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[Language]
    postcode: Mapped[str] = mapped_column(String(4))
    nis: Mapped[str] = mapped_column(String(5), index=True)
    place: Mapped[Name]
    lat: Mapped[float]
    lon: Mapped[float]
    volume: Mapped[str] = mapped_column(String(300), default="")
    rhythm: Mapped[str] = mapped_column(String(300), default="")
    starts_on: Mapped[date | None]
    work_place: Mapped[WorkPlace] = mapped_column(enum_column(WorkPlace), default=WorkPlace.EITHER)
    certificates: Mapped[list[str]] = mapped_column(default=list)
    contact_name: Mapped[Name]
    contact_email: Mapped[Email]
    contact_phone: Mapped[str | None] = mapped_column(String(40))
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    fit: Mapped[float | None]
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    nudges: Mapped[int] = mapped_column(default=0)
    state_note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now, sort_order=901)

    steps: Mapped[list["Step"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Step.position"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - read by SQLAlchemy

    @validates("state")
    def _state_follows(self, _key: str, wanted: NeedState) -> NeedState:
        return check_need(self.state, NeedState(wanted))


class Step(Base):
    """One piece of work inside a need; `activities` are codes of the taxonomy, best first."""

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("need_id", "position"),)

    need_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("need.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    activities: Mapped[list[str]] = mapped_column(default=list)
    source: Mapped[StepSource] = mapped_column(enum_column(StepSource), default=StepSource.READ)
