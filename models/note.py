"""Note: what a coordinator writes in the case file of a need, for the hub's coordinators alone."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class Note(Base):
    """`hub_id` is the hub where it was written: a need that moves to another hub leaves its
    notes behind. A removed note can be put back until it is deleted for good."""

    __tablename__ = "note"

    need_id: Mapped[str] = reference("need")
    hub_id: Mapped[str] = reference("hub", index=False)
    author_id: Mapped[str] = reference("person")
    text: Mapped[str] = mapped_column(Text)
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
