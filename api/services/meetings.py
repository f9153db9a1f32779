"""Meetings: firm and an interested company agree a date, and get it in their calendars.

Invitations follow RFC 5545 (iCalendar) and RFC 5546 (how they are asked for and cancelled). The
time zone Europe/Brussels travels along, so that a calendar elsewhere shows the right hour.
"""

from datetime import date, datetime, timedelta
from email.utils import parseaddr

from icalendar import Alarm, Calendar, Event, Timezone, vCalAddress, vText
from sqlalchemy import select

from api.errors import Conflict, Invalid
from api.i18n import tr
from api.services import (
    answers,
    audit,
    authorisation,
    checks,
    colleagues,
    leads,
    links,
    outbox,
    people,
    signin,
    webhooks,
)
from api.services.desk import BRUSSELS, Desk
from api.wording import N_
from models import Company, Firm, Lead, Meeting, Need
from models.answer import AnswerKind
from models.lead import Outcome
from models.meeting import Side
from models.message import MessageKind
from models.states import NeedState

FARTHEST = timedelta(days=731)
AGREEABLE = (NeedState.OPEN, NeedState.DECIDING, NeedState.CHOSEN)
_TITLE = N_("Afspraak: %(title)s")


def agree(
    desk: Desk, lead_id: str, starts_at: datetime, *, minutes: int = 60, place: str = ""
) -> Meeting:
    """Set or move the meeting of the firm with an interested company; both get an invitation.

    The firm and the company may both do so. Raises NotFound for others, Conflict when the
    company is not interested or the need is closed, Invalid for a moment that is past.
    """
    lead, need, _ = parties(desk, lead_id)
    require_possible(desk, lead, need)
    check_moment(desk, starts_at, minutes, "starts_at")
    meeting = of_lead(desk, lead.id)
    if meeting is None:
        meeting = Meeting(need_id=need.id, lead_id=lead.id, created_at=desk.at, sequence=0)
        desk.session.add(meeting)
    else:
        meeting.sequence += 1
    meeting.starts_at, meeting.minutes = starts_at, minutes
    meeting.place = checks.line(place, "place") or f"{need.postcode} {need.place}"
    meeting.made_by, meeting.cancelled_at = desk.actor.name, None
    desk.session.flush()
    audit.record(desk, "agree", "meeting", meeting.id, need.hub_id, sequence=meeting.sequence)
    _invite(desk, meeting, lead, need, "REQUEST")
    return meeting


def require_possible(desk: Desk, lead: Lead, need: Need) -> None:
    """Raises Conflict unless the company is interested and its lead is still in the running."""
    if not _interested(desk, lead):
        raise Conflict("not_interested", "a meeting is possible once the company is interested")
    if not possible(desk, lead, need):
        raise Conflict("wrong_state", f"the need is {need.state.value}", state=need.state.value)


def possible(desk: Desk, lead: Lead, need: Need) -> bool:
    """Whether firm and company may meet now."""
    running = need.state in AGREEABLE and lead.outcome in (None, Outcome.CHOSEN)
    return running and _interested(desk, lead)


def _interested(desk: Desk, lead: Lead) -> bool:
    answer = answers.last(desk, lead.id)
    return answer is not None and answer.kind is AnswerKind.INTERESTED


def check_moment(desk: Desk, starts_at: datetime, minutes: int, field: str) -> None:
    """Raises Invalid for a moment that is past or years away, or an odd duration."""
    if starts_at <= desk.at:
        raise Invalid("meeting_past", f"{field}: choose a moment ahead", field=field)
    if starts_at > desk.at + FARTHEST:
        raise Invalid("meeting_far", f"{field}: choose a moment within two years", field=field)
    if not 5 <= minutes <= 480:
        raise Invalid("bad_minutes", "minutes: between 5 and 480", field="minutes")


def cancel(desk: Desk, lead_id: str) -> Meeting:
    """Call the meeting off; it disappears from both calendars. Raises Conflict without one."""
    lead, need, _ = parties(desk, lead_id)
    meeting = call_off(desk, lead, need)
    if meeting is None:
        raise Conflict("no_meeting", "there is no meeting to cancel")
    return meeting


def call_off(desk: Desk, lead: Lead, need: Need) -> Meeting | None:
    """Call the meeting of a lead off, if there is one still to come."""
    meeting = of_lead(desk, lead.id)
    if meeting is None or meeting.cancelled_at is not None or meeting.starts_at <= desk.at:
        return None
    meeting.sequence += 1
    meeting.cancelled_at = desk.at
    desk.session.flush()
    audit.record(desk, "cancel", "meeting", meeting.id, need.hub_id)
    _invite(desk, meeting, lead, need, "CANCEL")
    return meeting


def of_lead(desk: Desk, lead_id: str) -> Meeting | None:
    return desk.session.scalar(select(Meeting).where(Meeting.lead_id == lead_id))


def parties(desk: Desk, lead_id: str) -> tuple[Lead, Need, Side]:
    """The lead, its need and whose side asks: its company (also by its personal link) or its
    firm. Raises NotFound for others, NotAllowed for the hub; the need is held."""
    found = desk.session.get(Lead, lead_id)
    if found is not None and desk.actor.name == f"lead:{found.id}":
        return found, leads.hold(desk, found.need_id), Side.COMPANY
    if found is not None:
        need = desk.session.get_one(Need, found.need_id)
        if need.firm_id in desk.actor.firms:
            return found, leads.hold(desk, need.id), Side.FIRM
    lead = authorisation.lead_as_company(desk, lead_id)
    return lead, leads.hold(desk, lead.need_id), Side.COMPANY


Party = tuple[outbox.Recipient, str]  # who gets a mail, and the link in it


def firm_party(desk: Desk, need: Need) -> Party:
    """The firm's contact, with a link that signs in and opens its work table."""
    person = people.find_or_add(desk, need.contact_email, language=need.language)
    to = outbox.Recipient(need.contact_email, need.contact_name, need.language)
    return to, signin.new_link(desk, person, f"/needs/{need.id}/meetings", lasts=signin.MAIL_LINK)


def company_parties(desk: Desk, lead: Lead, company: Company) -> list[Party]:
    """Who of the company gets it, with its personal link."""
    link = links.lead_link(desk, lead)
    return [(to, link) for to in colleagues.recipients(desk, company)]


def _invite(desk: Desk, meeting: Meeting, lead: Lead, need: Need, method: str) -> None:
    company = desk.session.get_one(Company, lead.company_id)
    firm = desk.session.get_one(Firm, need.firm_id)
    invited = [firm_party(desk, need), *company_parties(desk, lead, company)]
    attending = [to for to, _ in invited]
    for number, (to, link) in enumerate(invited):
        outbox.queue(
            desk,
            MessageKind.MEETING,
            to,
            need_id=need.id,
            title=need.title,
            other=firm.name if number else company.name,
            at=meeting.starts_at,
            minutes=meeting.minutes,
            place=meeting.place,
            moved=meeting.sequence > 0,
            cancelled=method == "CANCEL",
            link=link,
            attachment=calendar(desk, meeting, need, attending, method, to.language),
        )
    event = "meeting.cancelled" if method == "CANCEL" else "meeting.agreed"
    facts = {"starts_at": meeting.starts_at.isoformat(), "minutes": meeting.minutes}
    webhooks.tell(desk, event, need, [(lead, facts | {"place": meeting.place})])


def calendar(
    desk: Desk,
    meeting: Meeting,
    need: Need,
    attending: list[outbox.Recipient],
    method: str,
    language: str,
) -> str:
    """The invitation (`REQUEST`) or its cancellation (`CANCEL`) as iCalendar text."""
    firm = desk.session.get_one(Firm, need.firm_id)
    starts = meeting.starts_at.astimezone(BRUSSELS)
    sender = parseaddr(desk.runtime.settings.mail_from)[1]
    book = Calendar()
    book.add("prodid", "-//Maatmatch//NL")
    book.add("version", "2.0")
    book.add("method", method)
    first, last = date(starts.year, 1, 1), date(starts.year + 1, 12, 31)
    book.add_component(Timezone.from_tzinfo(BRUSSELS, "Europe/Brussels", first, last))
    event = Event()
    event.add("uid", f"{meeting.id.lower()}@{sender.rpartition('@')[2]}")
    event.add("dtstamp", desk.at)
    event.add("sequence", meeting.sequence)
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(minutes=meeting.minutes))
    event.add("summary", tr(language, _TITLE, title=need.title))
    event.add("location", meeting.place)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    organiser = vCalAddress(f"mailto:{sender}")
    organiser.params["cn"] = vText(firm.name)
    event.add("organizer", organiser)
    for each in attending:
        guest = vCalAddress(f"mailto:{each.email}")
        guest.params["cn"] = vText(each.name)
        guest.params["role"] = vText("REQ-PARTICIPANT")
        guest.params["partstat"] = vText("ACCEPTED" if method == "REQUEST" else "DECLINED")
        event.add("attendee", guest, encode=False)
    if method == "REQUEST":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", need.title)
        alarm.add("trigger", timedelta(hours=-1))
        event.add_component(alarm)
    book.add_component(event)
    return str(book.to_ical().decode())
