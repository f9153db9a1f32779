"""API tokens: a machine's key, in the name of one membership, for some scopes."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Name, reference


class ApiToken(Base):
    """Only the SHA-256 of the token is stored; scopes are `noun:read` or `noun:write`."""

    __tablename__ = "api_token"

    membership_id: Mapped[str] = reference("membership", ondelete="CASCADE")
    name: Mapped[Name]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
