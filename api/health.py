"""Health (is the process alive) and readiness (can it do its work)."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.runtime import Runtime
from api.services import delays
from api.services.desk import Desk
from api.services.doctor import LEAST_DISK, free_space, require_writable
from api.web import RuntimeDep
from models import schema

router = APIRouter(include_in_schema=False)


@router.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/health/ready")
def ready(runtime: RuntimeDep, response: Response) -> dict[str, Any]:
    """503 with what is wrong when the database does not answer or lacks migrations."""
    checks: dict[str, str] = {}
    try:
        with runtime.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        present, newest = schema.present_revision(runtime.engine), schema.newest_revision()
        checks["database"] = "ok" if present == newest else f"at {present}, needs {newest}"
    except Exception as error:
        checks["database"] = type(error).__name__
    try:
        checks["encoder"] = "ok" if runtime.ranker.encoder.identity else "no identity"
    except Exception as error:
        checks["encoder"] = str(error)
    ok = all(value == "ok" for value in checks.values())
    # A database that may only be read, late mail and a disk nearly full are told, and no reason to
    # be taken out of service: nothing is lost, and all can still be read.
    if checks["database"] == "ok":
        checks["writing"] = _writing(runtime)
    try:
        with runtime.sessions() as session:
            session.connection(execution_options={"read_only": True})
            delay = delays.present(Desk(session, runtime))
        checks["mail"] = f"{delay.count} late since {delay.since.isoformat()}" if delay else "ok"
    except Exception as error:
        checks["mail"] = type(error).__name__
    free = free_space(runtime.settings)
    checks["disk"] = "ok" if free is None or free > LEAST_DISK else f"{free // 2**20} MB free"
    response.status_code = 200 if ok else 503
    return {"status": "ok" if ok else "not ready", **checks}


def _writing(runtime: Runtime) -> str:
    """ "ok", or what the database says to somebody who wants to write."""
    try:
        with runtime.sessions() as session:
            require_writable(session)
    except DBAPIError as error:
        return str(error.orig).partition("\n")[0]
    return "ok"
