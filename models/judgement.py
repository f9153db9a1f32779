"""Judgements: what coordinators corrected and companies answered, for the next calibration."""

from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, reference


class JudgementSource(StrEnum):
    COORDINATOR = "coordinator"
    COMPANY = "company"


class JudgementRow(Base):
    """Whether a company suits a need: `grade` 2 exactly, 1 partly, 0 not."""

    __tablename__ = "judgement"
    __table_args__ = (UniqueConstraint("need_id", "company_id", "source"),)

    need_id: Mapped[str] = reference("need")
    company_id: Mapped[str] = reference("company")
    source: Mapped[JudgementSource] = mapped_column(enum_column(JudgementSource))
    grade: Mapped[int]
