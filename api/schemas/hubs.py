"""Hubs as the API shows and changes them."""

from typing import Annotated

from pydantic import Field, JsonValue

from api.schemas.base import EXAMPLE_ID, Bool, Id, In, Line, Number, Out, Whole, example
from models.hub import HubKind, Policy

_HUB: dict[str, JsonValue] = {
    "id": EXAMPLE_ID,
    "slug": "rivierenland",
    "name": "HUB(s) Rivierenland",
    "kind": "territory",
    "value_chain": None,
    "organisation_kind": "intercommunale",
    "language": "nl",
    "policy": "activity",
    "alpha": 0.05,
    "deadline_days": 10,
    "reminders": True,
}


class HubOut(Out):
    """A hub and the terms under which it sends out needs."""

    model_config = example(**_HUB)

    id: Id
    slug: str
    name: str
    kind: HubKind
    value_chain: str | None
    organisation_kind: str
    language: str
    policy: Policy
    alpha: float = Field(description="expected share of suitable companies missed, at most")
    deadline_days: int
    reminders: bool


class HubWithTerritory(HubOut):
    """A hub with the NIS codes of the municipalities it works for."""

    model_config = example(**(_HUB | {"municipalities": ["12025", "12021"]}))

    municipalities: list[str]


class HubTermsIn(In):
    """New terms for broadcasts to come; only what is given changes."""

    model_config = example(alpha=0.03, deadline_days=14)

    policy: Policy | None = None
    alpha: Annotated[Number, Field(ge=0.01, le=0.5)] | None = None
    deadline_days: Annotated[Whole, Field(ge=1, le=60)] | None = None
    reminders: Bool | None = None
    email: Line | None = None
