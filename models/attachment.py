"""Attachment: a photo or a PDF that shows what a need is about."""

from enum import StrEnum

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, reference


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    PDF = "pdf"


class Attachment(Base):
    """Without a `need_id` it is held for a form that was not sent yet.

    `content` are the bytes everybody gets, `size` their number and `hash` their SHA-256; `small`
    is a photo's preview. In the database, so that a backup of it holds everything.
    """

    __tablename__ = "attachment"

    need_id: Mapped[str | None] = reference("need", nullable=True)
    kind: Mapped[AttachmentKind] = mapped_column(enum_column(AttachmentKind))
    name: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    width: Mapped[int | None]
    height: Mapped[int | None]
    added_by: Mapped[str] = mapped_column(String(60))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    small: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
