"""How the process of an application does: told from memory, or looked at anew."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import anyio

from framework.app.builder import Check
from framework.app.checks import Checks
from framework.errors import FrameworkError, RedisUnavailableError
from framework.model.health import Health, QueueHealth, RedisHealth
from framework.store.line_look import LineLook
from framework.store.store import Store
from framework.worker.crew import Crew
from framework.worker.worker import Worker

BEAT_SECONDS = 1.0
# Who asks how things are cannot wait for long.
LOOK_SECONDS = 3.0


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """Return the releases of what a process is made of."""
    return {
        "framework": release_of("framework"),
        "python": platform.python_version(),
        "redis-py": release_of("redis"),
    }


def release_of(distribution: str) -> str:
    """Return an installed release; empty where there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def ago(at: float | None) -> timedelta | None:
    """Return how long ago something was, by ``time.monotonic``."""
    return None if at is None else timedelta(seconds=max(0.0, time.monotonic() - at))


@dataclass(slots=True)
class Vitals:
    """What is known of a process.

    Args:
        store: Its Redis.
        added: The checks that plugins add.
        started: Returns the workers that were started while it runs.

    Attributes:
        crew: The package's workers, while they work.
        is_probed: Whether this process is there for its workers, and somebody asks all the time.
        beat: When the event loop last turned, by ``time.monotonic``.
        latest: What was told then; another thread may read both.
    """

    store: Store
    added: Sequence[Check] = ()
    started: Callable[[], list[Crew]] = list
    crew: Crew | None = None
    is_probed: bool = False
    began: float = field(default_factory=time.monotonic)
    beat: float = field(default_factory=time.monotonic)
    latest: Health | None = None
    checks: Checks = field(init=False)

    def __post_init__(self) -> None:
        self.checks = Checks(self.added)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self.latest = self.known()
            self.beat = time.monotonic()
            await anyio.sleep(BEAT_SECONDS)

    def known(self) -> Health:
        """Tell what is known, without a look at Redis."""
        dogs = [crew.watchdog for crew in self.crews if crew.watchdog is not None]
        lines = {name: one.line for dog in dogs for name, one in dog.watched.items()}
        return self._made(lines, self.store.outage.error)

    @property
    def crews(self) -> list[Crew]:
        """All workers of the process."""
        return [*([] if self.crew is None else [self.crew]), *self.started()]

    async def look(self) -> Health:
        """Look at Redis and at each queue, and tell what was seen."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.checks.look)
            lines, error = await self._look_at_redis()
        return self._made(lines, error)

    async def _look_at_redis(
        self,
    ) -> tuple[Mapping[str, LineLook | None], FrameworkError | None]:
        lines: dict[str, LineLook | None] = {}
        error: FrameworkError | None = RedisUnavailableError(
            self.store.address.name, "no answer in time"
        )
        with anyio.move_on_after(LOOK_SECONDS):
            try:
                await self.store.check(LOOK_SECONDS)
                for crew in self.crews:
                    seen = {} if crew.watchdog is None else await crew.watchdog.look()
                    lines |= seen
                    if None in seen.values():
                        await crew.keys.look()
                error = None
            except FrameworkError as trouble:
                error = trouble
        return lines, error

    def _made(self, lines: Mapping[str, LineLook | None], error: FrameworkError | None) -> Health:
        crew, crews = self.crew, self.crews
        return Health(
            phase=crew.phase if crew else "starting" if self.is_probed else "open",
            uptime=timedelta(seconds=time.monotonic() - self.began),
            redis=RedisHealth(
                address=self.store.address.name,
                error=None if error is None else str(error),
                last_outage=ago(self.store.outage.failed_at),
                version=next((one.server.version for one in crews if one.server.version), ""),
            ),
            queues=tuple(
                self._of_queue(one, worker, lines.get(worker.keys.queue))
                for one in crews
                for worker in one.workers
            ),
            versions=versions(),
            checks=self.checks.latest.copy(),
        )

    @staticmethod
    def _of_queue(crew: Crew, worker: Worker, line: LineLook | None) -> QueueHealth:
        queue, dog = worker.keys.queue, crew.watchdog
        odd = crew.keys.odd.get(queue, ())
        return QueueHealth(
            queue=queue,
            concurrency=worker.pump.concurrency,
            running=worker.running,
            waiting=line.waiting if line else None,
            oldest_waiting=timedelta(milliseconds=line.waits_ms) if line and line.waiting else None,
            last_fetch=ago(worker.pump.fetched_at),
            hindrance=line.hindrance if line else None,
            is_stuck=dog.is_stuck(queue) if dog else False,
            odd_keys=tuple(one.problem for one in odd),
        )
