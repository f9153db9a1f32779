"""Referrals: a need handed to another hub, partner, expert or funder."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Line, Name, Out, Words, example
from models.referral import ReferralKind


class ReferralIn(In):
    """To whom a need is handed on: another hub by its slug, or anyone by mail address."""

    model_config = example(
        kind="hub",
        to_hub="oost-vlaanderen",
        message="Dit ligt bij jullie.",
    )

    kind: ReferralKind
    message: Words = Field(min_length=3, max_length=5000)
    to_hub: Line = ""
    to_name: Name = ""
    to_email: Line = ""


class ReferralOut(Out):
    """A need that was handed on."""

    model_config = example(
        id=EXAMPLE_ID,
        need_id=EXAMPLE_ID,
        kind="hub",
        from_hub_id=EXAMPLE_ID,
        to_hub_id=EXAMPLE_ID,
        to_name="Hub Oost-Vlaanderen",
        to_email="hub@elders.example",
        message="Dit ligt bij jullie.",
        created_at="2027-01-12T09:00:00Z",
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
