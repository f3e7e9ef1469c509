"""Notice a worker that is alive and takes nothing: jobs wait, slots are free, none is fetched.

Each pump looks for jobs at least every few seconds, so this should never be. Should it be all the
same (a connection that says nothing, a wake-up that never comes), it is said loudly, the
connections are made anew, and where that does not help this process says that it is not ready.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import structlog

from framework.errors import FrameworkError, KeyTypeError
from framework.store.line_look import LineLook, look_at_line
from framework.store.store import Store
from framework.worker.pump import Pump
from framework.worker.worker import Worker

log = structlog.get_logger("framework.worker")

# The longest between two looks, and how many there are at least before anything is done.
LOOK_SECONDS = 5.0
LOOKS = 3
# A look that comes so much too late says more of this process than of its queues.
LATE_SECONDS = 1.0
# No call failed for so long, and this one came through: Redis is back, though no worker asks.
QUIET_SECONDS = 20.0
# Stuck for so many times the patience: making connections anew did not help.
TOO_LONG = 2


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one pump at one time.

    Attributes:
        at: When, in seconds.
        fetched: How many jobs it has ever fetched.
        answered: How many calls that asked for jobs have come back.
        calls: How many are under way.
        head: Who is next in line.
    """

    at: float
    fetched: int
    answered: int
    calls: int
    head: str


def starves_since(before: Sight | None, now: Sight) -> Sight:
    """Return since when nothing moves, of a worker with room for jobs that it could take.

    Where its calls come back and others are next in line each time, its peers are quicker.
    """
    if before is None or now.fetched != before.fetched:
        return now
    return now if now.answered != before.answered and now.head != before.head else before


def reason_of(since: Sight, now: Sight) -> str:
    """Say why a worker seems to fetch nothing."""
    if now.answered != since.answered:
        return "its calls come back without a job"
    return "its call has had no answer" if now.calls else "nothing woke it"


@dataclass(slots=True)
class Watched:
    """What the watchdog keeps of one worker.

    Attributes:
        line: What the last look at its queue showed; None: it could not be looked at.
        since: Since when it starves, if it does.
        warnings: How often that was said.
    """

    worker: Worker
    line: LineLook | None = None
    since: Sight | None = None
    warnings: int = 0
    fetched: int = -1

    @property
    def pump(self) -> Pump:
        """The pump of the worker."""
        return self.worker.pump


@dataclass(slots=True)
class Watchdog:
    """Watches the workers of one process.

    Args:
        store: Where the queues are.
        workers: All of them.
        patience: Seconds that one may starve until its connections are made anew, and again
            until it counts as stuck.
        looks_always: Look at queues whose workers need nothing too, for those who ask.
        on_stuck: Called once when the first is stuck.
    """

    store: Store
    workers: Sequence[Worker]
    patience: float
    looks_always: bool = False
    on_stuck: Callable[[], None] = lambda: None
    watched: dict[str, Watched] = field(init=False)

    def __post_init__(self) -> None:
        self.watched = {one.keys.queue: Watched(one) for one in self.workers}

    def is_stuck(self, queue: str) -> bool:
        """Tell whether a worker starves although its connections were made anew."""
        return self.watched[queue].warnings >= TOO_LONG

    async def look(self) -> dict[str, LineLook | None]:
        """Look at each queue once, for somebody who asks.

        Raises:
            RedisUnavailableError: No answer.
            RedisRefusedError: Redis refuses.
        """
        lines: dict[str, LineLook | None] = {}
        for name, one in self.watched.items():
            try:
                lines[name] = await self._line_of(one.worker)
            except KeyTypeError as error:  # of this queue alone
                self.store.outage.begin(error)
                lines[name] = None
        return lines

    async def _line_of(self, worker: Worker) -> LineLook:
        limiter = worker.work.spec.limiter
        most = limiter.max if limiter else None
        return await look_at_line(self.store, worker.keys, self.store.clock.now_ms(), most)

    async def run(self) -> None:
        """Watch until cancelled."""
        pause = min(LOOK_SECONDS, self.patience / LOOKS)
        due = anyio.current_time()
        while True:
            is_late = anyio.current_time() > due + LATE_SECONDS
            for one in self.watched.values():
                if is_late:
                    self._forget(one)
                await self._look_at(one)
            due = anyio.current_time() + pause
            await anyio.sleep(pause)

    async def _look_at(self, one: Watched) -> None:
        pump, fetched = one.pump, one.pump.fetched
        needs_none = not pump.is_hungry or fetched != one.fetched
        one.fetched = fetched
        if needs_none:
            self._forget(one)
        if needs_none and not self.looks_always:
            one.line = None
            return
        try:
            one.line = await self._line_of(one.worker)
        except FrameworkError as error:
            self.store.outage.begin(error)
            one.line = None
        else:
            self.store.outage.end_after(QUIET_SECONDS)
        # While this looked it may have fetched, or stopped.
        takes_none = pump.is_hungry and pump.fetched == fetched
        if needs_none or not takes_none or one.line is None or not one.line.is_takeable:
            self._forget(one)
        else:
            await self._judge(one, one.line)

    def _forget(self, one: Watched) -> None:
        if one.warnings:
            log.info("jobs are taken again, or none can be", queue=one.pump.keys.queue)
        one.since, one.warnings = None, 0

    async def _judge(self, one: Watched, line: LineLook) -> None:
        pump = one.pump
        now = Sight(anyio.current_time(), pump.fetched, pump.answered, pump.calls, line.head)
        since = starves_since(one.since, now)
        if since is not one.since:
            self._forget(one)
            one.since = since
        if now.at - since.at < self.patience * (one.warnings + 1):
            return
        one.warnings += 1
        log.error(
            "jobs wait and slots are free, but nothing is fetched: connections are made anew",
            queue=pump.keys.queue,
            why=reason_of(since, now),
            seconds=round(now.at - since.at, 1),
            waiting=line.waiting,
            running=one.worker.running,
            next_job=line.head,
        )
        await self.store.recycle()
        for watched in self.watched.values():
            watched.pump.look()
        if one.warnings == TOO_LONG:
            log.critical("the worker is stuck: this process is not ready", queue=pump.keys.queue)
            self.on_stuck()
