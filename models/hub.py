"""Hub: a territory (municipalities, or all of Flanders for one value chain) and its rules."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID_LENGTH, Base, Email, Name, enum_column


class HubKind(StrEnum):
    TERRITORY = "territory"
    VALUE_CHAIN = "value_chain"


class Policy(StrEnum):
    ACTIVITY = "activity"  # eligible by activity: probability at or above the threshold
    ALL_IN_REGION = "all_in_region"  # every company in reach, whatever it does


class Hub(Base):
    __tablename__ = "hub"

    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[Name]
    kind: Mapped[HubKind] = mapped_column(enum_column(HubKind))
    value_chain: Mapped[str | None] = mapped_column(String(60))
    organisation_kind: Mapped[str] = mapped_column(String(100))
    email: Mapped[Email]
    language: Mapped[str] = mapped_column(String(2), default="nl")
    policy: Mapped[Policy] = mapped_column(enum_column(Policy), default=Policy.ACTIVITY)
    alpha: Mapped[float] = mapped_column(default=0.05)
    deadline_days: Mapped[int] = mapped_column(default=10)
    reminders: Mapped[bool] = mapped_column(default=True)
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)

    municipalities: Mapped[list["HubMunicipality"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )


class HubMunicipality(Base):
    """One municipality of a hub's territory; a value-chain hub lists all it serves."""

    __tablename__ = "hub_municipality"

    hub_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("hub.id", ondelete="CASCADE"), index=True
    )
    nis: Mapped[str] = mapped_column(String(5), index=True)
