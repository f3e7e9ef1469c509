"""A whole day of an application with workers, on a clock that jumps from event to event."""

import gc
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
from pydantic import BaseModel

from framework import (
    Cron,
    Deduplication,
    Every,
    Exponential,
    Flow,
    FlowProducer,
    Job,
    JobState,
    KeepJobs,
    Schedule,
    processor,
)
from framework.app.application import Application
from framework.app.discovery import Declarations
from framework.declare.spec import resolve
from framework.store.connections import MOST_CONNECTIONS
from tests.property.snapshot import AGE
from tests.support.apps import settings_of, working
from tests.support.flatness import Series, files_of, memory_of
from tests.support.leftovers import left_over
from tests.support.servers import Server
from tests.support.until import until

START_MS = 1_795_305_600_000  # a midnight in UTC
HOUR_MS = 3_600_000
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HELD_MS = 2**41 - 1
QUEUES = ("quick", "flaky", "parents", "ticks")
SLOTS = 22  # of all their processors
PREFIX = "day"


class JumpingClock:
    """Stands still between jumps."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class Tick(BaseModel):
    """A run of a schedule."""


@dataclass
class Day:
    """The day, and what was seen of it.

    Attributes:
        load: How many of each kind are added in an hour.
        ran: How often each kind ran.
        wanted: How often it should have.
        series: What was used, hour by hour.
        finished: How many jobs of each queue should have ended.
    """

    server: Server
    load: int
    ran: Counter[str] = field(default_factory=Counter[str])
    wanted: Counter[str] = field(default_factory=Counter[str])
    finished: Counter[str] = field(default_factory=Counter[str])
    series: Series = field(default_factory=Series)
    clock: JumpingClock = field(default_factory=JumpingClock)
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - repeats

    def application(self) -> Application:
        """Make the application."""
        ran = self.ran

        @processor("quick", concurrency=10, metrics=48 * HOUR)
        async def quick(job: Job[Any]) -> str:
            ran[job.name] += 1
            return "done"

        @processor("flaky", concurrency=10, metrics=48 * HOUR)
        async def flaky(job: Job[Any]) -> None:
            ran["flaky"] += 1
            if job.data == "bad" or job.attempts_made < 2:
                raise ValueError("not yet")

        @processor("parents", metrics=48 * HOUR)
        async def parents(job: Job[Any]) -> None:
            ran["parent"] += 1

        @processor("ticks", metrics=48 * HOUR)
        async def ticks(job: Job[Tick]) -> None:
            ran[job.id.split(":")[1]] += 1

        specs = tuple(resolve(one) for one in (quick, flaky, parents, ticks))
        keep = {"remove_on_complete": KeepJobs(age=2 * HOUR)}
        schedules = (
            Schedule("hourly", Every(HOUR), Tick(), **keep),  # type: ignore[arg-type]  # options
            Schedule("nightly", Cron("0 30 */6 * * *"), Tick(), **keep),  # type: ignore[arg-type]
        )
        found = Declarations("tests", specs, specs, schedules=schedules)
        settings = settings_of(self.server.url, PREFIX, worker_presence=False)
        return Application(found, settings=settings, clock=self.clock)

    async def live(self, app: Application, hours: int) -> None:
        """Let so many hours pass; work comes at the beginning of each."""
        # Shared connections are opened where commands overlap, the last of them perhaps late in the
        # day: now there are as many as there can be.
        async with anyio.create_task_group() as tasks:
            for _ in range(MOST_CONNECTIONS):
                tasks.start_soon(app.store.command, "CLIENT ID")
        for hour in range(hours):
            await self._add(app)
            await self.pass_until(app, START_MS + (hour + 1) * HOUR_MS)
            self._sample(hour)

    async def pass_until(self, app: Application, end_ms: int) -> None:
        """Jump from one due job to the next, until the clock stands at a time."""
        await self._settle(app)
        while self.clock.ms < end_ms:
            due = await self._next_due(app)
            to_ms = min(end_ms, max(due, self.clock.ms + 1))
            await app.store.command("EVAL", AGE, 0, f"{PREFIX}:*", to_ms - self.clock.ms)
            self.clock.ms = to_ms
            if to_ms == due:
                for queue in QUEUES:
                    await app.store.command("ZADD", f"{PREFIX}:{queue}:marker", 0, "0")
                await self._settle(app)

    async def _next_due(self, app: Application) -> int:
        dues = []
        for queue in QUEUES:
            key = f"{PREFIX}:{queue}:delayed"
            first = await app.store.command("ZRANGE", key, 0, 0, "WITHSCORES")
            dues += [int(float(score)) // 4096 for score in first[1:]]
        return min(dues, default=HELD_MS)

    async def _settle(self, app: Application) -> None:
        async def is_settled() -> bool:
            if app.running or await self._next_due(app) <= self.clock.ms:
                return False
            for queue in QUEUES:
                counts = await app.queue(queue).counts()
                if counts[JobState.WAITING] or counts[JobState.ACTIVE]:
                    return False
            return True

        await until(is_settled, timeout=20, message=f"all is done at {self.clock.ms - START_MS} ms")

    async def _add(self, app: Application) -> None:
        flows = await app.get(FlowProducer)
        quick, flaky = app.queue("quick"), app.queue("flaky")
        keep, n = KeepJobs(age=2 * HOUR), self.load
        await quick.add_bulk([("plain", None, {"remove_on_complete": keep})] * n)
        for _ in range(n):
            span = MINUTE * self.chance.uniform(1, 300)
            await quick.add("late", None, delay=span, remove_on_complete=keep)
            data = "bad" if self.chance.random() < 0.2 else "good"
            again = Exponential(10 * MINUTE)
            kept = {"remove_on_complete": keep, "remove_on_fail": keep}
            await flaky.add("x", data, attempts=3, backoff=again, **kept)  # type: ignore[arg-type]
        kids = [Flow.named("quick", "kid", None, remove_on_complete=keep) for _ in range(n)]
        await flows.add(Flow.named("parents", "root", None, kids, remove_on_complete=keep))
        for _ in range(2):
            once = Deduplication("once", ttl=90 * MINUTE)
            await quick.add("once", None, deduplication=once, remove_on_complete=keep)
        self.wanted.update({"plain": n, "late": n, "flaky": 3 * n, "kid": n, "parent": 1})
        self.finished.update({"quick": 3 * n, "flaky": n, "parents": 1})

    async def last_jobs(self, app: Application) -> None:
        """Let one more job of each kind end, an hour later: each takes what is too old with it."""
        keep = KeepJobs(age=2 * HOUR)
        kept = {"remove_on_complete": keep, "remove_on_fail": keep}
        await app.queue("quick").add("plain", None, **kept)  # type: ignore[arg-type]  # options
        for data in ("good", "bad"):
            await app.queue("flaky").add("x", data, attempts=3, **kept)  # type: ignore[arg-type]
        kid = Flow.named("quick", "kid", None, remove_on_complete=keep)
        flows = await app.get(FlowProducer)
        await flows.add(Flow.named("parents", "root", None, [kid, kid], remove_on_complete=keep))
        await self._settle(app)

    def _sample(self, hour: int) -> None:
        gc.collect()
        files, sockets = files_of([os.getpid()])
        facts = self.server.ask("INFO")
        tasks = [task.name or "" for task in anyio.get_running_tasks()]
        # A slot begins when a job first needs it: the last of them may do so late in the day.
        slots = sum(name.endswith("Slots._run") for name in tasks)
        assert slots <= SLOTS
        self.series.add(
            hour,
            {
                "MiB": memory_of([os.getpid()]),
                "files": files,
                "sockets": sockets,
                "tasks": len(tasks) - slots,
                "clients": facts["connected_clients"],
                "keys": facts["db0"]["keys"],
            },
        )


async def live_a_day(server: Server, load: int) -> Day:
    """Live a day of work and the quiet hours after it; see that all ran, and nothing is left."""
    day = Day(server, load)
    app = day.application()
    async with working(app):
        await day.live(app, 24)
        await day.pass_until(app, START_MS + 30 * HOUR_MS)
        assert {kind: day.ran[kind] for kind in day.wanted} == day.wanted
        assert day.ran["once"] == 12  # its id is free again after an hour and a half
        assert day.ran["nightly"] == 5
        assert day.ran["hourly"] in {30, 31}
        for queue, count in day.finished.items():
            line = app.queue(queue)
            ended = (await line.metrics()).count + (await line.metrics("failed")).count
            assert ended == count + (12 if queue == "quick" else 0), queue
        await day.last_jobs(app)
        kept = {queue: await app.queue(queue).counts() for queue in QUEUES}
        left = await left_over(app, PREFIX, QUEUES)
    assert left == []
    assert {queue: one[JobState.COMPLETED] for queue, one in kept.items()} == {
        "quick": 3,
        "flaky": 1,
        "parents": 1,
        "ticks": 2,
    }
    assert sum(one[JobState.FAILED] for one in kept.values()) == 1
    assert sum(one[JobState.DELAYED] for one in kept.values()) == 2  # the next runs
    return day
