"""Error pages: what went wrong and what to do, in the visitor's language."""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.errors import Problem
from api.pages import words
from api.pages.visit import frame_of, remember_language
from api.rendering import render
from api.services.signin import safe_path
from api.web import get_language


def problem_page(
    request: Request, problem: Problem, headers: dict[str, str] | None = None
) -> Response:
    """The problem as a page; someone who is not signed in gets the sign-in form on it."""
    language = get_language(request)
    came_from = urlsplit(request.headers.get("referer", ""))
    back = safe_path(came_from.path) if came_from.netloc == request.url.netloc else ""
    wanted = request.url.path if request.method == "GET" else back
    after = problem.values.get("next")  # what somebody reads after signing in
    page = render(
        "error.html",
        language,
        **frame_of(request, language, None),
        problem=problem,
        heading=words.heading(language, problem.status),
        sentence=words.problem(language, problem),
        again=problem.values.get("again", ""),
        sign_in=problem.status == 401 or bool(after),
        back=back if back and back != request.url.path else "",
        next=safe_path(str(after or wanted or "/")),
    )
    response = HTMLResponse(page, problem.status, headers)
    remember_language(request, response)
    return response
