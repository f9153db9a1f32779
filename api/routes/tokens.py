"""The caller itself, and its API tokens. New tokens are made on the page of the account."""

from api.errors import NotSignedIn
from api.routes.access import LISTED, WRITTEN, AnyToken, PathId, noun
from api.schemas.tokens import MeOut, TokenOut
from api.services import signin
from api.services.desk import Desk

router = noun("tokens")


def _person(desk: Desk) -> str:
    if desk.actor.person_id is None:
        raise NotSignedIn("token_missing", "this token speaks for nobody")
    return desk.actor.person_id


@router.get("/me", responses=LISTED)
def read_me(desk: AnyToken) -> MeOut:
    """For whom this token speaks, in which role, with which scopes. Any token."""
    actor = desk.actor
    return MeOut(
        person_id=_person(desk),
        email=actor.email,
        language=actor.language,
        hubs=sorted(actor.hubs),
        firms=sorted(actor.firms),
        companies=sorted(actor.companies),
        scopes=sorted(actor.scopes or ()),
    )


@router.get("/tokens", responses=LISTED)
def list_tokens(desk: AnyToken) -> list[TokenOut]:
    """The tokens of the person this token speaks for, without their secrets. Any token."""
    return [TokenOut.model_validate(each) for each in signin.tokens(desk, _person(desk))]


@router.delete("/tokens/{token_id}", status_code=204, responses=WRITTEN)
def revoke_token(desk: AnyToken, token_id: PathId) -> None:
    """Make one of your tokens worthless, this one included. Any token."""
    signin.revoke_token(desk, token_id)
