"""Meetings: firm and interested company propose moments, take one, decline, or cancel."""

from fastapi import Response

from api.idempotency import OnceDep
from api.routes.access import FOUND, WRITTEN, CollaborationsRead, CollaborationsWrite, PathId, noun
from api.schemas.meetings import DeclineIn, MeetingOut, MeetingTableOut, ProposalIn
from api.services import meeting_options, meetings
from api.services.desk import Desk

router = noun("meetings")


def _table(desk: Desk, lead_id: str) -> MeetingTableOut:
    return MeetingTableOut.model_validate(meeting_options.of_lead(desk, lead_id))


@router.get("/leads/{lead_id}/meeting", responses=FOUND)
def read_meeting(desk: CollaborationsRead, lead_id: PathId) -> MeetingTableOut:
    """What is agreed and proposed. Its firm, company and hub."""
    return _table(desk, meeting_options.readable(desk, lead_id).id)


@router.post(
    "/leads/{lead_id}/meeting-options",
    status_code=201,
    response_model=MeetingTableOut,
    responses=WRITTEN,
)
def propose_moments(
    desk: CollaborationsWrite, lead_id: PathId, body: ProposalIn, once: OnceDep
) -> Response:
    """Propose moments to the other side; an own earlier proposal makes way. Firm and company."""
    lead = meeting_options.readable(desk, lead_id)
    meeting_options.propose(
        desk, [lead.id], body.moments, minutes=body.minutes, place=body.place, note=body.note
    )
    return once.answer(_table(desk, lead.id), 201)


@router.post(
    "/leads/{lead_id}/meeting-options/decline", response_model=MeetingTableOut, responses=WRITTEN
)
def decline_moments(
    desk: CollaborationsWrite, lead_id: PathId, body: DeclineIn, once: OnceDep
) -> Response:
    """None of the open moments suits; for one's own, take them back. Firm and company."""
    lead = meeting_options.readable(desk, lead_id)
    meeting_options.decline(desk, lead.id, body.note)
    return once.answer(_table(desk, lead.id))


@router.post("/meeting-options/{option_id}/take", response_model=MeetingOut, responses=WRITTEN)
def take_moment(desk: CollaborationsWrite, option_id: PathId, once: OnceDep) -> Response:
    """Take a moment that the other side proposed; both get an invitation."""
    return once.answer(MeetingOut.model_validate(meeting_options.take(desk, option_id)))


@router.delete("/leads/{lead_id}/meeting", responses=WRITTEN)
def cancel_meeting(desk: CollaborationsWrite, lead_id: PathId) -> MeetingOut:
    """Call the meeting off; both get a cancellation. Firm and company."""
    lead = meeting_options.readable(desk, lead_id)
    return MeetingOut.model_validate(meetings.cancel(desk, lead.id))
