"""Jobs that take longer than they may."""

import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from framework.declare.hooks import on_event
from framework.declare.processor import processor
from framework.di.provider import provider
from framework.errors import JobFailedError, JobTimeoutError
from framework.model.events import Failed
from framework.model.job import Job
from framework.worker.context import Context
from framework.worker.sync_context import SyncContext
from tests.support.apps import Open, working
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

SOON = timedelta(milliseconds=50)


class Number(BaseModel):
    n: int = 0


class Session:
    is_open = True


async def test_a_handler_is_cancelled_when_its_time_is_over_and_tried_again(
    open_app: Open,
) -> None:
    seen: list[object] = []

    @processor("demo", timeout=SOON)
    class Slow:
        async def process(self, job: Job[Number], ctx: Context) -> int:
            if ctx.attempt == 1:
                try:
                    await anyio.sleep_forever()
                finally:
                    seen.append(ctx.cancelled)
            return ctx.attempt

        @on_event("failed")
        async def failed(self, event: Failed[Number]) -> None:
            seen.append((type(event.error), event.will_retry))

    app = open_app(Slow)

    async with working(app):
        queue = app.queue("demo")
        result = await queue.result(await queue.add("number", {}, attempts=2))
        await until(lambda: len(seen) == 2, message="the hook ran")

    assert result == 2
    assert seen == [True, (JobTimeoutError, True)]


async def test_a_jobs_own_timeout_goes_before_its_processors(open_app: Open) -> None:
    @processor("demo", timeout=timedelta(seconds=30))
    async def slow(job: Job[Number]) -> None:
        await anyio.sleep_forever()

    app = open_app(slow)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("number", {}, timeout=SOON)
        with pytest.raises(JobFailedError, match=r"longer than its timeout of 0.05 s"):
            await queue.result(job)
        read = await queue.job(job.id)

    assert read is not None
    assert read.options["timeout"] == SOON


async def test_a_timeout_rolls_back_what_the_job_opened(open_app: Open) -> None:
    ended: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        try:
            yield Session()
        except BaseException:
            ended.append("rolled back")
            raise
        ended.append("committed")

    @processor("demo", timeout=SOON)
    async def slow(job: Job[Number], session: Session) -> None:
        await anyio.sleep_forever()

    app = open_app(slow, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError):
            await queue.result(await queue.add("number", {}))

    assert ended == ["rolled back"]


async def test_a_handlers_own_timeout_error_stays_its_own(open_app: Open) -> None:
    @processor("demo", timeout=timedelta(seconds=30))
    async def slow(job: Job[Number]) -> None:
        with anyio.fail_after(0.01):
            await anyio.sleep_forever()

    app = open_app(slow)

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="failed: TimeoutError"):
            await queue.result(await queue.add("number", {}))


async def test_a_thread_is_told_and_left_when_its_time_is_over(open_app: Open) -> None:
    told = threading.Event()

    @processor("demo", run_in="thread", timeout=SOON)
    def slow(job: Job[Number], ctx: SyncContext) -> None:
        while not ctx.cancelled:
            time.sleep(0.005)
        time.sleep(0.1)
        told.set()

    app = open_app(slow)

    with capture_logs() as lines:
        async with working(app):
            queue = app.queue("demo")
            with pytest.raises(JobFailedError, match="timeout"):
                await queue.result(await queue.add("number", {}))
            was_left = not told.is_set()
            await until(told.is_set, message="the thread was told")

    assert was_left
    left = [line for line in lines if line["event"] == "thread goes on after its job timed out"]
    assert [(line["job"], line["queue"]) for line in left] == [("1", "demo")]


async def test_what_a_thread_uses_is_closed_once_it_has_ended(open_app: Open) -> None:
    may_end = threading.Event()
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        opened = Session()
        try:
            yield opened
        finally:
            opened.is_open = False
            seen.append("closed")

    @processor("demo", run_in="thread", timeout=SOON)
    def slow(job: Job[Number], session: Session) -> None:
        may_end.wait(5)
        seen.append("open" if session.is_open else "closed beneath it")

    app = open_app(slow, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="timeout"):
            await queue.result(await queue.add("number", {}))
        may_end.set()
        await until(lambda: len(seen) == 2, message="the session was closed")

    assert seen == ["open", "closed"]


async def test_a_stop_waits_for_no_thread_that_was_left(open_app: Open) -> None:
    may_end = threading.Event()
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        yield Session()
        seen.append("committed")

    @processor("demo", run_in="thread", timeout=SOON)
    def slow(job: Job[Number], session: Session) -> None:
        may_end.wait(5)

    app = open_app(slow, providers=(session,))

    with capture_logs() as lines:
        async with working(app):
            queue = app.queue("demo")
            with pytest.raises(JobFailedError, match="timeout"):
                await queue.result(await queue.add("number", {}))
            watch = Stopwatch()
    took = watch.seconds
    may_end.set()

    assert took < 1
    assert seen == []
    assert "thread goes on, what its job used is closed" in [line["event"] for line in lines]
