"""Errors for machines: problem+json, RFC 9457."""

import json
from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.errors import Problem


def problem_document(problem: Problem) -> dict[str, Any]:
    """The problem as RFC 9457 writes it; `code` is stable, `detail` is for people."""
    return {
        "type": f"urn:maatmatch:problem:{problem.code}",
        "title": problem.code.replace("_", " "),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **{key: jsonable_encoder(value) for key, value in problem.values.items()},
    }


class ProblemResponse(JSONResponse):
    """What cannot be written in UTF-8 (a field name with half a character) becomes "?"."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    extra = dict(headers or {})
    if problem.status == 401:
        extra["WWW-Authenticate"] = 'Bearer realm="maatmatch"'
    return ProblemResponse(problem_document(problem), problem.status, extra)
