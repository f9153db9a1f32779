"""Needs as the API takes and shows them: the text, the facts, the steps, what is done with them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue

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
    Whole,
    Words,
)
from models.broadcast import ExceptionKind
from models.need import StepSource, WorkPlace
from models.referral import ReferralKind
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
_VERDICT: dict[str, JsonValue] = {
    "company": {"id": EXAMPLE_ID, "name": "Wasserij Het Blauwe Laken"},
    "eligible": False,
    "reasons": [
        {
            "rule": "radius",
            "ok": False,
            "values": {"distance_km": 48, "radius_km": 30},
            "text": "op 48 km, werkt maar tot 30 km",
        }
    ],
    "match": {
        "probability": 0.91,
        "offer_id": EXAMPLE_ID,
        "offer_text": "Industriële wasserij, met ophaling",
        "steps": [
            {
                "position": 0,
                "text": "luiers wassen",
                "probability": 0.91,
                "offer_id": EXAMPLE_ID,
                "offer_text": "Industriële wasserij, met ophaling",
                "suits": True,
            }
        ],
    },
}


class NeedIn(In):
    """A need in the firm's own words. A firm's token fills in the firm and the contact itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "text": _TEXT,
                    "place": "2800 Mechelen",
                    "volume": "120 kg per week",
                    "work_place": "at_workshop",
                }
            ]
        },
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

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_NEED]})

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

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"volume": "150 kg per week"}]}
    )

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

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"steps": [{"text": "luiers wassen en drogen", "activities": ["textiel-wassen"]}]}
            ]
        },
    )

    steps: list[StepIn] = Field(min_length=1, max_length=12)


class ExceptionIn(In):
    """Leave out a company that is eligible, or add one that is not; always with a reason."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "company_id": EXAMPLE_ID,
                    "kind": "left_out",
                    "reason": "Vroeg deze week zelf om geen luiers meer te krijgen.",
                }
            ]
        },
    )

    company_id: Id
    kind: ExceptionKind
    reason: Words = Field(min_length=10, max_length=2000)


class ExceptionOut(Out):
    """A written exception to the eligible set."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "company_id": EXAMPLE_ID,
                    "kind": "left_out",
                    "reason": "Vroeg deze week zelf om geen luiers meer te krijgen.",
                    "created_at": "2027-01-12T09:00:00Z",
                }
            ]
        },
    )

    company_id: Id
    kind: ExceptionKind
    reason: str
    created_at: datetime


class ApproveIn(In):
    """When answers are due; without it, as the hub usually does."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"deadline": "2027-02-01T17:00:00+01:00"}]}
    )

    deadline: AwareDatetime | None = None


class ReferralIn(In):
    """To whom a need is handed on: another hub by its slug, or anyone by mail address."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "hub", "to_hub": "oost-vlaanderen", "message": "Dit ligt bij jullie."}
            ]
        },
    )

    kind: ReferralKind
    message: Words = Field(min_length=3, max_length=5000)
    to_hub: Line = ""
    to_name: Name = ""
    to_email: Line = ""


class ReferralOut(Out):
    """A need that was handed on."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "need_id": EXAMPLE_ID,
                    "kind": "hub",
                    "from_hub_id": EXAMPLE_ID,
                    "to_hub_id": EXAMPLE_ID,
                    "to_name": "Hub Oost-Vlaanderen",
                    "to_email": "hub@elders.example",
                    "message": "Dit ligt bij jullie.",
                    "created_at": "2027-01-12T09:00:00Z",
                }
            ]
        },
    )

    id: Id
    need_id: Id
    kind: ReferralKind
    from_hub_id: Id
    to_hub_id: Id | None
    to_name: str
    to_email: str
    message: str
    created_at: datetime


class ReasonIn(In):
    """Why; the other side reads it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Dit is werk voor een studiebureau."}]},
    )

    reason: Words = Field("", max_length=2000)


class CorrectionIn(In):
    """What is different from the text that was sent out; all recipients get it at once."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Het gaat om 150 kg, niet 120."}]}
    )

    text: Words = Field(min_length=3, max_length=5000)


class CorrectionOut(Out):
    """A numbered correction of a need that was sent out."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "text": "Het gaat om 150 kg, niet 120.",
                    "content_hash": "9f2c6b7d0e1a4c55",
                    "created_at": "2027-01-14T09:00:00Z",
                }
            ]
        },
    )

    number: int
    text: str
    content_hash: str
    created_at: datetime


class JudgementIn(In):
    """The coordinator's own view: 2 suits exactly, 1 partly, 0 not. For the next calibration."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"company_id": EXAMPLE_ID, "grade": 2}]}
    )

    company_id: Id
    grade: Annotated[Whole, Field(ge=0, le=2)]


class JudgementOut(Out):
    """A judgement that was kept."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [{"need_id": EXAMPLE_ID, "company_id": EXAMPLE_ID, "grade": 2}]
        },
    )

    need_id: Id
    company_id: Id
    grade: int


class ReasonOut(Out):
    """One rule of eligibility, whether the company meets it, and the values that decided."""

    rule: str = Field(examples=["radius"])
    ok: bool
    values: dict[str, object] = Field(examples=[{"distance_km": 48, "radius_km": 30}])
    text: str = Field(examples=["op 48 km, werkt maar tot 30 km"])


class CompanyName(Out):
    """Which company."""

    id: Id
    name: str


class StepMatchOut(Out):
    """One step of the need and the company's offer that suits it best."""

    position: int
    text: str
    probability: float
    offer_id: str
    offer_text: str
    suits: bool


class MatchOut(Out):
    """How well a company's offers suit a need."""

    probability: float
    offer_id: str | None
    offer_text: str
    steps: list[StepMatchOut]


class VerdictOut(Out):
    """Eligible or not for one need, always with every reason."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_VERDICT]})

    company: CompanyName
    eligible: bool
    reasons: list[ReasonOut]
    match: MatchOut


class CompanyVerdictOut(VerdictOut):
    """A verdict on a company, with the broadcast it was for."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                _VERDICT
                | {
                    "id": EXAMPLE_ID,
                    "broadcast_id": EXAMPLE_ID,
                    "released_at": "2027-01-12T10:00:02Z",
                }
            ]
        },
    )

    id: Id
    broadcast_id: Id
    released_at: datetime
