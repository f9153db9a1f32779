"""Broadcasts, their ledger and their proof."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.base import EXAMPLE_ID, Id, In, Out, Words, example
from models.hub import Policy

_HASH = "9f2c6b7d0e1a4c55b8d3f7a2916c0e4d5b8a7f6e3c2d1b0a9f8e7d6c5b4a3928"


class BroadcastOut(Out):
    """One need sent to its whole eligible set, under the terms that were in force."""

    model_config = example(
        id=EXAMPLE_ID,
        need_id=EXAMPLE_ID,
        hub_id=EXAMPLE_ID,
        number=1,
        policy="activity",
        alpha=0.05,
        threshold=0.21,
        encoder="1f0c6d0b9a1e4c55",
        calibration="77aa09d1e0c2b3f4",
        content={"title": "Luiers wassen", "text": "Onze crèche zoekt..."},
        content_hash=_HASH,
        released_at="2027-01-12T10:00:02Z",
        deadline="2027-01-22T16:00:00Z",
        closed_at=None,
        leads=14,
        spread_seconds=0.9,
    )

    id: Id
    need_id: Id
    hub_id: Id
    number: int
    policy: Policy
    alpha: float
    threshold: float | None = Field(description="least probability; null under all_in_region")
    encoder: str
    calibration: str
    content: dict[str, Any] = Field(description="what every recipient gets, word for word")
    content_hash: str
    released_at: datetime
    deadline: datetime
    closed_at: datetime | None
    leads: int = Field(description="how many companies received it")
    spread_seconds: float | None = Field(description="from first to last hand-over")


class LedgerEntryOut(Out):
    """One entry of the ledger, as the caller may read it.

    An entry without `details` shows their hash; one without `event` is withheld but for its
    hashes.
    """

    model_config = example(
        sequence=2,
        previous_hash=_HASH,
        hash=_HASH,
        at="2027-01-12T10:00:00.000000+00:00",
        event="queued",
        lead_id=EXAMPLE_ID,
        details={
            "company_id": EXAMPLE_ID,
            "message_id": "<01kaj5w3e8@hub.example>",
            "late": False,
        },
        details_hash=None,
    )

    sequence: int
    previous_hash: str
    hash: str
    at: str | None = None
    event: str | None = None
    lead_id: str | None = None
    details: dict[str, Any] | None = None
    details_hash: str | None = None


class CheckOut(Out):
    """One thing that must hold in a broadcast, and what was found."""

    model_config = example(name="one_lead_each", ok=True, detail="14 leads, one each")

    name: str
    ok: bool
    detail: str


class VerificationOut(Out):
    """Whether everything holds, and each check."""

    model_config = example(
        ok=True,
        checks=[
            {
                "name": "one_lead_each",
                "ok": True,
                "detail": "14 leads, one for each company",
            }
        ],
    )

    ok: bool
    checks: list[CheckOut]


class ProofOut(Out):
    """The proof of a broadcast; `maatmatch verify` and anyone else can recompute it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "format": "maatmatch-proof/1",
                    "made_at": "2027-01-12T10:05:00+00:00",
                    "audience": "company",
                    "complete": False,
                    "broadcast": {"id": EXAMPLE_ID, "content_hash": _HASH},
                    "companies": {EXAMPLE_ID: "Wasserij Het Blauwe Laken"},
                    "verdicts": [{"company_id": EXAMPLE_ID, "eligible": True}],
                    "corrections": [],
                    "leads": [{"id": EXAMPLE_ID, "company_id": EXAMPLE_ID, "late": False}],
                    "ledger": [{"sequence": 1, "previous_hash": "0" * 64, "hash": _HASH}],
                    "head": {"entries": 1, "hash": _HASH},
                }
            ]
        },
    )

    format: str
    made_at: str
    audience: str
    complete: bool = Field(description="false when it shows one company's part")
    broadcast: dict[str, Any]
    companies: dict[str, str]
    verdicts: list[dict[str, Any]]
    corrections: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    head: dict[str, Any] = Field(description="keep it: every later proof must continue from it")


class ApproveIn(In):
    """When answers are due; without it, as the hub usually does."""

    model_config = example(deadline="2027-02-01T17:00:00+01:00")

    deadline: AwareDatetime | None = None


class CorrectionIn(In):
    """What is different from the text that was sent out; all recipients get it at once."""

    model_config = example(text="Het gaat om 150 kg, niet 120.")

    text: Words = Field(min_length=3, max_length=5000)


class CorrectionOut(Out):
    """A numbered correction of a need that was sent out."""

    model_config = example(
        number=1,
        text="Het gaat om 150 kg, niet 120.",
        content_hash="9f2c6b7d0e1a4c55",
        created_at="2027-01-14T09:00:00Z",
    )

    number: int
    text: str
    content_hash: str
    created_at: datetime
