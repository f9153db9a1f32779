"""Choice: the firm's decision over one interested company; the hub never makes it."""

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class Choice(Base):
    __tablename__ = "choice"
    __table_args__ = (UniqueConstraint("need_id", "lead_id"),)

    need_id: Mapped[str] = reference("need")
    lead_id: Mapped[str] = reference("lead")
    chosen: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[str] = reference("person", index=False)
