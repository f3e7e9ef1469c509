"""Renews the locks of running jobs from a thread, so that a blocked loop cannot lose one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from framework.errors import FrameworkError
from framework.model.job import JobId, Token
from framework.store.address import Address
from framework.store.blocking import BlockingStore
from framework.store.transitions.running import EXTEND_LOCKS, MOST_LOCKS, extend_args
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.locks")

WhyLost = Literal["lost", "removed"]
OnLost = Callable[[JobId, Token, WhyLost], None]

# How many renewals fit into the life of a lock: three may fail in a row.
RENEWALS = 4


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one worker holds.

    Attributes:
        keys: Its queue.
        held: Its jobs' tokens. The loop's thread writes it, the keeper only copies it.
        lock_ms: How long its locks hold.
        on_lost: Told of a job that was removed, or whose lock is gone; called in a thread.
        worker: The uuid that its tokens begin with.
    """

    keys: QueueKeys
    held: dict[JobId, Token]
    lock_ms: int
    on_lost: OnLost
    worker: str


class LockKeeper:
    """A thread that renews all locks of a process.

    Args:
        address: Where Redis is.
        holdings: One for each worker.
        is_relieved: Tells whether somebody else renews them for now.
    """

    def __init__(
        self,
        address: Address,
        holdings: list[Holdings],
        is_relieved: Callable[[], bool] = lambda: False,
    ) -> None:
        self._holdings = holdings
        self._seconds = min((one.lock_ms for one in holdings), default=30_000) / 1000 / RENEWALS
        self._address = address
        self._is_relieved = is_relieved
        self._is_stopped = False
        self._roused = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        if self._holdings:
            self._thread.start()

    def take_over(self) -> None:
        """Renew all locks at once: whoever did it is gone."""
        self._roused.set()

    def stop(self) -> None:
        """Stop the thread; it ends after the call that is under way."""
        self._is_stopped = True
        self._roused.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._seconds + 5)

    def _run(self) -> None:
        pause = self._seconds
        with BlockingStore(self._address, seconds=max(0.25, min(5.0, pause))) as store:
            while True:
                self._roused.wait(pause)
                self._roused.clear()
                if self._is_stopped:
                    return
                if self._is_relieved():
                    continue
                failed = [one for one in self._holdings if not self._try_to_renew(store, one)]
                # Each try counts while locks run out.
                pause = self._seconds / 4 if failed else self._seconds

    def _try_to_renew(self, store: BlockingStore, one: Holdings) -> bool:
        try:
            self._renew(store, one)
        except FrameworkError as error:
            log.warning("locks not renewed", queue=one.keys.queue, error=str(error))
            return False
        return True

    def _renew(self, store: BlockingStore, one: Holdings) -> None:
        held = list(one.held.copy().items())
        for first in range(0, len(held), MOST_LOCKS):
            part = held[first : first + MOST_LOCKS]
            lost, gone = store.run(
                EXTEND_LOCKS, one.keys.pick(EXTEND_LOCKS.keys), extend_args(part, one.lock_ms)
            )
            tokens = dict(part)
            whys: list[tuple[list[bytes], WhyLost]] = [(lost, "lost"), (gone, "removed")]
            for raw, why in ((raw, why) for ids, why in whys for raw in ids):
                job_id = JobId(raw.decode())
                # It may have ended while the call was under way; then nothing is lost.
                if one.held.get(job_id) == tokens[job_id]:
                    one.on_lost(job_id, tokens[job_id], why)
