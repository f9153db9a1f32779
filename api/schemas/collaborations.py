"""Collaborations: what came of a choice."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Number, Out, Words, example
from models.states import CollaborationState

Figure = Annotated[Number, Field(ge=0, lt=1_000_000)]


class CollaborationIn(In):
    """How it goes; only what is given changes."""

    model_config = example(state="running", hours_per_week=38, fte=1.2)

    state: CollaborationState | None = None
    hours_per_week: Figure | None = None
    fte: Figure | None = None
    tonnes_per_year: Figure | None = None
    note: Words | None = Field(None, max_length=3000)


class CollaborationOut(Out):
    """What came of a choice, kept up by both sides."""

    model_config = example(
        id=EXAMPLE_ID,
        need_id=EXAMPLE_ID,
        company_id=EXAMPLE_ID,
        state="running",
        hours_per_week=38,
        fte=1.2,
        tonnes_per_year=6,
        note="",
        created_at="2027-01-25T09:00:00Z",
        updated_at="2027-03-01T09:00:00Z",
    )

    id: Id
    need_id: Id
    company_id: Id
    state: CollaborationState
    hours_per_week: float | None
    fte: float | None
    tonnes_per_year: float | None
    note: str
    created_at: datetime
    updated_at: datetime
