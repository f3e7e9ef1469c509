"""The curves: what is varied, over which values, and how Redis is made to be so."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from pydantic import SecretStr

from framework import Application, Every, JobOptions, KeepJobs, Queue, Settings

APP = "tests.benchmarks.app"
KEPT = JobOptions(remove_on_complete=KeepJobs.all(), remove_on_fail=KeepJobs.all())
JOBS = 20_000  # that are run at each point, the first fifth to warm up
CHUNK = 5000
MONTHLY = Every(timedelta(days=30))


@dataclass(frozen=True)
class Point:
    """One place on a curve.

    Args:
        jobs: How many are run, in all queues together.
        before: How many are run before anything is measured.
        left_over: How many more stand in line and stay there.
        payload: What each job carries.
        options: What each is added with.
        variables: What the worker is told.
    """

    queues: Sequence[str] = ("noop",)
    jobs: int = JOBS
    before: int = 0
    left_over: int = 0
    payload: Mapping[str, object] = field(default_factory=lambda: {"n": 1})
    variables: Mapping[str, str] = field(default_factory=dict)
    options: JobOptions = field(default_factory=lambda: KEPT)
    handler: str = "noop"
    prepare: "Callable[[Queue], Awaitable[None]] | None" = None


@dataclass(frozen=True)
class Curve:
    """What is varied.

    Args:
        says: The name of the axis.
        values: Where it is measured.
        point: Makes the place for a value.
    """

    says: str
    values: Sequence[int]
    point: Callable[[int], Point]


async def add(queue: Queue, count: int, payload: object, options: JobOptions) -> None:
    """Put jobs in line."""
    item = ("noop", payload, options)
    for start in range(0, count, CHUNK):
        await queue.add_bulk([item] * min(CHUNK, count - start))


def waiting(value: int) -> Point:
    return Point(left_over=value)


def delayed(value: int) -> Point:
    async def prepare(queue: Queue) -> None:
        await add(queue, value, {"n": 1}, JobOptions(delay=timedelta(hours=1)))

    return Point(prepare=prepare)


def schedulers(value: int) -> Point:
    async def prepare(queue: Queue) -> None:
        numbers = iter(range(value))

        async def upsert() -> None:
            for number in numbers:
                await queue.upsert_job_scheduler(f"monthly-{number}", MONTHLY)

        async with anyio.create_task_group() as callers:
            for _ in range(50):
                callers.start_soon(upsert)

    return Point(prepare=prepare)


def kept(value: int) -> Point:
    # Once so many are kept, each end removes the oldest.
    options = JobOptions(remove_on_complete=KeepJobs(count=value), remove_on_fail=KeepJobs.all())
    return Point(before=value, options=options)


def queues(value: int) -> Point:
    names = [f"many-{number}" for number in range(value)]
    variables = {"BENCH_QUEUES": str(value), "BENCH_CONCURRENCY": "10"}
    # Enough for each queue that opening its connections is not in the figures.
    return Point(queues=names, jobs=max(JOBS, 300 * value), variables=variables, handler="many")


def payloads(value: int) -> Point:
    jobs = max(min(JOBS, 100_000_000 // value), 200)
    return Point(("blob",), jobs, payload={"text": "x" * value}, handler="blob")


def concurrency(value: int) -> Point:
    jobs = max(JOBS, 6 * value)
    return Point(jobs=jobs, variables={"BENCH_CONCURRENCY": str(value)})


CURVES = {
    "waiting": Curve("jobs waiting behind", (1000, 10_000, 100_000, 1_000_000), waiting),
    "delayed": Curve("delayed jobs beside", (0, 1000, 10_000, 100_000), delayed),
    "kept": Curve("completed jobs kept", (100, 1000, 10_000, 100_000), kept),
    "schedulers": Curve("schedulers beside", (0, 100, 1000, 10_000), schedulers),
    "queues": Curve(
        "queues in one process, 10 jobs at once in each", (1, 10, 50, 100, 200), queues
    ),
    "payload": Curve("bytes of payload", (100, 1000, 10_000, 100_000, 1_000_000), payloads),
    "concurrency": Curve("concurrency", (1, 10, 100, 1000, 5000), concurrency),
}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Application]:
    """Open an application to prepare Redis with."""
    async with Application(APP, settings=Settings(redis_url=SecretStr(url))) as app:
        yield app


async def prepare(url: str, point: Point) -> None:
    """Put everything into Redis that a point wants."""
    async with opened(url) as app:
        first = app.queue(point.queues[0])
        if point.prepare:
            await point.prepare(first)
        each = (point.before + point.jobs + point.left_over) // len(point.queues)
        for name in point.queues:
            await add(app.queue(name), each, point.payload, point.options)
