"""Sign-in links and browser sessions; only hashes of their secrets are stored."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class SignInLink(Base):
    """A mailed link, good for one sign-in until `expires_at`; then the browser goes to `next`."""

    __tablename__ = "sign_in_link"

    person_id: Mapped[str] = reference("person", ondelete="CASCADE")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    next: Mapped[str] = mapped_column(String(500), default="/")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class BrowserSession(Base):
    __tablename__ = "browser_session"

    person_id: Mapped[str] = reference("person", ondelete="CASCADE")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(300), default="")
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
