"""Answer: interested, or not for us with a coded reason. The last one counts, all are kept."""

from enum import StrEnum

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, reference


class AnswerKind(StrEnum):
    INTERESTED = "interested"
    NOT_FOR_US = "not_for_us"


class DeclineReason(StrEnum):
    NOT_OUR_WORK = "not_our_work"
    TOO_FAR = "too_far"
    NO_CAPACITY = "no_capacity"
    TOO_BIG = "too_big"
    TOO_SMALL = "too_small"
    TOO_SOON = "too_soon"
    CERTIFICATE = "certificate"
    PRICE = "price"
    OTHER = "other"


class Answer(Base):
    __tablename__ = "answer"

    lead_id: Mapped[str] = reference("lead")
    kind: Mapped[AnswerKind] = mapped_column(enum_column(AnswerKind))
    reason: Mapped[DeclineReason | None] = mapped_column(enum_column(DeclineReason))
    available_from: Mapped[str] = mapped_column(String(300), default="")
    capacity: Mapped[str] = mapped_column(String(300), default="")
    note: Mapped[str] = mapped_column(Text, default="")
