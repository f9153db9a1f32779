"""The exposure audit of a hub, as the API shows it."""

from datetime import date

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Id, Out, example
from api.services.exposure import Group, Measure

_COMPANY = {
    "company_id": EXAMPLE_ID,
    "name": "Wasserij Het Blauwe Laken",
    "partner": False,
    "new": True,
    "language": "nl",
    "eligible": 12,
    "leads": 12,
    "late": 1,
    "opens": 11,
    "answers": 9,
    "interested": 5,
    "choices": 2,
    "expected_choices": 1.8,
    "choice_p": 1.0,
}
_COMPARISON = {
    "group": "partners",
    "measure": "choices",
    "title": "partners van de hub, tegenover de anderen: gekozen onder de geïnteresseerden",
    "conclusion": "Geen aanwijzing van ongelijke behandeling (p = 0,612).",
    "observed": 4,
    "expected": 3.2,
    "drawn": 9,
    "p_value": 0.612,
    "smallest_p": 0.004,
}


class ExposureOut(Out):
    """One company in the period; counts of broadcasts."""

    model_config = example(**_COMPANY)

    company_id: Id
    name: str
    partner: bool = Field(description="of the hub's own consortium")
    new: bool = Field(description="in its first year in the network")
    language: str
    eligible: int
    leads: int
    late: int
    opens: int
    answers: int
    interested: int
    choices: int
    expected_choices: float = Field(description="if every interested one stood an equal chance")
    choice_p: float = Field(description="two-sided, adjusted by Holm's rule")


class ComparisonOut(Out):
    """A group beside the others, with an exact test and what can be concluded from it."""

    model_config = example(**_COMPARISON)

    group: Group
    measure: Measure
    title: str
    conclusion: str
    observed: int
    expected: float
    drawn: int
    p_value: float = Field(description="two-sided")
    smallest_p: float = Field(description="above 0.05, no outcome would have been evidence")


class ExposureAuditOut(Out):
    """Who was reached, opened, answered and was chosen, beside what eligibility predicts."""

    model_config = example(
        hub_id=EXAMPLE_ID,
        since="2026-01-01",
        until="2026-12-31",
        broadcasts=14,
        left_out=1,
        added=0,
        companies=[_COMPANY],
        comparisons=[_COMPARISON],
    )

    hub_id: Id
    since: date
    until: date = Field(description="included")
    broadcasts: int
    left_out: int = Field(description="eligible companies left out, each with a written reason")
    added: int
    companies: list[ExposureOut] = Field(description="by name: an audit is no ranking")
    comparisons: list[ComparisonOut]
