"""Jobs that somebody cancels while a worker of ours runs them."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
import pytest

from framework import (
    Context,
    Effect,
    Job,
    JobCancelledError,
    JobFailedError,
    JobState,
    Queue,
    SyncContext,
    WrongStateError,
    processor,
    provider,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, all_finished, working
from tests.support.builders import hash_of, state_of
from tests.support.sleepers import Seen, has_begun, is_in, sleeper
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

SECOND = timedelta(seconds=1)


async def test_a_running_job_is_cancelled_at_once(open_app: Open) -> None:
    seen = Seen()
    app = open_app(sleeper(seen))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n", attempts=5)
        await has_begun(seen)

        watch = Stopwatch()
        assert await queue.cancel(job.id, "not wanted any more") is Effect.ASKED
        with pytest.raises(JobFailedError) as caught:
            await queue.result(job)
        took = watch.seconds

        await until(lambda: len(seen.failures) == 1, message="the hook has heard")

    assert took < 1.0
    assert caught.value.is_cancelled
    assert caught.value.reason == "cancelled: not wanted any more"
    assert isinstance(seen.ends[0], anyio.get_cancelled_exc_class())
    assert isinstance(seen.failures[0].error, JobCancelledError)
    assert not seen.failures[0].will_retry


async def test_its_slot_goes_on_with_the_next_job(open_app: Open) -> None:
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        if job.name == "long":
            await anyio.sleep_forever()

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        long, short = await queue.add("long"), await queue.add("short")
        await has_begun(seen)

        await queue.cancel(long.id)

        assert await queue.result(short) == "done"
        found = await queue.job(long.id)

    assert found is not None
    assert found.failed_reason == "cancelled"
    assert found.stacktrace == ("JobCancelledError: cancelled",)
    assert found.attempts_made == 1


async def test_what_lives_as_long_as_the_job_is_closed_with_the_cancellation(
    open_app: Open,
) -> None:
    told: list[str] = []

    class Transaction:
        pass

    @provider(scope="job")
    async def transaction() -> AsyncIterator[Transaction]:
        try:
            yield Transaction()
        except BaseException as error:
            await anyio.sleep(0.01)
            told.append(f"rolled back by {type(error).__name__}")
            raise

    @processor("demo")
    async def hang(job: Job[Any], it: Transaction) -> None:
        told.append("begun")
        await anyio.sleep_forever()

    app = open_app(hang, providers=(transaction,))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await until(lambda: told == ["begun"], message="the handler has begun")
        await queue.cancel(job.id)
        await is_in(queue, job, JobState.FAILED)

    assert told == ["begun", "rolled back by CancelledError"]


async def test_a_handler_that_swallows_the_cancellation_changes_nothing(open_app: Open) -> None:
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        with suppress(BaseException):  # as careless code does
            await anyio.sleep_forever()

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await queue.cancel(job.id)
        with pytest.raises(JobFailedError, match="cancelled"):
            await queue.result(job)

    assert len(seen.failures) == 1


async def test_an_error_of_its_own_changes_nothing(open_app: Open) -> None:
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise RuntimeError("while cleaning up")

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n", attempts=5)
        await has_begun(seen)
        await queue.cancel(job.id)
        with pytest.raises(JobFailedError, match="cancelled"):
            await queue.result(job)


async def test_a_thread_sees_it_and_its_outcome_does_not_count(open_app: Open) -> None:
    told: list[str] = []

    @processor("demo", run_in="thread")
    def work(job: Job[Any], ctx: SyncContext) -> str:
        told.append("begun")
        while not ctx.cancelled:
            time.sleep(0.005)
        told.append("seen")
        return "done"

    app = open_app(work)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await until(lambda: told == ["begun"], message="the thread has begun")
        await queue.cancel(job.id)
        await is_in(queue, job, JobState.FAILED)
        await until(lambda: told == ["begun", "seen"], message="the thread has seen it")


async def test_a_lost_call_costs_time_alone(open_app: Open, store: Store, keys: QueueKeys) -> None:
    seen = Seen()
    app = open_app(sleeper(seen, lock=SECOND))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await store.command("HSET", keys["meta"], "x-fw.asks", 1)
        await store.command("HSET", keys.job(job.id), "fw.cancelled", "cancelled", "defa", "x")

        watch = Stopwatch()
        await is_in(queue, job, JobState.FAILED)
        took = watch.seconds

    assert took < 1.0
    assert (await hash_of(store, keys, job.id))["failedReason"] == "cancelled"


async def test_calls_are_heard_again_after_every_connection_was_cut(
    open_app: Open, store: Store
) -> None:
    seen = Seen()
    app = open_app(sleeper(seen))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await store.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

        await queue.cancel(job.id)
        await is_in(queue, job, JobState.FAILED)

    assert isinstance(seen.ends[0], anyio.get_cancelled_exc_class())


async def test_each_of_many_running_jobs_is_cancelled(open_app: Open) -> None:
    seen = Seen()
    app = open_app(sleeper(seen, concurrency=100))

    async with working(app):
        queue = app.queue("demo")
        jobs = await queue.add_bulk([("n", n) for n in range(100)])
        await has_begun(seen, 100)
        kept = jobs[0]

        async with anyio.create_task_group() as tasks:
            for job in jobs[1:]:
                tasks.start_soon(queue.cancel, job.id)

        async def only_one_is_left() -> bool:
            counts = await queue.counts()
            return (counts[JobState.FAILED], counts[JobState.ACTIVE]) == (99, 1)

        await until(only_one_is_left, message="all but one are cancelled")
        assert await queue.state(kept.id) is JobState.ACTIVE
        await queue.cancel(kept.id)


async def test_whoever_reaches_redis_first_decides(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    """Jobs end at any moment while they are cancelled: what each caller was told is what is so."""
    seen, told = Seen(), dict[str, bool]()
    chance = random.Random(7)  # noqa: S311 - nothing secret

    async def body(job: Job[Any], ctx: Context) -> None:
        await anyio.sleep(chance.random() / 50)

    async def cancel(queue: Queue, job_id: str) -> None:
        await anyio.sleep(chance.random() / 4)
        try:
            await queue.cancel(job_id)
            told[job_id] = True
        except WrongStateError:
            told[job_id] = False

    app = open_app(sleeper(seen, body, concurrency=20))
    async with working(app):
        queue = app.queue("demo")
        jobs = [*await queue.add_bulk([("n", n) for n in range(300)])]
        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(cancel, queue, job.id)
        await all_finished(app, "demo")
        # A busy machine may let one side win all along: each wins one for certain.
        jobs += await queue.add_bulk([("done", 1), ("to be done", 2, {"delay": timedelta(days=1)})])
        await queue.result(jobs[-2])
        for job in jobs[-2:]:
            await cancel(queue, job.id)
        states = {job.id: await queue.state(job.id) for job in jobs}

    assert set(told.values()) == {True, False}
    assert {job_id for job_id, so in told.items() if so} == {
        job_id for job_id, state in states.items() if state is JobState.FAILED
    }
    assert await store.command("KEYS", f"{keys.base}*:lock") == []


async def test_a_flagged_job_fails_as_it_starts(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    seen = Seen()
    app = open_app(sleeper(seen))
    async with app:
        job = await app.queue("demo").add("n", attempts=3)
    await store.command("HSET", keys["meta"], "x-fw.asks", 1)
    flags = ("fw.cancelled", "cancelled: no", "defa", "cancelled: no")
    await store.command("HSET", keys.job(job.id), *flags)

    again = open_app(sleeper(seen))
    async with working(again):
        await is_in(again.queue("demo"), job, JobState.FAILED)

    assert seen.begun == 0
    assert isinstance(seen.failures[0].error, JobCancelledError)
    assert (await hash_of(store, keys, job.id))["failedReason"] == "cancelled: no"


async def test_what_was_taken_but_not_begun_is_cancelled_too(open_app: Open) -> None:
    """The first job blocks the loop for a while, the second waits in the worker for its slot."""
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        if job.name == "first":
            await app.queue("demo").cancel(second[0].id)
            await until(lambda: len(seen.ends) == 1, message="the other one is cancelled")
        else:
            await anyio.sleep_forever()

    second: list[Job[Any]] = []
    app = open_app(sleeper(seen, body, concurrency=2))
    async with app:
        first, other = await app.queue("demo").add_bulk([("first", 1), ("second", 2)])
        second.append(other)

    async with working(app):
        assert await app.queue("demo").result(first) == "done"
        await is_in(app.queue("demo"), other, JobState.FAILED)


async def test_a_stopping_worker_does_not_give_a_cancelled_job_back(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.2)

    app = open_app(sleeper(seen, body))
    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await queue.cancel(job.id)
        app.stop(now=True)

    assert await state_of(store, keys, job.id) is JobState.FAILED
