"""The application: routes and pages on one runtime, errors as problem+json or as a page."""

import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from api import health, pages, routes
from api.errors import Conflict, Invalid, NotFound, Problem, TooLarge
from api.limits import BodyLimit, RateLimit
from api.pages.errors import problem_page
from api.problems import problem_response
from api.rendering import TEMPLATES
from api.runtime import Runtime
from api.security import SecurityHeaders
from api.worker import Worker
from models.states import IllegalTransition

MOST_ERRORS = 20  # of one request that are told; nobody reads more
log = logging.getLogger("maatmatch")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    runtime: Runtime = app.state.runtime
    worker = Worker(runtime)
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    if runtime.settings.worker:
        thread.start()
    try:
        yield
    finally:
        worker.stop()
        if thread.is_alive():
            thread.join(timeout=30)


def create_app(runtime: Runtime) -> FastAPI:
    """The whole service on this runtime. The caller closes the runtime afterwards."""
    app = FastAPI(
        title="Maatmatch",
        version="1",
        summary="Neutral matching of firms' needs with maatwerkbedrijven",
        description=routes.DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.runtime = runtime
    app.include_router(health.router)
    app.include_router(routes.router)
    app.include_router(pages.router)
    # Compressed; pages are not, for what is secret in them could be guessed from their length.
    static = StaticFiles(directory=TEMPLATES.parent / "static")
    app.mount("/static", GZipMiddleware(static), name="static")
    app.add_middleware(
        SecurityHeaders, secure=runtime.settings.secure, tiles=runtime.settings.tiles_origin
    )
    app.add_middleware(RateLimit, trusted_proxy=runtime.settings.trusted_proxy, answer=_answer)
    app.add_middleware(BodyLimit, answer=_answer)
    _handle_errors(app)
    return app


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    @app.exception_handler(IllegalTransition)
    def _illegal(request: Request, error: IllegalTransition) -> Response:
        return _answer(
            request,
            Conflict("wrong_state", str(error), state=str(error.present)),
        )

    @app.exception_handler(StaleDataError)
    def _stale(request: Request, error: StaleDataError) -> Response:
        return _answer(
            request,
            Conflict("changed_meanwhile", "someone else changed this; reload and try again"),
        )

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            where = f"{first['ctx']['error']} at character {first['loc'][-1]}"
            return _answer(request, Invalid("bad_json", f"the body is no JSON: {where}"))
        field = _field(first["loc"])
        return _answer(
            request,
            Invalid(
                "bad_request",
                f"{field}: {first['msg']}",
                field=field,
                errors=[
                    {"field": _field(each["loc"]), "detail": each["msg"]}
                    for each in error.errors()[:MOST_ERRORS]
                ],
            ),
        )

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        problem: Problem = NotFound("page_not_found", "there is nothing at this address")
        # A form's field over its megabyte is a 400 to whoever reads forms.
        if error.status_code == 413 or "exceeded maximum size" in str(error.detail):
            problem = TooLarge("body_too_large", str(error.detail))
        elif error.status_code == 400:
            problem = Problem("unreadable", "the body cannot be read: send JSON in UTF-8")
        elif error.status_code != 404:
            problem = Problem("http", str(error.detail))
            problem.status = error.status_code
        return _answer(request, problem, dict(error.headers or {}))

    @app.exception_handler(IntegrityError)
    def _taken(request: Request, error: IntegrityError) -> Response:
        return _answer(
            request,
            Conflict(
                "already_there",
                "something with this number, address or external_id is there already; "
                "look it up and change that one",
            ),
        )

    @app.exception_handler(DataError)
    @app.exception_handler(OverflowError)
    def _unkept(request: Request, error: Exception) -> Response:
        # PostgreSQL keeps no NUL in a text; both keep no number of more than 64 bits.
        log.warning("value_not_kept", extra={"path": request.url.path})
        return _answer(
            request,
            Invalid(
                "value_not_kept",
                "a value cannot be kept: a number is too large or a text holds a NUL character",
            ),
        )

    @app.exception_handler(OperationalError)
    def _database(request: Request, error: OperationalError) -> Response:
        log.error("database_unavailable", extra={"error": type(error.orig).__name__})
        problem = Problem(
            "database_unavailable",
            "the database does not answer or its disk is full; nothing was changed, "
            "try again in a minute",
        )
        problem.status = 503
        return _answer(request, problem, {"Retry-After": "60"})

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected_error", exc_info=error, extra={"path": request.url.path})
        problem = Problem("unexpected", "something went wrong here; nothing was changed")
        problem.status = 500
        return _answer(request, problem)


def _field(place: Sequence[str | int]) -> str:
    """Where an error lies, such as `offers.3.text`; names that callers make up are cut."""
    return ".".join(str(part)[:60] for part in place[1:]) or "body"


def _answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """problem+json for machines, a page that says what to do for people."""
    if request.url.path.startswith(("/v1", "/health")):
        return problem_response(problem, headers)
    return problem_page(request, problem, headers)
