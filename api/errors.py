"""Errors a caller can act on: each carries its HTTP status and a stable code."""

from typing import Any


class Misconfigured(Exception):
    """The environment does not allow a start; the message says what to set."""


class Problem(Exception):
    """Something the caller asked cannot be done; rendered as problem+json or as a page.

    `code` is stable and translatable; `values` fill the translated sentence.
    """

    status = 400

    def __init__(self, code: str, detail: str, **values: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.values = code, detail, values


class Invalid(Problem):
    """What was sent breaks a rule. `values["field"]` names the field, where there is one."""

    status = 422


class NotSignedIn(Problem):
    status = 401


class NotAllowed(Problem):
    status = 403


class NotFound(Problem):
    """There is no such thing, or the caller may not know that there is."""

    status = 404


class Conflict(Problem):
    """The thing has changed meanwhile, or its state does not allow this."""

    status = 409


class Gone(Problem):
    status = 410


class TooLarge(Problem):
    status = 413


class TooMany(Problem):
    status = 429
