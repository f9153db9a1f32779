"""What time brings, from late joiners to nudges. Once a minute, beside the mail."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from imaplib import IMAP4

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from api.mail import bounces
from api.runtime import Runtime
from api.services import (
    certificates,
    closing,
    digests,
    nudges,
    profile_mails,
    retention,
    unreached,
    vectors,
)
from api.services.desk import WORKER, Desk

log = logging.getLogger("maatmatch.worker")

EVERY = 60.0  # seconds
FEW = 64  # offers encoded in one transaction
_LOCK = 4_207_013_586  # any number, the same in every process, nobody else's


# What to look for (only reads), and what to do with each that is found, in its own transaction.
_TIMELY: tuple[tuple[Callable[[Desk], Sequence[str]], Callable[[Desk, str], object]], ...] = (
    (unreached.waiting, unreached.bring),
    (digests.waiting, digests.gather),
    (nudges.undecided, nudges.nudge),
    (nudges.unasked, nudges.follow_up),
    (certificates.ending, certificates.remind),
    (profile_mails.due, profile_mails.remind),
    (retention.expired, retention.anonymise),
    (retention.outdated, retention.tidy),
)


class Chores(threading.Thread):
    """In a thread of its own: work that takes long may not delay a release."""

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        super().__init__(name="chores", daemon=True)
        self._runtime, self._stopping = runtime, stopping

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.run_once()
                if self._runtime.settings.imap_url:
                    bounces.fetch(self._runtime)
            except (OperationalError, InterfaceError) as error:
                log.error("database_unavailable", extra={"error": str(error.orig).strip()[:300]})
            except (OSError, IMAP4.error) as error:
                log.error("return_mailbox_unreachable", extra={"error": str(error)[:300]})
            except Exception:
                log.exception("chores_broke")
            self._stopping.wait(EVERY)

    def run_once(self) -> None:
        """Everything that is due, once. Raises DBAPIError when the database does not answer.

        Each broadcast in a transaction of its own, and only when it needs one: judging all
        companies anew takes a while, and on SQLite everybody else who writes would wait.
        """
        self._encode_offers()
        with self._reading() as session:
            ids = closing.open_ones(Desk(session, self._runtime, WORKER))
        for broadcast_id in ids:
            if self._stopping.is_set():
                return
            with self._reading() as session:
                due = closing.is_due(Desk(session, self._runtime, WORKER), broadcast_id)
            if due:
                with self._runtime.sessions.begin() as session:
                    if _alone(session):
                        closing.attend(Desk(session, self._runtime, WORKER), broadcast_id)
        for find, act in _TIMELY:
            with self._reading() as session:
                ids = find(Desk(session, self._runtime, WORKER))
            for each in ids:
                if self._stopping.is_set():
                    return
                with self._runtime.sessions.begin() as session:
                    if _alone(session):
                        act(Desk(session, self._runtime, WORKER), each)

    def _encode_offers(self) -> None:
        """Store vectors of new and changed offers; a few at a time, others write too."""
        while not self._stopping.is_set():
            with self._reading() as session:
                desk = Desk(session, self._runtime, WORKER)
                if not vectors.stale_offers(desk, self._runtime.ranker.encoder):
                    return
            with self._runtime.sessions.begin() as session:
                if not _alone(session):
                    return  # another process is at it; both would keep the same vectors
                vectors.refresh_vectors(Desk(session, self._runtime, WORKER), most=FEW)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self._runtime.sessions(autoflush=False) as session:
            session.connection(execution_options={"read_only": True})
            yield session


def _alone(session: Session) -> bool:
    """Whether no other process does the chores now; two would remind everybody twice.

    SQLite needs no such lock: its transactions already wait for each other.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}))
