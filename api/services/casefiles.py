"""The case file of a need: who did what when, mails, leads and notes in one line of time.

Nothing is kept for it: it is read from the audit trail, the ledger, the outbox and the notes,
so it cannot tell otherwise than they do.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_, select

from api.services import authorisation, notes
from api.services.desk import BRUSSELS, Desk
from models import (
    AuditEntry,
    Broadcast,
    BroadcastException,
    Collaboration,
    Company,
    Lead,
    LedgerEntry,
    Meeting,
    Message,
    Need,
    Note,
    Person,
    Question,
    Referral,
)


class EntryKind(StrEnum):
    DEED = "deed"  # what somebody did: a person, a company by its link, the program
    MAIL = "mail"
    LEAD = "lead"  # what companies did with their leads
    NOTE = "note"


# What the audit trail does not tell already.
OF_LEADS = (
    "opened", "answered", "asked", "no_address", "readdressed", "became_eligible", "deadline",
    "closed",
)  # fmt: skip
PROGRAM = frozenset({"worker", "import", "nobody"})


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `code` is an audit action, a kind of mail or a ledger event.

    `who` names the person or company, or is empty for the program itself; `names` are the
    companies or addresses it was about; `states` counts mails by what became of them.
    """

    at: datetime
    kind: EntryKind
    code: str
    who: str = ""
    names: tuple[str, ...] = ()
    text: str = ""
    answer: str = ""
    states: tuple[tuple[str, int], ...] = ()
    note: Note | None = None


def of_need(desk: Desk, need_id: str) -> list[Entry]:
    """Everything that happened to a need, newest first.

    Raises NotFound or NotAllowed for others than the hub's coordinators.
    """
    need = authorisation.need_as_coordinator(desk, need_id)
    rows = desk.session.execute(
        select(Lead.id, Company.name)
        .join(Company, Company.id == Lead.company_id)
        .where(Lead.need_id == need.id)
    )
    companies = {row[0]: row[1] for row in rows}
    found = [*_deeds(desk, need, companies), *_mails(desk, need), *_leads(desk, need, companies)]
    # What happened at one moment is told in the order it was done: the last of it on top.
    return sorted(found, key=lambda each: each.at)[::-1]


def _deeds(desk: Desk, need: Need, companies: dict[str, str]) -> Iterator[Entry]:
    """The audit trail of the need, its leads, meetings and collaborations; and the notes."""
    session = desk.session
    also = {
        "lead": select(Lead.id).where(Lead.need_id == need.id),
        "meeting": select(Meeting.id).where(Meeting.need_id == need.id),
        "collaboration": select(Collaboration.id).where(Collaboration.need_id == need.id),
    }
    trail = session.scalars(
        select(AuditEntry)
        .where(
            or_(
                and_(AuditEntry.noun == "need", AuditEntry.object_id == need.id),
                *(
                    and_(AuditEntry.noun == noun, AuditEntry.object_id.in_(ids))
                    for noun, ids in also.items()
                ),
            )
        )
        .order_by(AuditEntry.id)
    ).all()
    written = {note.id: note for note in notes.of_need(desk, need.id)}
    names = _names(desk, trail, companies)
    texts = _texts(desk, need)
    for entry in trail:
        note_id = str(entry.details.get("note_id", ""))
        if note_id and note_id not in written:
            continue  # of another hub, taken away by somebody else, or gone for good
        company = names.get(entry.details.get("company_id", ""))
        code = entry.action if entry.noun in ("need", "lead") else f"{entry.action}_{entry.noun}"
        deed = Entry(
            entry.created_at,
            EntryKind.NOTE if note_id else EntryKind.DEED,
            code,
            names.get(entry.actor, ""),
            names=(company,) if company else (),
            text=texts.get(_key(entry), ""),
        )
        if entry.action == "add_note":
            deed = replace(deed, note=written[note_id])
        yield deed


def _names(desk: Desk, trail: Sequence[AuditEntry], companies: dict[str, str]) -> dict[str, str]:
    """Actor or company id -> name. A personal link is its company; an erased person is a number."""
    actors = {entry.actor for entry in trail} - PROGRAM
    about = {entry.details.get("company_id") for entry in trail} - {None}
    people = desk.session.scalars(select(Person).where(Person.id.in_(actors)))
    known = {each.id: each.name or each.email for each in people}
    known |= {
        each.id: each.name
        for each in desk.session.scalars(select(Company).where(Company.id.in_(about)))
    }
    known |= {f"lead:{lead_id}": name for lead_id, name in companies.items()}
    return {actor: actor for actor in actors} | known


def _key(entry: AuditEntry) -> tuple[str, Any]:
    """What tells which words belong to an entry of the trail."""
    if entry.action in ("make_exception", "refer"):
        return entry.action, entry.details.get("company_id") or entry.created_at
    return entry.action, entry.details.get("question_id")


def _texts(desk: Desk, need: Need) -> dict[tuple[str, Any], str]:
    """The words that go with deeds: a question, its answer, a referral, a reason."""
    session = desk.session
    found: dict[tuple[str, Any], str] = {}
    for question in session.scalars(select(Question).where(Question.need_id == need.id)):
        found["ask", question.id] = question.text
        found["answer_question", question.id] = question.answer or ""
    for referral in session.scalars(select(Referral).where(Referral.need_id == need.id)):
        found["refer", referral.created_at] = f"{referral.to_name}: {referral.message}"
    for made in session.scalars(
        select(BroadcastException).where(BroadcastException.need_id == need.id)
    ):
        found["make_exception", made.company_id] = made.reason
    found["no_fit", None] = need.state_note
    return found


def _mails(desk: Desk, need: Need) -> Iterator[Entry]:
    """The mails about a need; those written in one go to many are one entry."""
    rows = desk.session.execute(
        select(
            Message.created_at, Message.kind, Message.to_name, Message.to_email, Message.state,
            Message.error,
        )
        .where(Message.need_id == need.id)
        .order_by(Message.id)
    )  # fmt: skip
    groups: dict[tuple[datetime, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.created_at, row.kind.value), []).append(row)
    for (at, kind), mails in groups.items():
        yield Entry(
            at,
            EntryKind.MAIL,
            kind,
            names=tuple(sorted(each.to_name or each.to_email for each in mails)),
            text="; ".join(sorted({each.error for each in mails if each.error})),
            states=_counted(each.state.value for each in mails),
        )


def _leads(desk: Desk, need: Need, companies: dict[str, str]) -> Iterator[Entry]:
    """What became of the leads; the same thing on one day is one entry."""
    rows = desk.session.scalars(
        select(LedgerEntry)
        .join(Broadcast, Broadcast.id == LedgerEntry.broadcast_id)
        .where(Broadcast.need_id == need.id, LedgerEntry.event.in_(OF_LEADS))
        .order_by(LedgerEntry.at, LedgerEntry.sequence)
    )
    groups: dict[Any, list[LedgerEntry]] = {}
    for row in rows:
        kind = str(row.details.get("kind", "")) if row.event == "answered" else ""
        groups.setdefault((row.event, kind, row.at.astimezone(BRUSSELS).date()), []).append(row)
    for (event, kind, _), happened in groups.items():
        names = {companies.get(row.lead_id or "", "") for row in happened} - {""}
        yield Entry(happened[-1].at, EntryKind.LEAD, event, names=tuple(sorted(names)), answer=kind)


def _counted(states: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(states).items()))
