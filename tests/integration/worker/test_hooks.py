"""Hooks hear what happens, and whatever they raise changes no job's fate."""

import asyncio  # noqa: TID251 - CancelledError is what a hook may raise
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Active,
    Completed,
    Context,
    Drained,
    Failed,
    Job,
    JobFailedError,
    Progressed,
    QueueEvent,
    Stalled,
    on_event,
    on_queue_event,
    processor,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.until import until


class Number(BaseModel):
    number: int


@processor("demo")
class Hooked:
    def __init__(self) -> None:
        self.heard: list[object] = []

    async def process(self, job: Job[Number], ctx: Context) -> int:
        await ctx.progress(50)
        if job.data.number < 0:
            raise ValueError("negative")
        return job.data.number

    @on_event("active")
    async def active(self, event: Active[Number]) -> None:
        self.heard.append(event)

    @on_event("progress")
    def progress(self, event: Progressed[Number]) -> None:
        self.heard.append(event)

    @on_event("completed")
    async def completed(self, event: Completed[Number, int]) -> None:
        self.heard.append(event)

    @on_event("failed")
    async def failed(self, event: Failed[Number]) -> None:
        self.heard.append(event)


async def test_a_run_is_heard_from_its_begin_to_its_end(open_app: Open) -> None:
    heard: list[object] = []

    @processor("demo")
    class Seen(Hooked):
        def __init__(self) -> None:
            super().__init__()
            self.heard = heard

    app = open_app(Seen)

    async with working(app):
        producer = await app.producer(Number)
        await producer.result(await producer.add(Number(number=7)))
        await until(lambda: len(heard) == 3, message="all was heard")

    active, progressed, completed = heard
    assert isinstance(active, Active)
    assert isinstance(progressed, Progressed)
    assert isinstance(completed, Completed)
    assert active.job.data == Number(number=7)
    assert progressed.progress == 50
    assert (completed.job.id, completed.result) == ("1", 7)


async def test_each_failed_attempt_is_heard(open_app: Open) -> None:
    heard: list[Failed[Number]] = []

    @processor("demo")
    class Seen:
        async def process(self, job: Job[Number]) -> int:
            raise ValueError("negative")

        @on_event("failed")
        async def failed(self, event: Failed[Number]) -> None:
            heard.append(event)

    app = open_app(Seen)

    async with working(app):
        producer = await app.producer(Number)
        await producer.add(Number(number=-1), attempts=2, backoff=timedelta(milliseconds=20))
        await until(lambda: len(heard) == 2, message="both attempts were heard")

    first, second = heard
    assert (first.attempt, first.will_retry, first.reason) == (1, True, "negative")
    assert first.retry_delay == timedelta(milliseconds=20)
    assert (second.attempt, second.will_retry, second.retry_delay) == (2, False, None)
    assert isinstance(second.error, ValueError)


async def test_the_queue_is_heard_whoever_works(open_app: Open) -> None:
    told: list[QueueEvent] = []

    @processor("demo")
    class Seen:
        async def process(self, job: Job[Number]) -> int:
            return job.data.number

        @on_queue_event("completed")
        async def everywhere(self, event: QueueEvent) -> None:
            told.append(event)

    first, second = open_app(Seen), open_app(Seen)

    async with working(first, second):
        producer = await first.producer(Number)
        await producer.result(await producer.add(Number(number=7)))
        await until(lambda: len(told) == 2, message="both workers heard it")

    assert {(event.job_id, event.result) for event in told} == {("1", 7)}


RAISED = [ValueError("x"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()]


@pytest.mark.parametrize("error", RAISED, ids=[type(error).__name__ for error in RAISED])
@pytest.mark.parametrize("event", ["active", "progress", "completed", "failed"])
async def test_whatever_a_hook_raises_changes_no_jobs_fate(
    open_app: Open,
    error: BaseException,
    event: Any,  # noqa: ANN401 - a literal
) -> None:
    calls: list[str] = []

    @processor("demo")
    class Bad:
        async def process(self, job: Job[Number], ctx: Context) -> int:
            await ctx.progress(1)
            if job.data.number < 0:
                raise ValueError("negative")
            return job.data.number

        @on_event(event)
        async def hook(self) -> None:
            calls.append(event)
            raise error

    app = open_app(Bad)

    async with working(app):
        producer = await app.producer(Number)
        good = await producer.add(Number(number=7))
        assert await producer.result(good) == 7
        bad = await producer.add(Number(number=-7))
        with pytest.raises(JobFailedError, match="negative"):
            await producer.result(bad)
        await until(lambda: bool(calls), message="the hook was called")
        assert await producer.result(await producer.add(Number(number=8))) == 8


async def test_a_hook_that_hangs_holds_up_no_check_for_stalled_jobs(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    stalled: list[str] = []
    ran: list[int] = []

    @processor("demo", stalled_interval=timedelta(milliseconds=200))
    class Hanging:
        async def process(self, job: Job[Number]) -> None:
            ran.append(job.data.number)

        @on_event("stalled")
        async def hang(self, event: Stalled) -> None:
            stalled.append(event.job_id)
            await anyio.sleep_forever()

    app = open_app(Hanging)

    async with working(app):
        await vanished_job(store, keys, "first")
        await until(lambda: stalled == ["first"], message="the first is back in line")
        await vanished_job(store, keys, "second")

        await until(lambda: stalled == ["first", "second"], message="the second is too")
        await until(lambda: ran == [1, 1], message="both run")


async def vanished_job(store: Store, keys: QueueKeys, job_id: str) -> None:
    """An active job that nobody holds."""
    await store.command("HSET", keys.job(job_id), "name", "number", "data", '{"number":1}')
    await store.command("LPUSH", keys["active"], job_id)


async def test_a_worker_hears_that_it_left_nothing_to_do(open_app: Open) -> None:
    heard: list[Drained] = []

    @processor("demo")
    class Seen:
        async def process(self, job: Job[Number]) -> None: ...

        @on_event("drained")
        def drained(self, event: Drained) -> None:
            heard.append(event)

    app = open_app(Seen)

    async with working(app):
        await app.queue("demo").add("number", {"number": 1})
        await until(lambda: heard, message="drained was not heard")

    assert heard == [Drained("demo")]
