"""Leads: one broadcast for one company."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas.answers import AnswerOut
from api.schemas.base import EXAMPLE_ID, Id, Out, example
from models.lead import Outcome


class LeadOut(Out):
    """A lead, as its company and the coordinators of the hub see it."""

    model_config = example(
        id=EXAMPLE_ID,
        broadcast_id=EXAMPLE_ID,
        need_id=EXAMPLE_ID,
        company_id=EXAMPLE_ID,
        late=False,
        content={"title": "Luiers wassen", "text": "Onze crèche zoekt..."},
        released_at="2027-01-12T10:00:02Z",
        deadline="2027-01-22T16:00:00Z",
        handed_over_at="2027-01-12T10:00:03Z",
        bounced_at=None,
        opened_at=None,
        answered_at=None,
        closed_at=None,
        outcome=None,
        answer=None,
    )

    id: Id
    broadcast_id: Id
    need_id: Id
    company_id: Id
    late: bool = Field(description="the company became eligible while the need was open")
    content: dict[str, Any] = Field(description="the same for every recipient")
    released_at: datetime
    deadline: datetime
    handed_over_at: datetime | None
    bounced_at: datetime | None
    opened_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    outcome: Outcome | None
    answer: AnswerOut | None = Field(description="the one that counts")
