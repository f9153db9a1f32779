"""The caller itself, and its API tokens."""

from datetime import datetime

from api.schemas.base import EXAMPLE_ID, Id, Out, example


class MeOut(Out):
    """For whom this token speaks, and what it may do."""

    model_config = example(
        person_id=EXAMPLE_ID,
        email="cato@hub.example",
        language="nl",
        hubs=[EXAMPLE_ID],
        firms=[],
        companies=[],
        scopes=["needs:read", "needs:write"],
    )

    person_id: Id
    email: str
    language: str
    hubs: list[Id]
    firms: list[Id]
    companies: list[Id]
    scopes: list[str]


class TokenOut(Out):
    """An API token of yours; its secret was shown once, when it was made."""

    model_config = example(
        id=EXAMPLE_ID,
        name="koppeling met ons CRM",
        scopes=["leads:read"],
        created_at="2027-01-02T08:00:00Z",
        expires_at=None,
        used_at=None,
    )

    id: Id
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
