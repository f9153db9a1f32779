"""Offers: one activity a company does, in its own words."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, Bool, ExternalId, Id, In, Number, Out, Words, example

Radius = Annotated[Number, Field(ge=0, le=300)]


class OfferIn(In):
    """One more kind of work the company does."""

    model_config = example(text="Industriële wasserij, met ophaling", at_workshop=True)

    text: Words = Field(min_length=3, max_length=2000)
    language: Literal["nl", "fr", "en"] | None = Field(None, description="null: as the text is")
    on_site: Bool = False
    at_workshop: Bool = True
    radius_km: Radius | None = Field(None, description="null: the company's service radius")
    external_id: ExternalId | None = None


class OfferChangeIn(In):
    """What changes; only what is given."""

    model_config = example(active=False)

    text: Words | None = Field(None, min_length=3, max_length=2000)
    on_site: Bool | None = None
    at_workshop: Bool | None = None
    radius_km: Radius | None = None
    active: Bool | None = None


class OfferOut(Out):
    """An offer, as everyone sees it."""

    model_config = example(
        id=EXAMPLE_ID,
        company_id=EXAMPLE_ID,
        external_id=None,
        text="Industriële wasserij, met ophaling",
        language="nl",
        on_site=False,
        at_workshop=True,
        radius_km=None,
        active=True,
        updated_at="2027-01-02T08:00:00Z",
    )

    id: Id
    company_id: Id
    external_id: str | None
    text: str
    language: str
    on_site: bool
    at_workshop: bool
    radius_km: float | None
    active: bool
    updated_at: datetime
