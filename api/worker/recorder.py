"""Keeps the outcomes of hand-overs: at once, and together when they come fast."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from api.runtime import Runtime
from api.services import outbox
from api.services.desk import WORKER, Desk
from api.services.outbox import Outcome

log = logging.getLogger("maatmatch.worker")

MOST_TOGETHER = 50  # outcomes in one transaction
LONGEST_WAIT = 15.0  # seconds between two tries while the database does not answer
LAST_CHANCE = 20.0  # seconds for a database that does not answer when the worker stops


class Recorder:
    """One thread with one short transaction at a time, for the outcomes of all connections.

    Each connection waits until its outcome is kept before it takes the next mail: a process
    that is killed has at most one mail per connection that will be handed over again. As long
    as the process lives, an outcome that cannot be kept is tried again.
    """

    def __init__(self, runtime: Runtime, recorded: Callable[[list[Outcome]], None]) -> None:
        self._runtime, self._recorded = runtime, recorded
        self._waiting: queue.Queue[tuple[Outcome, threading.Event] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._stop_by: float | None = None
        self.healthy = True

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """The worker stops: a database that does not answer gets a last chance."""
        self._stop_by = time.monotonic() + LAST_CHANCE

    def stop(self) -> None:
        """Keep what waits, then end. Call `hurry` before, and let the connections finish."""
        self._waiting.put(None)
        self._thread.join()

    def put(self, outcome: Outcome, *, wait: bool = True) -> None:
        """Hand in an outcome, and wait until it is kept."""
        kept = threading.Event()
        self._waiting.put((outcome, kept))
        if wait:
            kept.wait()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            together, ended = [first], False
            while len(together) < MOST_TOGETHER:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                    break
                together.append(following)
            outcomes = [outcome for outcome, _ in together]
            self._keep(outcomes)
            self._recorded(outcomes)
            for _, kept in together:
                kept.set()
            if ended:
                return

    def _keep(self, outcomes: list[Outcome]) -> None:
        wait = 0.2
        while True:
            try:
                with self._runtime.sessions.begin() as session:
                    if session.get_bind().dialect.name == "postgresql":
                        # As SQLite here: a power cut may undo the last notes, and then a mail
                        # goes out again as the same mail. Waiting for the disk after each few
                        # mails would spread a broadcast over many times as long.
                        session.execute(text("SET LOCAL synchronous_commit = off"))
                    outbox.record(Desk(session, self._runtime, WORKER), outcomes)
            except (OperationalError, InterfaceError) as error:
                if self._stop_by is not None and time.monotonic() > self._stop_by:
                    log.error("outcomes_not_kept", extra={"number": len(outcomes)})
                    return
                self._unhealthy(error, len(outcomes))
                time.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            except Exception:
                if len(outcomes) == 1:
                    log.exception("outcome_not_kept")
                    return
                for outcome in outcomes:  # one that cannot be kept may not take the others along
                    self._keep([outcome])
                return
            else:
                if not self.healthy:
                    log.warning("database_back")
                self.healthy = True
                return

    def _unhealthy(self, error: DBAPIError, number: int) -> None:
        if self.healthy:
            log.error(
                "database_unavailable",
                extra={"error": str(error.orig).strip()[:300], "outcomes_waiting": number},
            )
        self.healthy = False
