"""Answers of companies to their leads."""

from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import EXAMPLE_ID, Id, In, Line, Out, Words, example
from models.answer import AnswerKind, DeclineReason


class AnswerIn(In):
    """Interested, with when and how much; or not for us, with why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "interested", "available_from": "begin maart", "capacity": "150 kg"},
                {"kind": "not_for_us", "reason": "no_capacity"},
            ]
        },
    )

    kind: AnswerKind
    reason: DeclineReason | None = Field(None, description="required with not_for_us")
    available_from: Line = ""
    capacity: Line = ""
    note: Words = Field("", max_length=3000)


class AnswerOut(Out):
    """An answer; the last one of a lead counts, all are kept."""

    model_config = example(
        id=EXAMPLE_ID,
        lead_id=EXAMPLE_ID,
        kind="interested",
        reason=None,
        available_from="begin maart",
        capacity="150 kg per week",
        note="We halen zelf op.",
        created_at="2027-01-13T08:12:00Z",
    )

    id: Id
    lead_id: Id
    kind: AnswerKind
    reason: DeclineReason | None
    available_from: str
    capacity: str
    note: str
    created_at: datetime


class InterestedCompany(Out):
    """A company that is interested, with what a firm needs to compare."""

    id: Id
    name: str
    email: str | None = Field(default=None, description="null until the firm has chosen it")
    phone: str | None = Field(default=None, description="null until the firm has chosen it")
    website: str | None
    description: str
    language: str


class CoveredStep(Out):
    """A step of the need, and whether an offer of the company covers it."""

    text: str
    suits: bool


class InterestedOut(Out):
    """One interested company, its answer, and which steps of the need it covers."""

    model_config = example(
        lead_id=EXAMPLE_ID,
        company={
            "id": EXAMPLE_ID,
            "name": "Wasserij Het Blauwe Laken",
            "email": None,
            "phone": None,
            "website": None,
            "description": "",
            "language": "nl",
        },
        answer={
            "id": EXAMPLE_ID,
            "lead_id": EXAMPLE_ID,
            "kind": "interested",
            "reason": None,
            "available_from": "begin maart",
            "capacity": "150 kg per week",
            "note": "",
            "created_at": "2027-01-13T08:12:00Z",
        },
        offer_text="Industriële wasserij, met ophaling",
        steps=[{"text": "luiers wassen", "suits": True}, {"text": "plooien", "suits": False}],
    )

    lead_id: Id
    company: InterestedCompany
    answer: AnswerOut
    offer_text: str = Field(description="the offer of theirs that suits best, as it was frozen")
    steps: list[CoveredStep] = Field(description="which steps their offers cover")
