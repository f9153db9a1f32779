"""Offer: one activity a company does, in its own words; and its vector per encoder."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, Base, Language, now, reference


class Offer(Base):
    __tablename__ = "offer"

    company_id: Mapped[str] = reference("company", ondelete="CASCADE")
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[Language]
    on_site: Mapped[bool] = mapped_column(default=False)
    at_workshop: Mapped[bool] = mapped_column(default=True)
    radius_km: Mapped[float | None]
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now, sort_order=901)


class OfferVector(Base):
    """The vector of an offer's text: float32 little-endian, `dimension` numbers, unit length.

    `text_hash` tells whether the offer's text is still the one that was encoded.
    """

    __tablename__ = "offer_vector"
    __table_args__ = (UniqueConstraint("offer_id", "encoder"),)

    offer_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("offer.id", ondelete="CASCADE"), index=True
    )
    encoder: Mapped[str] = mapped_column(String(64), index=True)
    text_hash: Mapped[str] = mapped_column(String(64))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
