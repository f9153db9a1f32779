"""Calibrations: how a score becomes a probability and where the threshold lies, per hub."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, reference


class CalibrationRow(Base):
    """The newest row of a hub for the present encoder counts; none means the shipped one."""

    __tablename__ = "calibration"

    hub_id: Mapped[str | None] = reference("hub", nullable=True)
    encoder: Mapped[str] = mapped_column(String(64))
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    needs: Mapped[int]
    parameters: Mapped[dict[str, Any]]
