"""Workers that die or hang: their jobs are neither lost nor run twice."""

import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from pydantic import BaseModel

from framework import Context, Job, JobState, processor
from framework.errors import FormatError
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import events_of, hash_of
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

SECOND = timedelta(seconds=1)
ROOT = Path(__file__).parents[3]
VICTIM = """
from datetime import timedelta
import anyio
from typing import Any
from framework import Application, Job, processor
from tests.support.apps import declared, settings_of
import sys

@processor("demo", concurrency=3, lock_duration=timedelta(seconds=1),
           stalled_interval=timedelta(seconds=1))
async def hang(job: Job[Any]) -> None:
    await anyio.sleep_forever()

async def main() -> None:
    async with Application(declared(hang), settings=settings_of(*sys.argv[1:])) as app:
        await app.work()

anyio.run(main)
"""


class Number(BaseModel):
    number: int


@asynccontextmanager
async def victim(redis_url: str, prefix: str) -> AsyncIterator[Process]:
    """A worker in a process of its own, whose jobs never end."""
    command = [sys.executable, "-c", VICTIM, redis_url, prefix]
    process = await anyio.open_process(command, cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


def counting(runs: list[str], **options: Any) -> Any:  # noqa: ANN401 - a processor
    told = {"concurrency": 3, "lock_duration": SECOND, "stalled_interval": SECOND, **options}

    @processor("demo", **told)
    async def count(job: Job[Any]) -> str:
        runs.append(job.id)
        return "done"

    return count


async def test_a_killed_workers_jobs_are_done_by_another_in_time(
    open_app: Open, redis_url: str, prefix: str, store: Store, keys: QueueKeys
) -> None:
    runs: list[str] = []
    app = open_app(counting(runs))

    async with app, victim(redis_url, prefix) as process:
        jobs = await app.queue("demo").add_bulk([("x", {})] * 3)
        await until(lambda: is_active(store, keys, 3), timeout=10, message="they run there")
        async with working(open_app(counting(runs))):
            os.kill(process.pid, signal.SIGKILL)
            watch = Stopwatch()
            for job in jobs:
                assert await app.queue("demo").result(job) == "done"
            took = watch.seconds

    assert took < 1 + 2 * 1 + 0.3
    assert sorted(runs) == ["1", "2", "3"]
    assert [(await hash_of(store, keys, "1"))[name] for name in ("ats", "atm", "stc")] == [
        "2",
        "1",
        "1",
    ]


async def is_active(store: Store, keys: QueueKeys, count: int) -> bool:
    return bool(await store.command("LLEN", keys["active"]) == count)


async def test_a_blocked_loop_keeps_its_locks_and_runs_its_job_once(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: list[str] = []
    begun = threading.Event()

    @processor("demo", concurrency=2, lock_duration=SECOND, stalled_interval=SECOND)
    async def block(job: Job[Any]) -> str:
        runs.append(job.id)
        begun.set()
        time.sleep(3)  # noqa: ASYNC251 - that is the point
        return "done"

    done = threading.Event()

    async def block_a_loop() -> None:
        app = open_app(block)
        async with working(app):
            await app.queue("demo").result(await app.queue("demo").add("x"))
        done.set()

    blocked = threading.Thread(target=anyio.run, args=(block_a_loop,))
    blocked.start()
    await until(begun.is_set, message="the job runs")

    async with working(open_app(counting(runs))):
        await until(done.is_set, timeout=10, message="the blocked job ended")
    blocked.join()

    assert runs == ["1"]
    assert "stalled" not in await events_of(store, keys)
    assert (await hash_of(store, keys, "1"))["ats"] == "1"


async def test_a_lost_lock_under_a_blocked_loop_costs_the_other_jobs_nothing(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: list[str] = []
    begun, done = threading.Event(), threading.Event()

    @processor("demo", concurrency=2, lock_duration=SECOND, stalled_interval=SECOND)
    async def block(job: Job[Number]) -> int:
        runs.append(job.id)
        if job.data.number == 0:
            await anyio.sleep(0.1)
            begun.set()
            time.sleep(3)  # noqa: ASYNC251 - that is the point
        await anyio.sleep(0.2)
        return job.data.number

    async def block_a_loop() -> None:
        app = open_app(block)
        async with working(app):
            producer = await app.producer(Number)
            jobs = await producer.add_bulk([Number(number=0), Number(number=1)])
            await producer.result(jobs[0])
        done.set()

    blocked = threading.Thread(target=anyio.run, args=(block_a_loop,))
    blocked.start()
    await until(begun.is_set, message="the loop is blocked")
    await store.command("SET", keys.job("2") + ":lock", "another", "PX", 60_000)
    await until(done.is_set, timeout=10, message="the blocked job ended")
    blocked.join()

    assert runs.count("1") == 1
    assert (await hash_of(store, keys, "1"))["ats"] == "1"


async def test_a_run_whose_lock_is_lost_is_cancelled_and_its_outcome_dropped(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    cancelled: list[bool] = []

    @processor("demo", lock_duration=SECOND, stalled_interval=30 * SECOND)
    class Loses:
        async def process(self, job: Job[Any], ctx: Context) -> str:
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.append(ctx.cancelled)
            return "never"

    app = open_app(Loses)

    async with working(app):
        await app.queue("demo").add("x")
        await until(lambda: app.running == 1, message="the job runs")
        await store.command("SET", keys.job("1") + ":lock", "another", "PX", 60_000)
        await until(lambda: bool(cancelled), message="the run was cancelled")
        await until(lambda: app.running == 0, message="the slot is free")

    assert cancelled == [True]
    assert await store.command("GET", keys.job("1") + ":lock") == b"another"
    assert await app_state(open_app, "1") is JobState.ACTIVE


async def app_state(open_app: Open, job_id: str) -> JobState:
    async with open_app(counting([])) as app:
        return await app.queue("demo").state(job_id)


async def test_a_slot_that_lost_its_job_takes_the_next(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: list[int] = []

    @processor("demo", lock_duration=SECOND)
    async def loses(job: Job[Number]) -> int:
        runs.append(job.data.number)
        if job.data.number == 1:
            await anyio.sleep_forever()
        return job.data.number

    app = open_app(loses)

    async with working(app):
        producer = await app.producer(Number)
        first, second = await producer.add_bulk([Number(number=1), Number(number=2)])
        await until(lambda: app.running == 1, message="the job runs")
        await store.command("DEL", keys.job(first.id) + ":lock")

        assert await producer.result(second) == 2

    assert runs[:2] == [1, 2]


async def test_locks_of_long_jobs_are_renewed(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo", lock_duration=timedelta(milliseconds=400), stalled_interval=SECOND)
    async def long(job: Job[Any]) -> str:
        await anyio.sleep(1.2)
        return "done"

    app = open_app(long)

    async with working(app):
        assert await app.queue("demo").result(await app.queue("demo").add("x")) == "done"

    assert (await hash_of(store, keys, "1"))["ats"] == "1"


@pytest.mark.parametrize("found", [2, 99])
async def test_a_queue_of_a_newer_release_is_refused(
    open_app: Open, store: Store, keys: QueueKeys, found: int
) -> None:
    await store.command("HSET", keys["meta"], "x-fw.format", found)
    app = open_app(counting([]))

    async with app:
        with pytest.raises(FormatError, match=f"format {found}"):
            await app.queue("demo").add("x")
    assert await store.command("EXISTS", keys["wait"]) == 0
