"""Choices of the firm over the interested companies."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Out, Words, example


class ChoiceIn(In):
    """The leads that are chosen; none when empty. All are told, with the reason if given."""

    model_config = example(leads=[EXAMPLE_ID], reason="Kunnen zelf ophalen.")

    leads: list[Id] = Field(max_length=1000)
    reason: Words = Field("", max_length=2000)


class ChoiceOut(Out):
    """Whether one interested company was chosen."""

    lead_id: Id
    company_id: Id
    chosen: bool
    reason: str
    created_at: datetime


class ChoicesOut(Out):
    """The firm's decision over all interested companies."""

    model_config = example(
        need_id=EXAMPLE_ID,
        state="chosen",
        choices=[
            {
                "lead_id": EXAMPLE_ID,
                "company_id": EXAMPLE_ID,
                "chosen": True,
                "reason": "Kunnen zelf ophalen.",
                "created_at": "2027-01-25T09:00:00Z",
            }
        ],
    )

    need_id: Id
    state: str
    choices: list[ChoiceOut]
