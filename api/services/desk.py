"""The desk a service works at: the session, what is running, who asks, and the moment."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from api.runtime import Runtime
from models import now

BRUSSELS = ZoneInfo("Europe/Brussels")


@dataclass(frozen=True)
class Actor:
    """Who does something: a person, a machine in a person's name, a personal link, a process.

    `name` is what the audit trail keeps: a person's id, or `worker`, `import`, `lead:<id>`.
    `scopes` is None for people; for API tokens the scopes they were given.
    """

    name: str
    person_id: str | None = None
    email: str = ""
    language: str = "nl"
    hubs: frozenset[str] = frozenset()
    firms: frozenset[str] = frozenset()
    companies: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None


NOBODY = Actor("nobody")
WORKER = Actor("worker")
IMPORT = Actor("import")


@dataclass(frozen=True)
class Desk:
    """`at` is taken once, so that everything in one transaction bears the same moment."""

    session: Session
    runtime: Runtime
    actor: Actor = NOBODY
    at: datetime = field(default_factory=now)

    @property
    def today(self) -> date:
        """The day in Brussels, which is what people mean by a day."""
        return self.at.astimezone(BRUSSELS).date()

    def as_actor(self, actor: Actor) -> "Desk":
        return replace(self, actor=actor)
