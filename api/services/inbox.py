"""What a company finds in its room: its leads, and every verdict on it with what it can change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from api.services.desk import Desk
from models import (
    Answer,
    Broadcast,
    BroadcastException,
    Company,
    Lead,
    Meeting,
    MeetingOption,
    Need,
    Question,
    VerdictRow,
)
from models.broadcast import ExceptionKind
from models.lead import Outcome
from models.meeting import OptionState, Side

SOON = timedelta(days=2)
MOST_PAST = 60
MOST_VERDICTS = 60


@dataclass(frozen=True)
class InboxRow:
    """One lead with what its company did, and what waits for it."""

    lead: Lead
    broadcast: Broadcast
    company: Company
    answer: Answer | None
    asked: bool  # a question of its own has no answer yet
    proposed: bool  # the firm proposed a moment to meet
    meeting: Meeting | None  # still to come
    soon: bool  # the deadline is near


@dataclass(frozen=True)
class Inbox:
    """The leads of the caller's companies: to answer (nearest deadline first), running, past."""

    waiting: list[InboxRow]
    running: list[InboxRow]
    past: list[InboxRow]
    older: int  # past ones that are not in the list


def of_caller(desk: Desk) -> Inbox:
    """All released leads of the caller's companies."""
    mine = (
        select(Lead, Broadcast, Company)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .join(Company, Company.id == Lead.company_id)
        .where(Lead.company_id.in_(desk.actor.companies), Broadcast.released_at <= desk.at)
        .order_by(Lead.id.desc())
    )
    # Old ones may be many: only the newest of them are read.
    running = mine.where(Lead.closed_at.is_(None) | (Lead.outcome == Outcome.CHOSEN))
    closed = mine.where(Lead.closed_at.is_not(None), Lead.outcome.is_distinct_from(Outcome.CHOSEN))
    count = closed.with_only_columns(func.count()).order_by(None)
    older = (desk.session.scalar(count) or 0) - MOST_PAST
    shown = [
        *desk.session.execute(running).all(),
        *desk.session.execute(closed.limit(MOST_PAST)).all(),
    ]
    ids = [lead.id for lead, _, _ in shown]
    answers = _answers(desk, ids)
    asked = _ids(desk, Question.lead_id, Question.lead_id.in_(ids), Question.answered_at.is_(None))
    proposed = _ids(
        desk,
        MeetingOption.lead_id,
        MeetingOption.lead_id.in_(ids),
        MeetingOption.state == OptionState.OPEN,
        MeetingOption.side == Side.FIRM,
    )
    meetings = {
        each.lead_id: each
        for each in desk.session.scalars(
            select(Meeting).where(
                Meeting.lead_id.in_(ids),
                Meeting.cancelled_at.is_(None),
                Meeting.starts_at > desk.at,
            )
        )
    }
    found = [
        InboxRow(
            lead,
            broadcast,
            company,
            answers.get(lead.id),
            lead.id in asked,
            lead.id in proposed,
            meetings.get(lead.id),
            broadcast.deadline <= desk.at + SOON,
        )
        for lead, broadcast, company in shown
    ]
    past = [row for row in found if _over(desk, row.lead, row.broadcast)]
    live = [row for row in found if not _over(desk, row.lead, row.broadcast)]
    waiting = sorted(
        (row for row in live if row.answer is None), key=lambda row: row.broadcast.deadline
    )
    return Inbox(waiting, [row for row in live if row.answer], past, max(older, 0))


def _over(desk: Desk, lead: Lead, broadcast: Broadcast) -> bool:
    """Closed; or the time to answer is over and nothing was answered. A choice stays in sight
    for as long as the collaboration may need it."""
    if lead.outcome is Outcome.CHOSEN:
        return False
    return lead.closed_at is not None or (
        broadcast.deadline <= desk.at and lead.answered_at is None
    )


def _ids(desk: Desk, column: object, *conditions: object) -> frozenset[str]:
    return frozenset(desk.session.scalars(select(column).where(*conditions)))  # type: ignore[call-overload]


def _answers(desk: Desk, lead_ids: Sequence[str]) -> dict[str, Answer]:
    newest = (
        select(func.max(Answer.id)).where(Answer.lead_id.in_(lead_ids)).group_by(Answer.lead_id)
    )
    found = desk.session.scalars(select(Answer).where(Answer.id.in_(newest)))
    return {answer.lead_id: answer for answer in found}


@dataclass(frozen=True)
class OwnVerdict:
    """How one need was judged for one of the caller's companies.

    `lead_id` is set when it got the need. What it did not get is told by kind of work and place
    alone: the firm's own words went to the recipients. `exception` is the hub's written reason.
    """

    company: Company
    broadcast: Broadcast
    verdict: VerdictRow
    lead_id: str | None
    activities: tuple[str, ...]
    place: str
    exception: BroadcastException | None

    @property
    def against(self) -> list[dict[str, object]]:
        return [each for each in self.verdict.reasons if not each["ok"]]

    @property
    def left_out(self) -> bool:
        made = self.exception
        return self.lead_id is None and made is not None and made.kind is ExceptionKind.LEFT_OUT


def verdicts(desk: Desk, *, received: bool | None = None) -> list[OwnVerdict]:
    """The newest verdicts on the caller's companies, once released; `received` takes only those
    it got, or only those it did not."""
    statement = (
        select(Company, Broadcast, VerdictRow, Lead.id, Need, BroadcastException)
        .join(Broadcast, Broadcast.id == VerdictRow.broadcast_id)
        .join(Company, Company.id == VerdictRow.company_id)
        .join(Need, Need.id == Broadcast.need_id)
        .outerjoin(
            Lead,
            (Lead.broadcast_id == Broadcast.id) & (Lead.company_id == VerdictRow.company_id),
        )
        .outerjoin(
            BroadcastException,
            (BroadcastException.need_id == Need.id)
            & (BroadcastException.company_id == VerdictRow.company_id),
        )
        .where(VerdictRow.company_id.in_(desk.actor.companies), Broadcast.released_at <= desk.at)
        .order_by(Broadcast.id.desc())
        .limit(MOST_VERDICTS)
        .options(selectinload(Need.steps))
    )
    if received is not None:
        statement = statement.where(Lead.id.is_not(None) if received else Lead.id.is_(None))
    return [
        OwnVerdict(
            company,
            broadcast,
            verdict,
            lead_id,
            tuple(dict.fromkeys(code for step in need.steps for code in step.activities[:1]))[:3],
            need.place,
            exception,
        )
        for company, broadcast, verdict, lead_id, need, exception in desk.session.execute(statement)
    ]
