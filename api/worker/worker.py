"""The loop: wakes for the next due message, hands over, and every minute does the chores."""

import logging
import threading
import time

from sqlalchemy.exc import InterfaceError, OperationalError

from api.runtime import Runtime
from api.services import outbox
from api.services.desk import WORKER, Desk
from api.worker import identity, webhooks
from api.worker.chores import Chores
from api.worker.delivery import AHEAD, Delivery
from models import now

log = logging.getLogger("maatmatch.worker")

POLL = 0.5  # seconds between two looks into the outbox
BUSY_POLL = 0.05  # while there is more in the outbox than in hand
RENEW = 15.0  # seconds between two renewals of leases
LONGEST_WAIT = 15.0  # seconds between two tries while the database does not answer
JUMP = 5.0  # seconds by which the clock may differ from its own pace before we say so


class Worker:
    """One per process; runs in a thread of `serve`, or alone in `maatmatch worker`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.name = identity.new_name()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let `run` finish what is on the wire and return."""
        self._stopping.set()

    def run(self) -> None:
        """Deliver until `stop`; outages of database or mail server are waited out."""
        log.info("worker_started", extra={"worker": self.name})
        chores = Chores(self._runtime, self._stopping)
        chores.start()
        sender = webhooks.Sender(self._runtime, self._stopping)
        sender.start()
        with Delivery(self._runtime, self.name) as delivery:
            self._loop(delivery)
        chores.join()
        sender.join()
        log.info("worker_stopped", extra={"worker": self.name})

    def run_once(self) -> int:
        """Do the chores, deliver everything that is due now; returns how many were taken up."""
        Chores(self._runtime, self._stopping).run_once()
        webhooks.send_due(self._runtime)
        self._free_the_dead()
        taken = 0
        with Delivery(self._runtime, self.name) as delivery:
            while not delivery.resting and (number := delivery.take()) + delivery.in_hand:
                taken += number
                time.sleep(0.01)
        return taken

    def _loop(self, delivery: Delivery) -> None:
        wait, failing, freed = 0.0, False, False
        renew_at = time.monotonic() + RENEW
        offset = time.time() - time.monotonic()
        while not self._stopping.wait(wait):
            pace = time.time() - time.monotonic()
            if abs(pace - offset) > JUMP:
                log.warning("clock_jumped", extra={"seconds": round(pace - offset)})
            offset = pace
            try:
                if not freed:
                    self._free_the_dead()
                    freed = True
                if time.monotonic() >= renew_at:
                    renew_at = time.monotonic() + RENEW
                    delivery.renew()
                wait = BUSY_POLL if self._look(delivery) or delivery.in_hand else POLL
                if failing:
                    log.warning("database_back")
                    failing = False
            except (OperationalError, InterfaceError) as error:
                if not failing:
                    log.error(
                        "database_unavailable", extra={"error": str(error.orig).strip()[:300]}
                    )
                failing, wait = True, min(max(wait, POLL) * 2, LONGEST_WAIT)
            except Exception:
                log.exception("worker_loop_broke")
                wait = LONGEST_WAIT

    def _look(self, delivery: Delivery) -> int:
        """Claim only when something is due: a look that finds nothing locks nothing."""
        if not delivery.ready:
            return 0
        with self._runtime.sessions() as session:
            session.connection(execution_options={"read_only": True})
            due_at = outbox.next_due(Desk(session, self._runtime, WORKER))
        return delivery.take() if due_at is not None and due_at <= now() + AHEAD else 0

    def _free_the_dead(self) -> None:
        """Take over at once what a worker on this machine had in hand when it was killed."""
        with self._runtime.sessions.begin() as session:
            desk = Desk(session, self._runtime, WORKER)
            for name in outbox.holders(desk):
                if identity.is_dead(name):
                    log.warning("worker_was_killed", extra={"worker": name})
                    outbox.give_back(desk, name)
