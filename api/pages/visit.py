"""One page request: who asks, in which language, and the page or redirect they get."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.errors import NotAllowed, NotSignedIn
from api.i18n import LANGUAGES
from api.pages import words
from api.rendering import render
from api.runtime import Runtime
from api.security import EMBEDDABLE
from api.services import delays
from api.services.desk import Desk
from api.web import LANGUAGE_COOKIE, LanguageDep, PageDesk, SignedIn, SignedInDep, get_language

YEAR = 365 * 24 * 3600


class Visit:
    """The desk, the visitor and the language of one page request."""

    def __init__(
        self, request: Request, desk: PageDesk, signed_in: SignedInDep, language: LanguageDep
    ) -> None:
        self.request: Request = request
        self.desk: Desk = desk
        self.signed_in: SignedIn = signed_in
        self.language: str = language

    @property
    def runtime(self) -> Runtime:
        return self.desk.runtime

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A template filled in, with what every page shows around it."""
        frame = frame_of(self.request, self.language, self.signed_in)
        response = HTMLResponse(render(template, self.language, **frame, **context), status)
        remember_language(self.request, response)
        return response

    def mailed(self, template: str, **context: Any) -> HTMLResponse:
        """A page that says to look in the mail, and when mail is late, that too."""
        return self.page(template, delay=delays.present(self.desk), **context)

    def go(self, path: str, done: str = "") -> RedirectResponse:
        """After a form: show `path`, with the notice `done` (a key of words.NOTICES) on top."""
        if done:
            words.notice(self.language, done)
            path, _, mark = path.partition("#")
            path += ("&" if "?" in path else "?") + f"done={done}" + (f"#{mark}" if mark else "")
        return RedirectResponse(path, 303)


VisitDep = Annotated[Visit, Depends()]


def _member(visit: VisitDep) -> Visit:
    if visit.signed_in.session is None:
        raise NotSignedIn("sign_in_first", "sign in first")
    return visit


def _coordinator(visit: VisitDep) -> Visit:
    _member(visit)
    if not visit.desk.actor.hubs:
        raise NotAllowed("coordinators_only", "only coordinators of a hub may open this")
    return visit


MemberVisit = Annotated[Visit, Depends(_member)]
CoordinatorVisit = Annotated[Visit, Depends(_coordinator)]


def frame_of(request: Request, language: str, signed_in: SignedIn | None) -> dict[str, Any]:
    """What the base template needs. `signed_in` None: not known (an error page)."""
    query = [
        (key, value)
        for key, value in request.query_params.multi_items()
        if key not in ("lang", "done")
    ]
    actor = signed_in.actor if signed_in and signed_in.session else None
    done = request.query_params.get("done", "")
    return {
        "me": actor,
        "account_known": signed_in is not None,
        "csrf": signed_in.csrf if signed_in else "",
        "path": request.url.path,
        "base_url": request.app.state.runtime.settings.base_url,
        "language_links": {
            code: f"{request.url.path}?{urlencode([*query, ('lang', code)])}" for code in LANGUAGES
        },
        "known_certificates": request.app.state.runtime.certificates,
        "demo": request.app.state.runtime.settings.demo,
        "notice": words.notice(language, done) if done in words.NOTICES else "",
    }


def remember_language(request: Request, response: Response) -> None:
    """Keep a language chosen with ?lang= for the next pages; not in another site."""
    embedded = request.url.path.startswith(EMBEDDABLE)
    if request.query_params.get("lang") in LANGUAGES and not embedded:
        response.set_cookie(
            LANGUAGE_COOKIE,
            get_language(request),
            max_age=YEAR,
            samesite="lax",
            secure=request.app.state.runtime.settings.secure,
        )
