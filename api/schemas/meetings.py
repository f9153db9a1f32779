"""Meetings of a firm and an interested company: what is agreed, and what is proposed."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from api.schemas.base import EXAMPLE_ID, Id, In, Line, Out, Whole, Words, example
from models.meeting import OptionState, Side

Minutes = Annotated[Whole, Field(ge=5, le=480)]
_OPTION = {
    "id": EXAMPLE_ID,
    "lead_id": EXAMPLE_ID,
    "side": "firm",
    "state": "open",
    "starts_at": "2027-02-01T09:00:00Z",
    "minutes": 60,
    "place": "2800 Mechelen",
    "note": "Kom gerust langs.",
    "created_at": "2027-01-20T09:00:00Z",
}
_MEETING = {
    "id": EXAMPLE_ID,
    "lead_id": EXAMPLE_ID,
    "starts_at": "2027-02-01T09:00:00Z",
    "minutes": 60,
    "place": "2800 Mechelen",
    "sequence": 0,
    "cancelled_at": None,
}


class ProposalIn(In):
    """One to six moments, with their time zone; earlier open proposals make way."""

    model_config = example(
        moments=["2027-02-01T10:00:00+01:00"],
        minutes=45,
        place="Het atelier",
    )

    moments: list[AwareDatetime] = Field(min_length=1, max_length=6)
    minutes: Minutes = 60
    place: Line = Field("", description="empty: the place of the need")
    note: Words = Field("", max_length=2000)


class DeclineIn(In):
    """A word with a no."""

    model_config = example(note="Die week zijn we gesloten.")

    note: Words = Field("", max_length=2000)


class OptionOut(Out):
    """A moment that one side proposed."""

    model_config = example(**_OPTION)

    id: Id
    lead_id: Id
    side: Side
    state: OptionState
    starts_at: datetime
    minutes: int
    place: str
    note: str
    created_at: datetime


class MeetingOut(Out):
    """A meeting that was agreed; `sequence` rises with every change."""

    model_config = example(**_MEETING)

    id: Id
    lead_id: Id
    starts_at: datetime
    minutes: int
    place: str
    sequence: int
    cancelled_at: datetime | None


class MeetingTableOut(Out):
    """What firm and company agreed, and what is still proposed."""

    model_config = example(meeting=_MEETING, options=[_OPTION])

    meeting: MeetingOut | None
    options: list[OptionOut]
