"""Question: asked by one company, answered by the firm to all; the asker stays hidden."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class Question(Base):
    """`lead_id` is the asker's lead; empty when the coordinator asks the firm before release."""

    __tablename__ = "question"

    need_id: Mapped[str] = reference("need")
    lead_id: Mapped[str | None] = reference("lead", nullable=True)
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
