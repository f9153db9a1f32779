"""Proposing moments to meet: one side proposes one or more, the other takes one, or none.

What is taken becomes the meeting (services/meetings.py), with an invitation for both calendars.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from api.errors import Conflict, Invalid, NotFound
from api.services import audit, authorisation, checks, meetings, outbox
from api.services.desk import Desk
from models import Company, Firm, Lead, Meeting, MeetingOption, Need
from models.meeting import OptionState, Side
from models.message import MessageKind

MOST_MOMENTS = 6


@dataclass(frozen=True)
class Table:
    """What firm and company agreed or still talk about, for one lead."""

    meeting: Meeting | None
    options: tuple[MeetingOption, ...]  # the open ones, all of one side, in order of time
    declined: MeetingOption | None  # the newest that did not suit, when nothing is open


def propose(
    desk: Desk,
    lead_ids: Sequence[str],
    moments: Sequence[datetime],
    *,
    minutes: int = 60,
    place: str = "",
    note: str = "",
) -> list[MeetingOption]:
    """Propose the same moments for each of these leads; earlier open ones make way.

    Raises NotFound for others than firm and company, Conflict when no meeting is possible now,
    Invalid for moments that are past, double or too many.
    """
    if not lead_ids:
        raise Invalid("nothing_ticked", "leads: name at least one", field="leads")
    wanted = sorted(set(moments))
    if not wanted:
        raise Invalid("missing", "moments: give at least one", field="moments")
    if len(wanted) > MOST_MOMENTS:
        raise Invalid("too_many_moments", f"moments: at most {MOST_MOMENTS}", field="moments")
    for moment in wanted:
        meetings.check_moment(desk, moment, minutes, "moments")
    where = checks.line(place, "place")
    words = checks.text(note, "note", least=0, most=2000)
    made: list[MeetingOption] = []
    for lead_id in dict.fromkeys(lead_ids):
        lead, need, side = meetings.parties(desk, lead_id)
        meetings.require_possible(desk, lead, need)
        _close(desk, lead.id, OptionState.REPLACED)
        fresh = [
            MeetingOption(
                need_id=need.id,
                lead_id=lead.id,
                side=side,
                starts_at=moment,
                minutes=minutes,
                place=where or f"{need.postcode} {need.place}",
                note=words,
                created_at=desk.at,
            )
            for moment in wanted
        ]
        desk.session.add_all(fresh)
        desk.session.flush()
        audit.record(desk, "propose_meeting", "lead", lead.id, need.hub_id, moments=len(fresh))
        _tell(desk, lead, need, side, fresh, declined=False, note=words)
        made += fresh
    return made


def take(desk: Desk, option_id: str) -> Meeting:
    """The other side takes a moment: it becomes the meeting, both get the invitation.

    Raises NotFound for others, Conflict when it is no longer open or one's own.
    """
    found = desk.session.get(MeetingOption, option_id)
    if found is None:
        raise NotFound("option_not_found", "there is no such proposal of yours")
    lead, _, side = meetings.parties(desk, found.lead_id)
    desk.session.refresh(found)
    if found.state is not OptionState.OPEN:
        raise Conflict("option_gone", "this proposal is no longer open")
    if found.side is side:
        raise Conflict("option_own", "you proposed this yourself: the other side takes it")
    meeting = meetings.agree(
        desk, lead.id, found.starts_at, minutes=found.minutes, place=found.place
    )
    found.state = OptionState.TAKEN
    desk.session.flush()
    _close(desk, lead.id, OptionState.REPLACED)
    return meeting


def decline(desk: Desk, lead_id: str, note: str = "") -> None:
    """None of the open moments suits (the other side), or they are taken back (one's own).

    Raises Conflict when nothing is open.
    """
    lead, need, side = meetings.parties(desk, lead_id)
    open_ones = _open(desk, lead.id)
    if not open_ones:
        raise Conflict("option_gone", "there is no proposal to decline")
    words = checks.text(note, "note", least=0, most=2000)
    own = open_ones[0].side is side
    _close(desk, lead.id, OptionState.REPLACED if own else OptionState.DECLINED)
    audit.record(desk, "decline_meeting", "lead", lead.id, need.hub_id, own=own)
    _tell(desk, lead, need, side, open_ones, declined=True, note=words)


def of_lead(desk: Desk, lead_id: str) -> Table:
    """What stands for one lead. Whoever may see the lead may see this; nothing is checked."""
    newest = desk.session.scalar(
        select(MeetingOption)
        .where(MeetingOption.lead_id == lead_id)
        .order_by(MeetingOption.id.desc())
        .limit(1)
    )
    options = tuple(_open(desk, lead_id))
    declined = newest if newest is not None and newest.state is OptionState.DECLINED else None
    return Table(meetings.of_lead(desk, lead_id), options, None if options else declined)


def readable(desk: Desk, lead_id: str) -> Lead:
    """The lead, for its company, its firm and the hub's coordinators. Raises NotFound."""
    found = desk.session.get(Lead, lead_id)
    if found is not None:
        need = desk.session.get_one(Need, found.need_id)
        if need.firm_id in desk.actor.firms:
            return found
    return authorisation.lead(desk, lead_id)


def _open(desk: Desk, lead_id: str) -> list[MeetingOption]:
    return list(
        desk.session.scalars(
            select(MeetingOption)
            .where(MeetingOption.lead_id == lead_id, MeetingOption.state == OptionState.OPEN)
            .order_by(MeetingOption.starts_at)
        )
    )


def _close(desk: Desk, lead_id: str, state: OptionState) -> None:
    for option in _open(desk, lead_id):
        option.state = state
    desk.session.flush()


def call_off(desk: Desk, need: Need, closed: Sequence[Lead]) -> None:
    """These leads are closed without a choice for them: what was open or agreed makes way."""
    ids = [lead.id for lead in closed]
    busy = set(
        desk.session.scalars(
            select(MeetingOption.lead_id)
            .where(MeetingOption.lead_id.in_(ids), MeetingOption.state == OptionState.OPEN)
            .union(
                select(Meeting.lead_id).where(
                    Meeting.lead_id.in_(ids), Meeting.cancelled_at.is_(None)
                )
            )
        )
    )
    for lead in closed:
        if lead.id in busy:
            _close(desk, lead.id, OptionState.REPLACED)
            meetings.call_off(desk, lead, need)


def _tell(
    desk: Desk,
    lead: Lead,
    need: Need,
    side: Side,
    options: Sequence[MeetingOption],
    *,
    declined: bool,
    note: str,
) -> None:
    """Mail the other side what was proposed, or that it did not suit."""
    company = desk.session.get_one(Company, lead.company_id)
    firm = desk.session.get_one(Firm, need.firm_id)
    if side is Side.COMPANY:
        told = [meetings.firm_party(desk, need)]
    else:
        told = meetings.company_parties(desk, lead, company)
    for to, link in told:
        outbox.queue(
            desk,
            MessageKind.PROPOSAL,
            to,
            need_id=need.id,
            title=need.title,
            other=company.name if side is Side.COMPANY else firm.name,
            options=list(options),
            declined=declined,
            note=note,
            link=link,
        )
