"""Jobs that somebody holds while a worker of ours runs them."""

import time
from typing import Any

import anyio
import pytest

from framework import Context, Effect, Job, JobCancelledError, JobState, SyncContext, processor
from tests.support.apps import Open, working
from tests.support.sleepers import Seen, asked_to_pause, has_begun, is_in, sleeper
from tests.support.until import until


async def test_a_running_job_leaves_at_its_checkpoint_and_goes_on_later(open_app: Open) -> None:
    seen = Seen()

    async def body(job: Job[Any], ctx: Context) -> None:
        if seen.begun > 1:
            return
        await asked_to_pause(ctx)
        await ctx.checkpoint()

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)

        assert await queue.pause_job(job.id) is Effect.ASKED
        await is_in(queue, job, JobState.DELAYED)
        held = await queue.job(job.id)
        assert held is not None
        assert held.is_held

        await queue.resume_job(job.id)
        assert await queue.result(job) == "done"
        done = await queue.job(job.id)

    assert done is not None
    assert (done.is_held, done.attempts_made, done.attempts_started) == (False, 1, 2)
    assert seen.failures == []


async def test_a_step_that_has_not_begun_is_a_checkpoint(open_app: Open) -> None:
    seen, steps = Seen(), []

    async def first() -> str:
        steps.append("first")
        return "one"

    async def second() -> str:
        steps.append("second")
        return "two"

    async def body(job: Job[Any], ctx: Context) -> None:
        await ctx.step("first", first)
        if seen.begun == 1:
            await asked_to_pause(ctx)
        await ctx.step("second", second)

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await queue.pause_job(job.id)
        await is_in(queue, job, JobState.DELAYED)
        assert steps == ["first"]
        await queue.resume_job(job.id)
        await queue.result(job)

    assert steps == ["first", "second"]


async def test_what_is_withdrawn_in_time_lets_the_run_go_on(open_app: Open) -> None:
    seen, go_on = Seen(), anyio.Event()

    async def body(job: Job[Any], ctx: Context) -> None:
        await asked_to_pause(ctx)
        go_on.set()
        await until(lambda: not ctx.pausing, message="it is withdrawn")
        await ctx.checkpoint()

    app = open_app(sleeper(seen, body))

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await has_begun(seen)
        await queue.pause_job(job.id)
        await go_on.wait()
        await queue.resume_job(job.id)
        assert await queue.result(job) == "done"

    assert seen.begun == 1


async def test_a_thread_leaves_at_its_checkpoint(open_app: Open) -> None:
    begun: list[int] = []

    @processor("demo", run_in="thread")
    def work(job: Job[Any], ctx: SyncContext) -> str:
        begun.append(1)
        while len(begun) == 1:
            ctx.checkpoint()
            time.sleep(0.005)
        return "done"

    app = open_app(work)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("n")
        await until(lambda: len(begun) == 1, message="the thread has begun")
        await queue.pause_job(job.id)
        await is_in(queue, job, JobState.DELAYED)
        await queue.resume_job(job.id)
        assert await queue.result(job) == "done"


async def test_a_job_held_by_hand_fails_whatever_its_holder_says(open_app: Open) -> None:
    app = open_app()
    async with app:
        queue = app.queue("demo")
        job = await queue.add("n")
        held = await queue.next_job("mine")
        assert held is not None

        assert await queue.cancel(job.id, "no") is Effect.LATER
        with pytest.raises(JobCancelledError, match="cancelled: no"):
            await held.complete("done")

        assert await queue.state(job.id) is JobState.FAILED


async def test_next_job_holds_what_is_to_be_held(open_app: Open) -> None:
    app = open_app()
    async with app:
        queue = app.queue("demo")
        job = await queue.add("n")
        held = await queue.next_job("mine")
        assert held is not None
        assert await queue.pause_job(job.id) is Effect.LATER

        await held.move_to_wait()

        assert await queue.next_job("mine too") is None
        assert await queue.state(job.id) is JobState.DELAYED
