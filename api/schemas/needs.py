"""Needs as the API takes and shows them: the text, the facts, the steps, what is done with them."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field, JsonValue

from api.schemas.base import (
    EXAMPLE_ID,
    Code,
    ExternalId,
    FilledLine,
    FilledName,
    Id,
    In,
    Line,
    Name,
    Out,
    Phone,
    Words,
    example,
)
from models.need import StepSource, WorkPlace
from models.states import NeedState

_TEXT = (
    "Onze crèche zoekt iemand die elke week 120 kg vuile luiers ophaalt, wast en plooit. "
    "We starten graag in maart."
)
_NEED: dict[str, JsonValue] = {
    "id": EXAMPLE_ID,
    "hub_id": EXAMPLE_ID,
    "firm_id": EXAMPLE_ID,
    "state": "submitted",
    "title": "Luiers ophalen, wassen en plooien",
    "text": _TEXT,
    "language": "nl",
    "postcode": "2800",
    "nis": "12025",
    "place": "Mechelen",
    "volume": "120 kg per week",
    "rhythm": "wekelijks",
    "starts_on": "2027-03-01",
    "work_place": "at_workshop",
    "certificates": [],
    "contact_name": "Finn Claes",
    "contact_email": "finn@creche.example",
    "contact_phone": None,
    "external_id": None,
    "fit": 0.97,
    "steps": [
        {
            "position": 0,
            "text": "vuile luiers wassen en plooien",
            "activities": ["textiel-wassen", "strijken-plooien"],
            "source": "read",
        }
    ],
    "state_note": "",
    "submitted_at": "2027-01-11T09:30:00Z",
    "closed_at": None,
    "created_at": "2027-01-11T09:30:00Z",
    "updated_at": "2027-01-11T09:30:00Z",
}


class NeedIn(In):
    """A need in the firm's own words. A firm's token fills in the firm and the contact itself."""

    model_config = example(
        text=_TEXT,
        place="2800 Mechelen",
        volume="120 kg per week",
        work_place="at_workshop",
    )

    text: Words = Field(min_length=10, description="what is to be done, at most 20,000 characters")
    place: FilledLine = Field(description="postcode, name or both", examples=["2800"])
    firm_name: Name = Field("", description="only with a coordinator's token")
    contact_name: Name = ""
    contact_email: Line = Field("", description="with a firm's token: a member of that firm")
    contact_phone: Phone = ""
    kbo: Line = Field("", description="company number of the firm", examples=["0403.170.701"])
    language: Literal["nl", "fr", "en"] | None = Field(None, description="null: as the text is")
    title: Name = ""
    volume: Line = ""
    rhythm: Line = ""
    starts_on: date | None = None
    work_place: WorkPlace = WorkPlace.EITHER
    certificates: list[Code] = Field(default=[], max_length=50)
    hub: Line = Field("", description="slug of a value-chain hub; empty: the hub of the place")
    external_id: ExternalId | None = None


class StepOut(Out):
    """One piece of work inside a need."""

    position: int
    text: str
    activities: list[str]
    source: StepSource


class NeedOut(Out):
    """A need, as its firm and the coordinators of its hub see it."""

    model_config = example(**_NEED)

    id: Id
    hub_id: Id
    firm_id: Id
    state: NeedState
    title: str
    text: str
    language: str
    postcode: str
    nis: str
    place: str
    volume: str
    rhythm: str
    starts_on: date | None
    work_place: WorkPlace
    certificates: list[str]
    contact_name: str
    contact_email: str
    contact_phone: str | None
    external_id: str | None
    fit: float | None = Field(description="probability that there is work in it for a company")
    steps: list[StepOut]
    state_note: str
    submitted_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FactsIn(In):
    """Facts to change before release; only what is given changes."""

    model_config = example(volume="150 kg per week")

    title: FilledName | None = None
    volume: Name | None = None
    rhythm: Name | None = None
    starts_on: date | None = None
    work_place: WorkPlace | None = None
    certificates: list[Code] | None = Field(None, max_length=50)


class StepIn(In):
    """One piece of work, in the coordinator's reading."""

    text: FilledLine
    activities: list[Code] = Field(default=[], max_length=10)


class StepsIn(In):
    """The coordinator's reading of a need, replacing all its steps."""

    model_config = example(
        steps=[{"text": "luiers wassen en drogen", "activities": ["textiel-wassen"]}],
    )

    steps: list[StepIn] = Field(min_length=1, max_length=12)


class ReasonIn(In):
    """Why; the other side reads it."""

    model_config = example(reason="Dit is werk voor een studiebureau.")

    reason: Words = Field("", max_length=2000)
