"""A package of every kind of work, and who gives it some, moderately, for long."""

import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import anyio
import pytest

from framework import Fixed, Flow, FlowProducer, JobFailedError, KeepJobs
from framework.app.application import Application

PACKAGE = """
    import time
    from datetime import timedelta
    from typing import Any
    import anyio
    from framework import Every, Job, KeepJobs, Schedule, SyncContext, processor
    from pydantic import BaseModel

    HOUR = timedelta(hours=1)

    @processor("quick", concurrency=20, metrics=HOUR)
    async def quick(job: Job[Any]) -> int:
        await anyio.sleep(0.002)
        return job.attempts_started

    @processor("flaky", concurrency=20, metrics=HOUR)
    async def flaky(job: Job[Any]) -> None:
        if job.attempts_made < 1 or job.data["is_bad"]:
            raise ValueError("try again")

    @processor("parents", concurrency=10, metrics=HOUR)
    async def parent(job: Job[Any]) -> None: ...

    @processor("threads", run_in="thread", concurrency=4, metrics=HOUR)
    def in_thread(job: Job[Any], ctx: SyncContext) -> int:
        time.sleep(0.005)
        ctx.progress(50)
        return 1

    @processor("children", run_in="process", concurrency=2, metrics=HOUR)
    def in_process(job: Job[Any]) -> int:
        return sum(range(10_000))

    @processor("endless", concurrency=20, metrics=HOUR)
    async def endless(job: Job[Any]) -> None:
        await anyio.sleep_forever()

    class Tick(BaseModel):
        pass

    @processor("ticks", metrics=HOUR)
    async def tick(job: Job[Tick]) -> None: ...

    ticking = Schedule("tick", Every(timedelta(seconds=1)), Tick(), remove_on_complete=KeepJobs(10))
"""
FEW = KeepJobs(count=50)
AGAIN = Fixed(timedelta(seconds=0.2), jitter=0.5)
# Adds a second, by what is added; a flow is four jobs.
RATES = {"quick": 140, "flaky": 15, "threads": 15, "children": 5, "flow": 4, "cancel": 4}
QUEUES = ("quick", "flaky", "threads", "children", "parents", "endless", "ticks")
TURN_SECONDS = 0.1


@dataclass
class Load:
    """Adds jobs of all kinds, delayed ones, flows, some that are cancelled; waits for some.

    Attributes:
        added: How many, by queue.
        answered: How many results were waited for, and came.
    """

    app: Application
    seed: int = 7
    added: Counter[str] = field(default_factory=Counter[str])
    answered: int = 0

    async def run(self, seconds: float) -> None:
        """Add for so many seconds."""
        chance = random.Random(self.seed)  # noqa: S311 - repeats what failed
        flows = await self.app.get(FlowProducer)
        ways: dict[str, Callable[[float], Coroutine[Any, Any, None]]] = {
            "flow": partial(self._add_flow, flows),
            "cancel": self._add_and_cancel,
            "flaky": self._add_flaky,
        }
        began, turns = anyio.current_time(), 0
        async with anyio.create_task_group() as tasks:
            while anyio.current_time() < began + seconds:
                for what, rate in RATES.items():
                    for _ in range(int(rate * TURN_SECONDS + chance.random())):
                        add = ways.get(what) or partial(self._add, what)
                        tasks.start_soon(add, chance.random())
                turns += 1
                await anyio.sleep(max(0.0, began + turns * TURN_SECONDS - anyio.current_time()))

    async def _add(self, queue: str, drawn: float) -> None:
        line = self.app.queue(queue)
        self.added[queue] += 1
        if drawn < 0.2:
            await line.add(
                "x",
                {},
                delay=timedelta(seconds=20 * drawn),
                remove_on_complete=FEW,
                remove_on_fail=FEW,
            )
            return
        job = await line.add("x", {}, remove_on_complete=FEW, remove_on_fail=FEW)
        if drawn < 0.25:
            await line.result(job)
            self.answered += 1

    async def _add_flaky(self, drawn: float) -> None:
        self.added["flaky"] += 1
        data = {"is_bad": drawn < 0.1}
        await self.app.queue("flaky").add(
            "x", data, attempts=3, backoff=AGAIN, remove_on_complete=FEW, remove_on_fail=FEW
        )

    async def _add_flow(self, flows: FlowProducer, drawn: float) -> None:
        self.added.update({"parents": 1, "quick": 2, "threads": 1})
        kids = [
            Flow.named(queue, "x", {}, remove_on_complete=FEW, remove_on_fail=FEW)
            for queue in ("quick", "quick", "threads")
        ]
        root = await flows.add(
            Flow.named("parents", "x", {}, kids, remove_on_complete=FEW, remove_on_fail=FEW)
        )
        if drawn < 0.5:
            await self.app.queue("parents").result(root)
            self.answered += 1

    async def _add_and_cancel(self, drawn: float) -> None:
        self.added["endless"] += 1
        queue = self.app.queue("endless")
        job = await queue.add("x", {}, remove_on_complete=FEW, remove_on_fail=FEW)
        await anyio.sleep(drawn)
        await queue.cancel(job.id, "enough")
        with pytest.raises(JobFailedError):
            await queue.result(job)
        self.answered += 1
