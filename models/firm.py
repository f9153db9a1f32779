"""Firm: a regular firm, shop, school, care home or local government that has a need."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Email, Language, Name


class Firm(Base):
    """`claimed_kbo` was typed by somebody whose mail address is not proven yet."""

    __tablename__ = "firm"

    name: Mapped[Name]
    kbo: Mapped[str | None] = mapped_column(String(10), unique=True)
    claimed_kbo: Mapped[str | None] = mapped_column(String(10))
    email: Mapped[Email]
    phone: Mapped[str | None] = mapped_column(String(40))
    language: Mapped[Language]
    postcode: Mapped[str | None] = mapped_column(String(4))
    nis: Mapped[str | None] = mapped_column(String(5))
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
