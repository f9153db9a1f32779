"""Verdicts: eligible or not, always with every reason, and the match beside it."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.schemas.base import EXAMPLE_ID, Id, Out, example

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

    model_config = example(**_VERDICT)

    company: CompanyName
    eligible: bool
    reasons: list[ReasonOut]
    match: MatchOut


class CompanyVerdictOut(VerdictOut):
    """A verdict on a company, with the broadcast it was for."""

    model_config = example(
        **(
            _VERDICT
            | {
                "id": EXAMPLE_ID,
                "broadcast_id": EXAMPLE_ID,
                "released_at": "2027-01-12T10:00:02Z",
            }
        )
    )

    id: Id
    broadcast_id: Id
    released_at: datetime
