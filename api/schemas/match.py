"""Matching a text with offers, without keeping anything."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import EXAMPLE_ID, ExternalId, In, Out, Whole, Words, example

MOST_OFFERS = 1000
MOST_TOP = 200


class OfferLineIn(In):
    """One activity a company does, in its own words."""

    id: ExternalId = Field(description="unique among the offers")
    text: Words = Field(max_length=2000)
    company_id: ExternalId | None = None


class MatchIn(In):
    """A text to match; without `offers`, with all offers of this installation."""

    model_config = example(
        text="We zoeken iemand die onze luiers wast en plooit.",
        top=2,
        offers=[
            {"id": "a", "text": "Industriële wasserij met ophaling"},
            {"id": "b", "text": "Inpakken en etiketteren"},
        ],
    )

    text: Words = Field(min_length=1, description="at most 20,000 characters")
    top: Annotated[Whole, Field(ge=1, le=MOST_TOP)] = 20
    offers: list[OfferLineIn] | None = Field(None, max_length=MOST_OFFERS)


class ActivityOut(Out):
    """A kind of work, by its code in the taxonomy, and how probable it is."""

    code: str = Field(examples=["textiel-wassen"])
    label: str = Field(examples=["wassen en drogen van textiel"])
    probability: float


class ReadStepOut(Out):
    """One piece of work that was read in a text."""

    text: str
    activities: list[ActivityOut]


class WordOut(Out):
    """A word that carried the match, and its part of the similarity."""

    word: str
    weight: float


class RankedOffer(Out):
    """An offer, how probable it suits, and the words on both sides that say so."""

    offer_id: str
    company_id: str | None
    company: str | None = Field(description="name; null for offers that were sent along")
    text: str
    score: float
    probability: float
    step: str = Field(description="the piece of the text that the offer suits best")
    need_words: list[WordOut]
    offer_words: list[WordOut]


class MatchResult(Out):
    """What was understood of the text, and the offers, best first."""

    model_config = example(
        language="nl",
        fit=0.98,
        fits=True,
        steps=[
            {
                "text": "onze luiers wast en plooit",
                "activities": [
                    {
                        "code": "textiel-wassen",
                        "label": "wassen en drogen van textiel",
                        "probability": 0.91,
                    }
                ],
            }
        ],
        unasked=[],
        offers=[
            {
                "offer_id": EXAMPLE_ID,
                "company_id": EXAMPLE_ID,
                "company": "Wasserij Het Blauwe Laken",
                "text": "Industriële wasserij met ophaling",
                "score": 2.1,
                "probability": 0.93,
                "step": "onze luiers wast en plooit",
                "need_words": [{"word": "wast", "weight": 0.31}],
                "offer_words": [{"word": "wasserij", "weight": 0.35}],
            }
        ],
        encoder="1f0c6d0b9a1e4c55",
    )

    language: str
    fit: float = Field(description="probability that there is work in it for a company")
    fits: bool
    steps: list[ReadStepOut]
    unasked: list[ReadStepOut] = Field(
        description="work the text tells of without asking for it: perhaps work for a company too"
    )
    offers: list[RankedOffer]
    encoder: str = Field(description="identity of the model that encoded the texts")
