"""Written exceptions to the eligible set."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, In, Out, Words, example
from models.broadcast import ExceptionKind


class ExceptionIn(In):
    """Leave out a company that is eligible, or add one that is not; always with a reason."""

    model_config = example(
        company_id=EXAMPLE_ID,
        kind="left_out",
        reason="Vroeg deze week zelf om geen luiers meer te krijgen.",
    )

    company_id: Id
    kind: ExceptionKind
    reason: Words = Field(min_length=10, max_length=2000)


class ExceptionOut(Out):
    """A written exception to the eligible set."""

    model_config = example(
        company_id=EXAMPLE_ID,
        kind="left_out",
        reason="Vroeg deze week zelf om geen luiers meer te krijgen.",
        created_at="2027-01-12T09:00:00Z",
    )

    company_id: Id
    kind: ExceptionKind
    reason: str
    created_at: datetime
