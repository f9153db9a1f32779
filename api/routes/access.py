"""Who may call a route, in which language it answers, and which errors it can give."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.i18n import choose_language
from api.idempotency import IdempotentRoute
from api.schemas.base import EXAMPLE_ID, ID_PATTERN
from api.services import authorisation
from api.services.desk import Desk
from api.web import TokenDesk

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token (`mm_...`), made on the page of your account, with scopes.",
)


def _bearer_in_document(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Names the security scheme in the OpenAPI document; TokenDesk checks the token itself."""


def _with_scope(scope: str, *or_else: str) -> Any:
    """The desk of a token that holds this scope, or one of the others."""

    def desk_with_scope(
        desk: TokenDesk, _shown: Annotated[None, Depends(_bearer_in_document)]
    ) -> Desk:
        held = desk.actor.scopes or frozenset()
        if held.isdisjoint(or_else):
            authorisation.require_scope(desk.actor, scope)
        return desk

    return Depends(desk_with_scope)


def _any_token(desk: TokenDesk, _shown: Annotated[None, Depends(_bearer_in_document)]) -> Desk:
    return desk


AnyToken = Annotated[Desk, Depends(_any_token)]
NeedsRead = Annotated[Desk, _with_scope("needs:read")]
NeedsWrite = Annotated[Desk, _with_scope("needs:write")]
BroadcastsRead = Annotated[Desk, _with_scope("broadcasts:read")]
BroadcastsWrite = Annotated[Desk, _with_scope("broadcasts:write")]
LeadsRead = Annotated[Desk, _with_scope("leads:read")]
LeadsWrite = Annotated[Desk, _with_scope("leads:write")]
CompaniesRead = Annotated[Desk, _with_scope("companies:read")]
CompaniesWrite = Annotated[Desk, _with_scope("companies:write")]
CollaborationsRead = Annotated[Desk, _with_scope("needs:read", "leads:read")]
CollaborationsWrite = Annotated[Desk, _with_scope("needs:write", "leads:write")]
HubsRead = Annotated[Desk, _with_scope("hubs:read")]
WebhooksRead = Annotated[Desk, _with_scope("webhooks:read")]
WebhooksWrite = Annotated[Desk, _with_scope("webhooks:write")]
HubsWrite = Annotated[Desk, _with_scope("hubs:write")]

PathId = Annotated[str, Path(pattern=ID_PATTERN, examples=[EXAMPLE_ID])]


def get_words(
    request: Request,
    lang: Annotated[
        Literal["nl", "fr", "en"] | None,
        Query(description="language of texts; else Accept-Language, else Dutch"),
    ] = None,
) -> str:
    return choose_language(lang, request.headers.get("accept-language", ""))


Lang = Annotated[str, Depends(get_words)]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:maatmatch:problem:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong and what to do"},
        "code": {"type": "string", "description": "stable; decide on this"},
        "field": {"type": "string", "description": "the field that is wrong, if one is"},
    },
}
_MEANINGS = {
    400: ("unreadable", "The body cannot be read: it is not UTF-8 or not JSON."),
    401: ("token_missing", "No API token, or it is unknown, revoked or expired."),
    403: ("missing_scope", "The token lacks the scope, or the role may not do it."),
    404: ("need_not_found", "There is no such thing, or it is not yours."),
    409: ("wrong_state", "The present state does not allow it."),
    413: ("too_long", "The body or a text in it is too large."),
    422: ("bad_request", "A field is missing or breaks a rule; `field` names it."),
    429: ("too_many", "Too many requests; wait as Retry-After says."),
    503: ("database_unavailable", "The database does not answer; try again."),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of the errors a route can give, as application/problem+json."""
    return {status: _documented(status, *_MEANINGS[status]) for status in statuses}


def _documented(status: int, code: str, detail: str) -> dict[str, Any]:
    example = {
        "type": f"urn:maatmatch:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "code": code,
    }
    content = {"application/problem+json": {"schema": _PROBLEM, "example": example}}
    return {"description": detail, "content": content}


LISTED = problems(401, 403, 422, 503)  # GET of a list
FOUND = problems(401, 403, 404, 422, 503)  # GET of one thing
WRITTEN = problems(400, 401, 403, 404, 409, 413, 422, 503)  # POST, PUT, PATCH, DELETE


def noun(tag: str) -> APIRouter:
    """The router of one noun; repeats of a POST with the same key are answered as before."""
    return APIRouter(tags=[tag], route_class=IdempotentRoute)
