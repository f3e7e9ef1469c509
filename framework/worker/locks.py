"""Renews the locks of running jobs from a thread, so that a blocked loop cannot lose one."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Literal

import structlog

from framework.errors import FrameworkError, RedisRefusedError, RedisUnavailableError
from framework.model.job import JobId, Token
from framework.store.address import Address
from framework.store.blocking import BlockingStore
from framework.store.transitions.running import EXTEND_LOCKS, MOST_LOCKS, extend_args
from framework.wire.keys import QueueKeys
from framework.worker.leases import Leases

log = structlog.get_logger("framework.locks")

WhyLost = Literal["lost", "removed", "expired"]
OnLost = Callable[[JobId, Token, WhyLost], None]

# How many renewals fit into the life of a lock: three may fail in a row.
RENEWALS = 4
# How long one renewal may take, and at least has.
MOST_SECONDS = 5.0
LEAST_SECONDS = 0.25
# Which part of the time for which the locks still hold it may take, where that is more.
ONE_TRY = 0.9
# How long it may take to dial while nothing hurries.
DIAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one worker holds.

    Attributes:
        keys: Its queue.
        held: Its jobs' tokens. The loop's thread writes it, the keeper only copies it.
        lock_ms: How long its locks hold.
        on_lost: Told of a job that was removed, or whose lock is gone, or may be; called in a
            thread.
        worker: The uuid that its tokens begin with.
        leases: Until when they are certainly its own; the keeper's.
    """

    keys: QueueKeys
    held: dict[JobId, Token]
    lock_ms: int
    on_lost: OnLost
    worker: str
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leases", Leases(self.lock_ms / 1000, monotonic()))


class LockKeeper:
    """A thread that renews all locks of a process, and gives up those that it cannot renew.

    Args:
        address: Where Redis is.
        holdings: One for each worker.
        is_relieved: Tells whether somebody else renews them for now.
        renewed_at: Tells when that one last did, by ``time.monotonic``.
    """

    def __init__(
        self,
        address: Address,
        holdings: list[Holdings],
        is_relieved: Callable[[], bool] = lambda: False,
        renewed_at: Callable[[], float] = lambda: -inf,
    ) -> None:
        self._holdings = holdings
        self._seconds = min((one.lock_ms for one in holdings), default=30_000) / 1000 / RENEWALS
        self._address = address
        self._is_relieved = is_relieved
        self._renewed_at = renewed_at
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
        with BlockingStore(self._address) as store:
            while True:
                self._roused.wait(pause)
                self._roused.clear()
                if self._is_stopped:
                    return
                pause = self._turn(store)

    def _turn(self, store: BlockingStore) -> float:
        """Renew what is held; return how long to wait until the next time."""
        is_relieved = self._is_relieved()
        for one in self._holdings:
            one.leases.look(one.held.copy(), monotonic())
            one.leases.renewed(self._renewed_at())
        if is_relieved:
            self._stand_by(store)
            return self._seconds
        if self._renew_all(store):
            return self._seconds
        self._give_up_expired()
        # Each try counts while locks run out.
        return min(self._seconds / 4, max(LEAST_SECONDS, self._left))

    def _stand_by(self, store: BlockingStore) -> None:
        """Keep a line open: who takes over from a supervisor has no time to dial."""
        if self._address.kind == "cluster":
            return
        # Whoever renews the locks tells of an outage.
        with suppress(FrameworkError):
            store.ping(max(DIAL_SECONDS, min(MOST_SECONDS, self._seconds)))

    @property
    def _left(self) -> float:
        """For how many seconds all locks certainly hold."""
        return min(one.leases.ends for one in self._holdings) - monotonic()

    def _renew_all(self, store: BlockingStore) -> bool:
        """Try to renew all locks; return whether that worked."""
        are_renewed = True
        for one in self._holdings:
            error = self._try_to_renew(store, one)
            are_renewed = are_renewed and error is None
            if error is None:
                continue
            if not is_away(error):
                one.leases.renewed(monotonic())  # who answers tells of each job what became of it
            elif self._address.kind != "cluster":
                break  # the others would only wait as long, while their locks run out
        return are_renewed

    def _give_up_expired(self) -> None:
        for one in self._holdings:
            expired = one.leases.take_expired(one.held.copy(), monotonic())
            if expired:
                log.error(
                    "locks could not be renewed in time: other workers may have these jobs",
                    queue=one.keys.queue,
                    jobs=len(expired),
                    fix="raise lock_duration if redis is often away for so long",
                )
            for job_id, token in expired:
                one.on_lost(job_id, token, "expired")

    def _try_to_renew(self, store: BlockingStore, one: Holdings) -> FrameworkError | None:
        try:
            self._renew(store, one)
        except FrameworkError as error:
            log.warning("locks not renewed", queue=one.keys.queue, error=str(error))
            return error
        return None

    def _renew(self, store: BlockingStore, one: Holdings) -> None:
        began = monotonic()
        held = list(one.held.copy().items())
        for first in range(0, len(held), MOST_LOCKS):
            part = held[first : first + MOST_LOCKS]
            # Short locks leave time for one try on a slow line, which may have to dial first.
            most = max(self._seconds, self._left * ONE_TRY)
            seconds = max(LEAST_SECONDS, min(MOST_SECONDS, most, self._left))
            lost, gone = store.run(
                EXTEND_LOCKS,
                one.keys.pick(EXTEND_LOCKS.keys),
                extend_args(part, one.lock_ms, at_least=True),
                seconds,
            )
            tokens = dict(part)
            whys: list[tuple[list[bytes], WhyLost]] = [(lost, "lost"), (gone, "removed")]
            for raw, why in ((raw, why) for ids, why in whys for raw in ids):
                job_id = JobId(raw.decode())
                # It may have ended while the call was under way; then nothing is lost.
                if one.held.get(job_id) == tokens[job_id]:
                    one.on_lost(job_id, tokens[job_id], why)
        one.leases.renewed(began)


def is_away(error: FrameworkError) -> bool:
    """Tell whether Redis did not answer at all."""
    return isinstance(error, RedisUnavailableError) and not isinstance(error, RedisRefusedError)
