"""Handing over what is due: several connections side by side, every outcome kept at once."""

import logging
import queue
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import InterfaceError, OperationalError

from api.mail import mime
from api.mail.smtp import Connection, Refused, TryLater, Unreachable
from api.runtime import Runtime
from api.services import outbox
from api.services.desk import WORKER, Desk
from api.services.outbox import Outcome, Result
from api.worker.recorder import Recorder
from models import now

log = logging.getLogger("maatmatch.worker")

BATCH = 1000  # messages in hand at most: what one process keeps in memory
AHEAD = timedelta(seconds=1.5)  # how long before its moment a message is made ready
FIRST_REST = 2.0  # seconds without new tries after the mail server could not be reached
LONGEST_REST = 60.0
IDLE_CONNECTION = 20.0  # seconds an unused connection stays open


@dataclass(frozen=True)
class Prepared:
    """A mail as it goes over the wire at its moment."""

    id: str
    due_at: datetime
    sender: str
    to: str
    mail: bytes


class Delivery:
    """Claims, prepares and hands over, between `start` and `stop`; also a context manager."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime, self._name = runtime, name
        self._todo: queue.Queue[Prepared | None] = queue.Queue()
        self._in_hand: dict[str, Prepared] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._open = 0  # connections that work at this moment
        self._rest, self._rest_until = FIRST_REST, 0.0
        self._recorder = Recorder(runtime, self._recorded)
        self._senders = [
            threading.Thread(target=self._send, name=f"smtp-{number}", daemon=True)
            for number in range(runtime.settings.smtp_connections)
        ]

    def __enter__(self) -> "Delivery":
        self._recorder.start()
        for sender in self._senders:
            sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the mails that are on the wire, give the others back."""
        self._stopping.set()
        self._recorder.hurry()
        for _number in self._senders:
            self._todo.put(None)
        for sender in self._senders:
            sender.join()
        self._recorder.stop()
        try:
            self.give_back()
        except (OperationalError, InterfaceError):
            log.error("leases_not_given_back")  # they end by themselves

    @property
    def in_hand(self) -> int:
        """How many messages are claimed and not yet recorded."""
        return len(self._in_hand)

    @property
    def resting(self) -> bool:
        """Whether the mail server could not be reached a moment ago."""
        return time.monotonic() < self._rest_until

    @property
    def ready(self) -> bool:
        """Whether it makes sense to claim more now."""
        return self.in_hand <= BATCH // 2 and not self.resting and self._recorder.healthy

    def take(self) -> int:
        """Claim what is due or nearly so, as far as there is room, and make it ready.

        Returns how many were claimed. Raises DBAPIError when the database does not answer.
        """
        room = BATCH - self.in_hand
        if not self.ready:
            return 0
        with self._lock:
            in_hand = list(self._in_hand)
        with self._runtime.sessions.begin() as session:
            desk = Desk(session, self._runtime, WORKER)
            claimed = outbox.claim(desk, self._name, room, ahead=AHEAD, in_hand=in_hand)
        settings = self._runtime.settings
        for message in claimed:
            try:
                prepared = Prepared(
                    message.id,
                    message.due_at,
                    mime.return_path(message, settings),
                    message.to_email,
                    mime.write(message, settings),
                )
            except mime.Unwritable as error:
                outcome = Outcome(message.id, Result.REFUSED, str(error), now())
                self._recorder.put(outcome, wait=False)
                continue
            with self._lock:
                self._in_hand[message.id] = prepared
            self._todo.put(prepared)
        return len(claimed)

    def renew(self) -> None:
        """Keep the leases of what is in hand; what is no longer ours is dropped."""
        with self._lock:
            ids = set(self._in_hand)
        if not ids:
            return
        with self._runtime.sessions.begin() as session:
            kept = outbox.renew(Desk(session, self._runtime, WORKER), self._name, ids)
        with self._lock:
            for lost in ids - kept:
                self._in_hand.pop(lost, None)

    def give_back(self, ids: set[str] | None = None) -> None:
        """End the leases of what was not tried: these, or everything in hand."""
        with self._lock:
            ids = set(self._in_hand) if ids is None else ids & set(self._in_hand)
            for each in ids:
                del self._in_hand[each]
        if ids:
            with self._runtime.sessions.begin() as session:
                outbox.give_back(Desk(session, self._runtime, WORKER), self._name, ids)

    def _recorded(self, outcomes: list[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                self._in_hand.pop(outcome.id, None)

    def _send(self) -> None:
        connection = Connection(self._runtime.settings)
        while not self._stopping.is_set():
            try:
                prepared = self._todo.get(timeout=IDLE_CONNECTION)
            except queue.Empty:
                self._close(connection)
                continue
            if prepared is None:
                break
            try:
                self._hand_over(connection, prepared)
            except Exception:
                log.exception("hand_over_broke")
                self._close(connection)
        self._close(connection)

    def _hand_over(self, connection: Connection, prepared: Prepared) -> None:
        was_open = connection.is_open
        try:
            connection.open()
            self._count(was_open, connection)
            was_open = True
            if not self._wait_for(prepared):
                return
            words = connection.hand_over(prepared.sender, prepared.to, prepared.mail)
            result = Result.TAKEN
        except Unreachable as error:
            self._count(was_open, connection)
            self._unreachable(prepared, str(error))
            return
        except TryLater as error:
            words, result = str(error), Result.LATER
        except Refused as error:
            words, result = str(error), Result.REFUSED
        self._count(was_open, connection)
        self._rest = FIRST_REST
        self._recorder.put(Outcome(prepared.id, result, words, now()))

    def _wait_for(self, prepared: Prepared) -> bool:
        """Wait for the release moment; False when this mail is not to be handed over now.

        In short naps, so that a clock that is set meanwhile is noticed: set back, the moment
        may be hours away, and other mail may not wait behind it.
        """
        while (left := prepared.due_at - now()) > timedelta(0):
            if left > 2 * AHEAD:
                self.give_back({prepared.id})
                return False
            if self._stopping.wait(min(left.total_seconds(), 0.25)):
                return False
        return prepared.id in self._in_hand and not self._stopping.is_set()

    def _unreachable(self, prepared: Prepared, error: str) -> None:
        with self._lock:
            others = self._open > 0
        if others:
            # The server allows fewer connections than we would like: the others go on.
            self._todo.put(prepared)
            self._stopping.wait(LONGEST_REST / 2 if self._todo.qsize() else FIRST_REST)
            return
        with self._lock:
            if time.monotonic() >= self._rest_until:
                log.error("mail_server_unreachable", extra={"error": error, "seconds": self._rest})
                self._rest_until = time.monotonic() + self._rest
                self._rest = min(self._rest * 2, LONGEST_REST)
        while True:
            try:
                self._todo.get_nowait()
            except queue.Empty:
                break
        self.give_back()

    def _count(self, was_open: bool, connection: Connection) -> None:
        with self._lock:
            self._open += connection.is_open - was_open

    def _close(self, connection: Connection) -> None:
        was_open = connection.is_open
        connection.close()
        self._count(was_open, connection)
