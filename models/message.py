"""Outbox: a mail that is due, in the same database as what it tells about."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, Email, Language, enum_column, reference
from models.states import MessageState, check_message

__all__ = ["Message", "MessageKind", "MessageState"]


class MessageKind(StrEnum):
    SIGN_IN = "sign_in"
    CONFIRM_NEED = "confirm_need"
    INTAKE = "intake"
    LEAD = "lead"
    LEAD_COPY = "lead_copy"
    CORRECTION = "correction"
    QUESTION = "question"
    QUESTION_ANSWERED = "question_answered"
    REMINDER = "reminder"
    ANSWERED = "answered"
    DEADLINE = "deadline"
    NUDGE = "nudge"
    OUTCOME = "outcome"
    REFERRAL = "referral"
    RETURNED = "returned"
    PROPOSAL = "proposal"
    MEETING = "meeting"
    FOLLOW_UP = "follow_up"
    DIGEST = "digest"
    NOTICE = "notice"
    EXPIRY = "expiry"
    INVITE = "invite"
    PROFILE = "profile"
    NEW_LINK = "new_link"


class Message(Base):
    """`message_id` never changes: a mail handed over twice is the same mail to its reader.

    `rank` orders hand-overs of one broadcast: a permutation per need, so that no company is
    always first. `leased_until` is how a worker claims a message without holding a lock.
    A mail with a `digest_id` travels inside that digest and shares its fate.
    """

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_claim", "state", "due_at", "rank"),)

    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind))
    state: Mapped[MessageState] = mapped_column(enum_column(MessageState), default=MessageState.DUE)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    lead_id: Mapped[str | None] = reference("lead", nullable=True)
    need_id: Mapped[str | None] = reference("need", nullable=True)
    to_email: Mapped[Email]
    to_name: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[Language]
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attachment: Mapped[str | None] = mapped_column(Text)
    digest_id: Mapped[str | None] = reference("message", nullable=True)
    due_at: Mapped[datetime]
    rank: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None] = mapped_column(String(100))
    handed_over_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(Text, default="")

    @validates("state")
    def _state_follows(self, _key: str, wanted: MessageState) -> MessageState:
        return check_message(self.state, MessageState(wanted))
