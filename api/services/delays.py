"""Mail that should have left and has not: the mail server is down, or no worker runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from api.services.desk import Desk
from models import Message
from models.message import MessageState

NORMAL = timedelta(minutes=2)  # within which a mail leaves, also in the middle of a broadcast


@dataclass(frozen=True)
class Delay:
    """How many mails wait longer than is normal, and since when the oldest of them was due."""

    count: int
    since: datetime


def present(desk: Desk) -> Delay | None:
    """The delay at this moment; None when mail leaves as it should.

    A mail that one server refused for now has a later moment by then, and does not count.
    """
    count, since = desk.session.execute(
        select(func.count(), func.min(Message.due_at)).where(
            Message.state == MessageState.DUE,
            Message.due_at < desk.at - NORMAL,
            Message.digest_id.is_(None),
        )
    ).one()
    return Delay(count, since) if count else None
