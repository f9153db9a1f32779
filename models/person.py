"""Person: who signs in; a membership says in which role, for which hub, firm or company."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Language, enum_column, exactly_one, reference


class Role(StrEnum):
    COORDINATOR = "coordinator"
    FIRM = "firm"
    COMPANY = "company"


class Person(Base):
    __tablename__ = "person"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[Language]
    email_proven_at: Mapped[datetime | None]


class Membership(Base):
    """`wants_leads`: of a company; its leads and what follows come to this person too."""

    __tablename__ = "membership"
    __table_args__ = (
        exactly_one("hub_id", "firm_id", "company_id"),
        UniqueConstraint("person_id", "hub_id", "firm_id", "company_id"),
    )

    person_id: Mapped[str] = reference("person", ondelete="CASCADE")
    role: Mapped[Role] = mapped_column(enum_column(Role))
    hub_id: Mapped[str | None] = reference("hub", nullable=True)
    firm_id: Mapped[str | None] = reference("firm", nullable=True)
    company_id: Mapped[str | None] = reference("company", nullable=True)
    wants_leads: Mapped[bool] = mapped_column(default=False, server_default=false())
