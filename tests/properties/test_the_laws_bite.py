"""Each law notices when it is broken: rows changed behind the program's back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.runtime import Runtime
from api.services import broadcasts, needs
from api.services.desk import Desk
from api.services.needs import NeedDraft
from models import Attachment, Broadcast, Hub, Lead, LedgerEntry, Message, Need, VerdictRow
from models.attachment import AttachmentKind
from models.hub import Policy
from models.message import MessageKind
from tests.conftest import World
from tests.properties.laws import all_laws
from tests.properties.network import TEXTS


def _one_mail(session: Session) -> Message:
    return session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)).first()


def _drop_lead(session: Session) -> None:
    lead = session.scalars(select(Lead)).first()
    session.execute(update(Message).where(Message.lead_id == lead.id).values(lead_id=None))
    session.execute(update(LedgerEntry).where(LedgerEntry.lead_id == lead.id).values(lead_id=None))
    session.execute(delete(Lead).where(Lead.id == lead.id))


def _head_start(session: Session) -> None:
    mail = _one_mail(session)
    mail.due_at -= timedelta(minutes=5)


def _better_text(session: Session) -> None:
    mail = _one_mail(session)
    mail.text += "\nVoor jullie nog een tip."


def _first_in_line(session: Session) -> None:
    for message in session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)):
        message.rank = -message.rank


def _unexplained(session: Session) -> None:
    row = session.scalars(select(VerdictRow).where(~VerdictRow.eligible)).first()
    row.reasons = [reason | {"ok": True} for reason in row.reasons]


def _rewritten(session: Session) -> None:
    entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.sequence.desc())).first()
    entry.details = entry.details | {"late": "never"}


def _other_content(session: Session) -> None:
    broadcast = session.scalars(select(Broadcast)).one()
    broadcast.content = broadcast.content | {"volume": "meer"}


def _photo_for_some(session: Session) -> None:
    need = session.scalars(select(Need)).first()
    session.add(
        Attachment(
            need_id=need.id,
            kind=AttachmentKind.PDF,
            name="tip.pdf",
            size=1,
            hash="0" * 64,
            content=b"x",
            added_by="nobody",
        )
    )


def _second_reminder(session: Session) -> None:
    mail = _one_mail(session)
    for number in range(2):
        copy = {
            column.key: getattr(mail, column.key)
            for column in Message.__table__.columns
            if column.key not in ("id", "message_id")
        }
        session.add(Message(**copy | {"kind": MessageKind.REMINDER, "message_id": f"<{number}@x>"}))


@pytest.mark.parametrize(
    "damage",
    [_drop_lead, _head_start, _better_text, _first_in_line, _unexplained, _rewritten,
     _other_content, _photo_for_some, _second_reminder],
)  # fmt: skip
def test_damage_is_noticed(
    sqlite_runtime: Runtime, sqlite_world: World, damage: Callable[[Session], None]
) -> None:
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, sqlite_world.finn)
        draft = NeedDraft(
            text=TEXTS[0],
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email=sqlite_world.finn.email,
        )
        need = needs.submit(desk, draft, proven=True)
        if damage is not _unexplained:  # two recipients, so that they can be treated differently
            session.get_one(Hub, sqlite_world.hub).policy = Policy.ALL_IN_REGION
        session.flush()
        broadcasts.approve(replace(desk, actor=sqlite_world.cato), need.id)
        session.flush()
        all_laws(session, desk)
        damage(session)
        session.flush()
        with pytest.raises(AssertionError):
            all_laws(session, desk)
