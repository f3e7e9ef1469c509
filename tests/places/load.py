"""Work that goes on while servers die: who was told that a job is added, and what ran."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio

from framework import Application, Job, processor
from framework.model.job import JobState
from tests.support.apps import declared, settings_of, working
from tests.support.until import until

TIMEOUT = timedelta(seconds=30)


@dataclass
class Load:
    """A number of producers that add to queues by turns, and a worker for each queue.

    Args:
        queues: Their names.
        jobs: How many each producer adds.
    """

    queues: tuple[str, ...]
    jobs: int = 100
    producers: int = 6
    added: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)

    def application(self, url: str, prefix: str) -> Application:
        """Make the application that adds and works."""
        return Application(
            declared(*map(self._processor, self.queues)),
            settings=settings_of(url, prefix, timeout=TIMEOUT),
        )

    def _processor(self, queue: str) -> Callable[..., object]:
        @processor(queue, concurrency=5, stalled_interval=timedelta(seconds=1))
        async def run(job: Job[Any]) -> str:
            self.runs[f"{queue} {job.id}"] += 1
            await anyio.sleep(0.005)
            return str(job.data)

        return run

    async def go(self, app: Application, half_way: Callable[[], Awaitable[object]]) -> None:
        """Add all jobs; once half are added, let something happen."""
        half = self.jobs * self.producers // 2
        async with working(app):
            async with anyio.create_task_group() as tasks:
                for producer in range(self.producers):
                    tasks.start_soon(self._add, app, producer)
                await until(lambda: len(self.added) >= half, timeout=20, message="half is added")
                await half_way()
            await until(self._all_ran, timeout=30, message="all that was added ran")
            for queue in self.queues:
                await all_settled(app, queue)

    async def _add(self, app: Application, producer: int) -> None:
        for n in range(self.jobs):
            queue = self.queues[n % len(self.queues)]
            job = await app.queue(queue).add("number", producer * self.jobs + n)
            self.added.append(f"{queue} {job.id}")

    def _all_ran(self) -> bool:
        return set(self.added) <= set(self.runs)


async def all_settled(app: Application, queue: str) -> None:
    """Wait until every job of a queue has completed."""

    async def is_settled() -> bool:
        counts = await app.queue(queue).counts()
        return sum(counts.values()) == counts[JobState.COMPLETED]

    await until(is_settled, timeout=20, message=f"all of {queue} completed")
