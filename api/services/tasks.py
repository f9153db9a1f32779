"""What needs a coordinator's hand today: the tasks of a hub, most urgent kind first.

Whatever the program cannot bring to somebody by itself ends up here, so that a company without
a working mail address is a task and never a silent gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import Select, or_, select

from api.services import authorisation, hubs, profile_mails, unreached
from api.services.desk import BRUSSELS, Desk
from models import Broadcast, Company, Lead, Message, Need, Question, Site
from models.message import MessageKind, MessageState
from models.states import NeedState

WAITING_LONG = timedelta(days=2)  # in the intake queue before it is a task
DECIDING_LONG = timedelta(days=7)  # after the deadline without a choice


class TaskKind(StrEnum):
    LEAD_UNREACHED = "lead_unreached"  # an open lead whose company got no mail of it
    MAIL_FAILED = "mail_failed"  # any other mail about a need that failed or came back
    DEADLINE_TODAY = "deadline_today"
    QUESTION = "question"  # a question without an answer while the need is open
    RETURNED = "returned"  # nobody was interested
    NEED_WAITING = "need_waiting"  # for days already
    NEED_NEW = "need_new"
    DECIDING_LONG = "deciding_long"
    NO_ADDRESS = "no_address"  # a company of the territory without a mail address
    BOUNCED_ADDRESS = "bounced_address"
    STALE_PROFILE = "stale_profile"  # a company whose profile nobody looked at for a year


@dataclass(frozen=True)
class Task:
    """One thing to do. Which ids are filled depends on the kind; `since` is when it began.

    Of a stale profile: when its company was asked to look, and whether it may be asked now.
    """

    kind: TaskKind
    since: datetime
    need_id: str | None = None
    title: str = ""
    lead_id: str | None = None
    company_id: str | None = None
    company: str = ""
    detail: str = ""
    asked_at: datetime | None = None
    may_ask: bool = False


def of_hub(desk: Desk, hub_id: str) -> list[Task]:
    """The tasks of a hub: kinds in the order above, oldest first within one.

    Raises NotFound for everybody but the hub's coordinators.
    """
    authorisation.require_coordinator(desk.actor, hub_id)
    parts = (_unreached, _failed, _deadlines, _questions, _needs, _companies)
    found = [task for part in parts for task in part(desk, hub_id)]
    order = list(TaskKind)
    return sorted(found, key=lambda task: (order.index(task.kind), task.since))


def _unreached(desk: Desk, hub_id: str) -> Iterator[Task]:
    """Open leads of which no mail is on its way and none has arrived.

    A new address brings its leads by itself within a minute, so that is no task.
    """
    rows = desk.session.execute(
        select(Lead, Company, Need)
        .join(Company, Company.id == Lead.company_id)
        .join(Need, Need.id == Lead.need_id)
        .where(Need.hub_id == hub_id, *unreached.without_mail(), ~unreached.will_be_brought())
    )
    for lead, company, need in rows:
        yield Task(
            TaskKind.LEAD_UNREACHED,
            lead.created_at,
            need.id,
            need.title,
            lead.id,
            company.id,
            company.name,
            company.email or "",
        )


def _failed(desk: Desk, hub_id: str) -> Iterator[Task]:
    rows = desk.session.execute(
        select(Message, Need)
        .join(Need, Need.id == Message.need_id)
        .where(
            Need.hub_id == hub_id,
            Message.kind != MessageKind.LEAD,
            Message.state.in_([MessageState.FAILED, MessageState.BOUNCED]),
            or_(Need.closed_at.is_(None), Message.kind == MessageKind.OUTCOME),
            Message.created_at > desk.at - timedelta(days=30),
        )
    )
    for message, need in rows:
        words = f"{message.to_email}: {message.error or message.reply}"
        yield Task(
            TaskKind.MAIL_FAILED, message.created_at, need.id, need.title, message.lead_id,
            detail=words,
        )  # fmt: skip


def _deadlines(desk: Desk, hub_id: str) -> Iterator[Task]:
    ends = datetime.combine(desk.today + timedelta(days=1), time(0), BRUSSELS)
    rows = desk.session.execute(
        _of_hub(hub_id, NeedState.OPEN).where(Broadcast.deadline < ends).add_columns(Broadcast)
    )
    for need, broadcast in rows:
        yield Task(TaskKind.DEADLINE_TODAY, broadcast.deadline, need.id, need.title)


def _of_hub(hub_id: str, state: NeedState) -> Select[Need]:
    """The needs of a hub in a state, joined to the broadcast that is not closed."""
    return (
        select(Need)
        .join(Broadcast, Broadcast.need_id == Need.id)
        .where(Need.hub_id == hub_id, Need.state == state, Broadcast.closed_at.is_(None))
    )


def _questions(desk: Desk, hub_id: str) -> Iterator[Task]:
    rows = desk.session.execute(
        select(Question, Need)
        .join(Need, Need.id == Question.need_id)
        .where(
            Need.hub_id == hub_id,
            Need.state.in_([NeedState.SUBMITTED, NeedState.OPEN]),
            Question.answered_at.is_(None),
        )
    )
    for question, need in rows:
        yield Task(
            TaskKind.QUESTION, question.created_at, need.id, need.title, detail=question.text
        )


def _needs(desk: Desk, hub_id: str) -> Iterator[Task]:
    for need in desk.session.scalars(
        select(Need).where(
            Need.hub_id == hub_id,
            Need.state.in_([NeedState.SUBMITTED, NeedState.RETURNED]),
        )
    ):
        since = need.submitted_at or need.created_at
        if need.state is NeedState.RETURNED:
            yield Task(TaskKind.RETURNED, since, need.id, need.title)
        else:
            long = since <= desk.at - WAITING_LONG
            kind = TaskKind.NEED_WAITING if long else TaskKind.NEED_NEW
            yield Task(kind, since, need.id, need.title, detail=f"{need.postcode} {need.place}")
    newest = (
        select(Broadcast.deadline)
        .where(Broadcast.need_id == Need.id)
        .order_by(Broadcast.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = desk.session.execute(
        select(Need, newest).where(
            Need.hub_id == hub_id,
            Need.state == NeedState.DECIDING,
            newest <= desk.at - DECIDING_LONG,
        )
    )
    for need, deadline in rows:
        yield Task(TaskKind.DECIDING_LONG, deadline, need.id, need.title)


def _companies(desk: Desk, hub_id: str) -> Iterator[Task]:
    here = select(Site.company_id).where(Site.nis.in_(hubs.territory(desk, hub_id)))
    for company in desk.session.scalars(
        select(Company).where(
            Company.active,
            Company.id.in_(here),
            or_(
                Company.email.is_(None),
                Company.email_bounced_at.is_not(None),
                profile_mails.is_stale(desk),
            ),
        )
    ):
        bounced = company.email_bounced_at
        kind, since = TaskKind.STALE_PROFILE, company.checked_at
        if company.email is None:
            kind, since = TaskKind.NO_ADDRESS, company.created_at
        elif bounced:
            kind, since = TaskKind.BOUNCED_ADDRESS, bounced
        yield Task(
            kind,
            since,
            company_id=company.id,
            company=company.name,
            detail=company.email or company.phone or "",
            asked_at=company.reminded_at,
            may_ask=kind is TaskKind.STALE_PROFILE and profile_mails.may_ask(desk, company),
        )
