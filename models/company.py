"""Company (maatwerkbedrijf): a sheltered-work company, its sites, certificates and absences."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID_LENGTH, Base, Email, Language, Name, enum_column, now, reference


class Recognition(StrEnum):
    RECOGNISED = "recognised"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Delivery(StrEnum):
    """How a company wants its leads: each at once, or one digest a day."""

    EACH = "each"
    DAILY = "daily"


class Company(Base):
    """`language` is that of its mails; `languages` those its people work in.

    `checked_at` is when somebody last looked through its profile and offers, whether or not
    anything changed; `reminded_at` when it was last asked to.
    """

    __tablename__ = "company"

    name: Mapped[Name]
    kbo: Mapped[str | None] = mapped_column(String(10), unique=True)
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    email: Mapped[Email | None]
    email_bounced_at: Mapped[datetime | None]
    phone: Mapped[str | None] = mapped_column(String(40))
    website: Mapped[str | None] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[Language]
    languages: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    recognition: Mapped[Recognition] = mapped_column(
        enum_column(Recognition), default=Recognition.RECOGNISED
    )
    service_radius_km: Mapped[float] = mapped_column(default=30.0)
    max_open_leads: Mapped[int | None]
    delivery: Mapped[Delivery] = mapped_column(enum_column(Delivery), default=Delivery.EACH)
    feed_version: Mapped[int] = mapped_column(default=1, server_default="1")
    wants_reminders: Mapped[bool] = mapped_column(default=True)
    wants_profile_mail: Mapped[bool] = mapped_column(default=True, server_default=true())
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now, sort_order=901)
    checked_at: Mapped[datetime] = mapped_column(
        default=now, server_default="1970-01-01 00:00:00", sort_order=902
    )
    reminded_at: Mapped[datetime | None] = mapped_column(sort_order=903)

    sites: Mapped[list["Site"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Site.id"
    )
    certificates: Mapped[list["Certificate"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Certificate.code"
    )
    absences: Mapped[list["Absence"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Absence.starts_on"
    )


def _company() -> Mapped[str]:
    return mapped_column(
        String(ID_LENGTH), ForeignKey("company.id", ondelete="CASCADE"), index=True
    )


class Site(Base):
    __tablename__ = "site"

    company_id: Mapped[str] = _company()
    name: Mapped[str] = mapped_column(String(200), default="")
    street: Mapped[str] = mapped_column(String(200), default="")
    postcode: Mapped[str] = mapped_column(String(4))
    nis: Mapped[str] = mapped_column(String(5), index=True)
    lat: Mapped[float]
    lon: Mapped[float]


class Certificate(Base):
    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    company_id: Mapped[str] = _company()
    code: Mapped[str] = mapped_column(String(40))
    valid_until: Mapped[date | None]
    reminded_at: Mapped[datetime | None]


class Absence(Base):
    """Days on which the company, by its own word, takes no new leads (both included)."""

    __tablename__ = "absence"

    company_id: Mapped[str] = _company()
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    note: Mapped[str] = mapped_column(String(300), default="")


class HubPartner(Base):
    """A company that is a partner in the hub's own consortium: audited, never favoured."""

    __tablename__ = "hub_partner"
    __table_args__ = (UniqueConstraint("hub_id", "company_id"),)

    hub_id: Mapped[str] = reference("hub", ondelete="CASCADE")
    company_id: Mapped[str] = _company()
