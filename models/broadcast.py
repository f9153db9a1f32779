"""Broadcast: one need sent to its whole eligible set, frozen with every verdict."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, reference
from models.hub import Policy


class Broadcast(Base):
    """`content` is what every recipient gets; `content_hash` its SHA-256 over canonical JSON."""

    __tablename__ = "broadcast"
    __table_args__ = (UniqueConstraint("need_id", "number"),)

    need_id: Mapped[str] = reference("need")
    hub_id: Mapped[str] = reference("hub")
    number: Mapped[int] = mapped_column(default=1)
    approved_by: Mapped[str] = reference("person", index=False)
    policy: Mapped[Policy] = mapped_column(enum_column(Policy))
    alpha: Mapped[float]
    threshold: Mapped[float | None]
    encoder: Mapped[str] = mapped_column(String(64))
    calibration: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    released_at: Mapped[datetime]
    deadline: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class VerdictRow(Base):
    """The frozen verdict on one company for one broadcast, with the reasons and the match."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("broadcast_id", "company_id"),)

    broadcast_id: Mapped[str] = reference("broadcast")
    company_id: Mapped[str] = reference("company")
    eligible: Mapped[bool]
    reasons: Mapped[list[dict[str, Any]]]
    match: Mapped[dict[str, Any]]


class ExceptionKind(StrEnum):
    LEFT_OUT = "left_out"
    ADDED = "added"


class BroadcastException(Base):
    """A company left out though eligible, or added though not: allowed, never silent."""

    __tablename__ = "broadcast_exception"
    __table_args__ = (UniqueConstraint("need_id", "company_id"),)

    need_id: Mapped[str] = reference("need")
    company_id: Mapped[str] = reference("company")
    kind: Mapped[ExceptionKind] = mapped_column(enum_column(ExceptionKind))
    reason: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = reference("person", index=False)


class Correction(Base):
    """A numbered edit of a need after its release, sent to all recipients at once."""

    __tablename__ = "correction"
    __table_args__ = (UniqueConstraint("broadcast_id", "number"),)

    broadcast_id: Mapped[str] = reference("broadcast")
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[str] = reference("person", index=False)
