"""What every route and page depends on: runtime, one transaction per request, who asks."""

import hmac
import logging
from collections.abc import Iterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Form, Request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from api.errors import NotAllowed, NotSignedIn
from api.i18n import choose_language
from api.runtime import Runtime
from api.services import people, signin
from api.services.desk import NOBODY, Actor, Desk
from models import BrowserSession

log = logging.getLogger("maatmatch")

COOKIE = "maatmatch_session"
LANGUAGE_COOKIE = "maatmatch_language"


def get_runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def get_session(runtime: Annotated[Runtime, Depends(get_runtime)]) -> Iterator[Session]:
    """One transaction per request, committed before the response is sent.

    With the default scope the commit would follow the response, and a commit that fails would
    still have shown the browser a success.
    """
    with runtime.sessions.begin() as session:
        yield session


RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
SessionDep = Annotated[Session, Depends(get_session, scope="function")]


class SignedIn:
    """The person behind a page request: actor and browser session, or nobody."""

    def __init__(self, actor: Actor = NOBODY, session: BrowserSession | None = None) -> None:
        self.actor, self.session = actor, session

    @property
    def csrf(self) -> str:
        return self.session.csrf if self.session else ""


def get_signed_in(request: Request, session: SessionDep, runtime: RuntimeDep) -> SignedIn:
    """Who the session cookie speaks for."""
    cookie = request.cookies.get(COOKIE)
    desk = Desk(session, runtime)
    found = signin.session_of(desk, cookie) if cookie else None
    if found is None:
        return SignedIn()
    browser, person = found
    return SignedIn(people.actor_of(desk, person), browser)


SignedInDep = Annotated[SignedIn, Depends(get_signed_in)]


def get_page_desk(session: SessionDep, runtime: RuntimeDep, signed_in: SignedInDep) -> Desk:
    """The desk of a page anyone may open."""
    return Desk(session, runtime, signed_in.actor)


def get_member_desk(session: SessionDep, runtime: RuntimeDep, signed_in: SignedInDep) -> Desk:
    """The desk of a page for people who are signed in. Raises NotSignedIn."""
    if signed_in.session is None:
        raise NotSignedIn("sign_in_first", "sign in first")
    return Desk(session, runtime, signed_in.actor)


def check_csrf(signed_in: SignedInDep, csrf: Annotated[str, Form()] = "") -> None:
    """A form of a signed-in person must carry the token of that person's session."""
    if signed_in.session and not hmac.compare_digest(csrf.encode(), signed_in.csrf.encode()):
        raise NotAllowed("bad_csrf", "this form is too old; go back, reload and send it again")


def only_read(session: Session) -> None:
    """Say, before anything is asked, that this transaction writes nothing.

    On SQLite it then takes no write lock and waits for no writer.
    """
    session.connection(execution_options={"read_only": True})


def get_token_desk(
    request: Request, session: SessionDep, runtime: RuntimeDep, afterwards: BackgroundTasks
) -> Desk:
    """The desk of an API request with `Authorization: Bearer <token>`. Raises NotSignedIn."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise NotSignedIn("token_missing", "send an API token: Authorization: Bearer mm_...")
    if request.method == "GET":
        only_read(session)
    desk = Desk(session, runtime)
    actor, token = signin.actor_by_token(desk, secret.strip())
    if not signin.is_noted(desk, token):
        afterwards.add_task(_note_use, runtime, token.id)
    return desk.as_actor(actor)


def _note_use(runtime: Runtime, token_id: str) -> None:
    """After the answer: a request that only reads waits for no writer, and none fails for it."""
    try:
        with runtime.sessions.begin() as session:
            signin.note_use(Desk(session, runtime), token_id)
    except OperationalError:
        log.warning("use_of_token_not_noted")


def get_language(request: Request) -> str:
    """The language to answer in: ?lang=, the cookie, the browser's, else Dutch."""
    return choose_language(
        request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language", ""),
    )


PageDesk = Annotated[Desk, Depends(get_page_desk)]
MemberDesk = Annotated[Desk, Depends(get_member_desk)]
TokenDesk = Annotated[Desk, Depends(get_token_desk)]
LanguageDep = Annotated[str, Depends(get_language)]
Csrf = Depends(check_csrf)
