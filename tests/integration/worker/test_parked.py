"""Runs that leave early: their scope closes, their wish is granted, their slot goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any

import anyio
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from framework import (
    Context,
    Job,
    JobFailedError,
    JobState,
    Parked,
    SyncContext,
    on_event,
    processor,
    provider,
)
from framework.model.clock import SystemClock
from framework.model.outcome import DelayFor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.millis import instant_from_ms
from tests.support.apps import Open, all_finished, working
from tests.support.builders import entries_of, events_of, hash_of, scores_of, state_of
from tests.support.until import until

SOON = timedelta(milliseconds=20)
HOUR = timedelta(hours=1)


def soon() -> datetime:
    return instant_from_ms(SystemClock().now_ms()) + SOON


Leave = Callable[[Context], Awaitable[object]]


class Session:
    def __init__(self) -> None:
        self.told: list[str] = []


def sessions(told: list[str], *, closing: type[Exception] | None = None) -> Any:  # noqa: ANN401 - a provider
    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        try:
            yield Session()
        except BaseException as error:
            told.append(f"rolled back: {type(error).__name__}")
            raise
        told.append("committed")
        if closing is not None:
            raise closing("cannot commit")

    return session


def leaves_once(leave: Leave) -> Any:  # noqa: ANN401 - a processor
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> str:
        if job.attempts_started == 1:
            await leave(ctx)
        return f"attempt {ctx.attempt}, start {job.attempts_started}"

    return run


@pytest.mark.parametrize(
    ("leave", "event"),
    [
        (lambda ctx: ctx.delay_for(SOON), "delayed"),
        (lambda ctx: ctx.delay_until(soon()), "delayed"),
        (lambda ctx: ctx.delay_until(datetime(2020, 1, 1, tzinfo=UTC)), "delayed"),
        (lambda ctx: ctx.rate_limit(SOON), "waiting"),
    ],
)
async def test_a_job_that_leaves_goes_on_later_and_has_burnt_no_attempt(
    open_app: Open, store: Store, keys: QueueKeys, leave: Leave, event: str
) -> None:
    app = open_app(leaves_once(leave))

    async with working(app):
        job = await app.queue("demo").add("x")
        result = await app.queue("demo").result(job)

    assert result == "attempt 1, start 2"
    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["ats"]) == ("1", "2")
    again = ["waiting"] if event == "delayed" else []
    told = ["added", "waiting", "active", event, *again, "active", "completed"]
    assert await events_of(store, keys, job.id) == told


async def test_a_slot_takes_the_next_job_when_one_is_parked(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> str:
        if job.name == "parks":
            await ctx.delay_for(HOUR)
        return "done"

    app = open_app(run)

    async with working(app):
        parks = await app.queue("demo").add("parks")
        assert await app.queue("demo").result(await app.queue("demo").add("next")) == "done"

    assert await state_of(store, keys, parks.id) is JobState.DELAYED
    delay_ms = int((await hash_of(store, keys, parks.id))["delay"])
    assert 3_600_000 - 1000 < delay_ms <= 3_600_000


async def test_a_limited_queue_stands_still_without_a_limiter(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    starts: list[tuple[str, float]] = []

    @processor("demo", concurrency=2)
    async def run(job: Job[Any], ctx: Context) -> None:
        starts.append((job.id, anyio.current_time()))
        if len(starts) == 1:
            await ctx.rate_limit(timedelta(milliseconds=300))

    app, other = open_app(run), open_app(run)

    async with working(app):
        first = await app.queue("demo").add("x")
        await until(partial(is_back, store, keys), message="the limit is set")
        async with working(other):
            await app.queue("demo").add("y")
            await all_finished(app, "demo")

    assert [job_id for job_id, _ in starts] == [first.id, first.id, "2"]
    assert starts[1][1] - starts[0][1] >= 0.25


async def is_back(store: Store, keys: QueueKeys) -> bool:
    """Whether a job has been in line twice, as events tell also later."""
    return (await events_of(store, keys)).count("waiting") == 2


async def test_the_jobs_scope_is_closed_before_it_parks_as_if_it_had_returned(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    told: list[str] = []

    @processor("demo")
    async def run(job: Job[Any], ctx: Context, session: Session) -> None:
        told.append("runs")
        await ctx.delay_for(HOUR)

    app = open_app(run, providers=(sessions(told),))

    async with working(app):
        job = await app.queue("demo").add("x")
        await until(lambda: scores_of(store, keys, "delayed"), message="the job is parked")

    assert told == ["runs", "committed"]
    assert await state_of(store, keys, job.id) is JobState.DELAYED


async def test_a_commit_that_fails_fails_the_run_that_wanted_to_park(open_app: Open) -> None:
    told: list[str] = []

    @processor("demo")
    async def run(job: Job[Any], ctx: Context, session: Session) -> None:
        await ctx.delay_for(HOUR)

    app = open_app(run, providers=(sessions(told, closing=ValueError),))

    async with working(app):
        job = await app.queue("demo").add("x")
        with pytest.raises(JobFailedError, match="cannot commit"):
            await app.queue("demo").result(job)


async def test_a_wish_of_one_task_ends_the_others_and_parks(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    told: list[str] = []

    async def sleep() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            told.append("ended")

    @processor("demo")
    async def run(job: Job[Any], ctx: Context, session: Session) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleep)
            tasks.start_soon(ctx.delay_for, HOUR)

    app = open_app(run, providers=(sessions(told),))

    async with working(app):
        await app.queue("demo").add("x")
        await until(lambda: scores_of(store, keys, "delayed"), message="the job is parked")

    assert told == ["ended", "committed"]


async def test_an_error_beside_a_wish_fails_the_attempt(open_app: Open) -> None:
    told: list[str] = []

    @processor("demo")
    async def run(job: Job[Any], session: Session) -> None:
        raise BaseExceptionGroup("g", [Parked(DelayFor(HOUR)), ValueError("boom")])

    app = open_app(run, providers=(sessions(told),))

    async with working(app):
        job = await app.queue("demo").add("x")
        with pytest.raises(JobFailedError, match="boom"):
            await app.queue("demo").result(job)

    assert told == ["rolled back: ExceptionGroup"]


async def test_two_wishes_fail_the_job_whatever_attempts_are_left(open_app: Open) -> None:
    runs: list[str] = []

    @processor("demo")
    async def run(job: Job[Any]) -> None:
        runs.append(job.id)
        wishes = [Parked(DelayFor(HOUR)), Parked(DelayFor(SOON))]
        raise BaseExceptionGroup("g", wishes)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=3)
        with pytest.raises(JobFailedError, match="parked in two ways"):
            await app.queue("demo").result(job)

    assert runs == ["1"]


async def test_no_hook_hears_of_a_job_that_parks(open_app: Open) -> None:
    heard: list[str] = []

    @processor("demo")
    class Parks:
        async def process(self, job: Job[Any], ctx: Context) -> None:
            if job.attempts_started < 3:
                await ctx.delay_for(timedelta(0))

        @on_event("failed")
        async def failed(self) -> None:
            heard.append("failed")

        @on_event("completed")
        async def completed(self) -> None:
            heard.append("completed")

        @on_event("active")
        async def active(self) -> None:
            heard.append("active")

    app = open_app(Parks)

    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("x"))
        await until(lambda: "completed" in heard)

    assert heard == ["active", "active", "active", "completed"]


async def test_a_thread_parks_too(open_app: Open, store: Store, keys: QueueKeys) -> None:
    @processor("demo", run_in="thread")
    def run(job: Job[Any], ctx: SyncContext) -> str:
        if job.attempts_started == 1:
            ctx.delay_for(SOON)
        if job.attempts_started == 2:
            ctx.delay_until(soon())
        if job.attempts_started == 3:
            ctx.rate_limit(SOON)
        ctx.wait_for_children()
        assert ctx.children_values(int) == {}
        assert (ctx.ignored_children(), ctx.failed_children()) == ({}, [])
        assert ctx.dependencies_count().unprocessed == 0
        return "done"

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        assert await app.queue("demo").result(job) == "done"

    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["ats"]) == ("1", "4")


async def test_a_run_that_swallows_its_wish_completes_with_a_warning(open_app: Open) -> None:
    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> str:
        try:
            await ctx.delay_for(HOUR)
        except BaseException:
            return "swallowed"

    @processor("threads", run_in="thread")
    def run_in_thread(job: Job[Any], ctx: SyncContext, session: Session) -> str:
        with suppress(BaseException):
            ctx.rate_limit(HOUR)
        return "swallowed"

    app = open_app(run, run_in_thread, providers=(sessions([]),))

    with capture_logs() as logs:
        async with working(app):
            for queue in map(app.queue, ("demo", "threads")):
                assert await queue.result(await queue.add("x")) == "swallowed"

    warned = [line for line in logs if "Parked was swallowed" in line["event"]]
    assert [(line["job"], line["queue"]) for line in warned] == [("1", "demo"), ("1", "threads")]
    assert "DelayFor" in warned[0]["wish"]
    assert "except BaseException" in warned[0]["fix"]


async def test_a_wish_that_cannot_be_granted_fails_the_attempt(open_app: Open) -> None:
    app = open_app(leaves_once(lambda ctx: ctx.delay_for(-SOON)))

    async with working(app):
        job = await app.queue("demo").add("x")
        with pytest.raises(JobFailedError, match="must not be negative"):
            await app.queue("demo").result(job)


class Step(StrEnum):
    FETCH = "fetch"
    COUNT = "count"


class Stage(IntEnum):
    FIRST = 1
    SECOND = 2


class Order(BaseModel):
    step: Step = Step.FETCH
    stage: Stage = Stage.FIRST


async def test_a_saved_step_is_not_run_again(open_app: Open, store: Store, keys: QueueKeys) -> None:
    runs: list[object] = []

    @processor("demo")
    async def run(job: Job[Order], ctx: Context) -> str:
        runs.append(job.data.step)
        if job.data.step is Step.FETCH:
            saved = job.data.model_copy(update={"step": Step.COUNT, "stage": Stage.SECOND})
            job = await ctx.save(job, saved)
            await ctx.delay_for(timedelta(0))
        if ctx.attempt == 1:
            raise ValueError("once")
        return f"{job.data.step!r} {job.data.stage!r}"

    app = open_app(run)

    async with working(app):
        producer = await app.producer(Order)
        job = await producer.add(Order(), attempts=2)
        result = await app.queue("demo").result(job)

    assert runs == [Step.FETCH, Step.COUNT, Step.COUNT]
    assert result == f"{Step.COUNT!r} {Stage.SECOND!r}"
    assert (await hash_of(store, keys, job.id))["data"] == '{"step":"count","stage":2}'


async def test_a_step_that_nobody_knows_fails_its_job_with_its_reason(open_app: Open) -> None:
    @processor("demo")
    async def run(job: Job[Order]) -> None: ...

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("order", {"step": "shred"}, attempts=5)
        with pytest.raises(JobFailedError, match="step: Input should be 'fetch' or 'count'"):
            await app.queue("demo").result(job)


async def test_a_job_parked_on_a_lost_lock_stays_where_it_is(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    begun = anyio.Event()

    @processor("demo")
    async def run(job: Job[Any], ctx: Context) -> None:
        begun.set()
        await store.command("SET", f"{keys.job(job.id)}:lock", "another")
        await ctx.delay_for(SOON)

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x")
        await begun.wait()
        await until(lambda: app.running == 0, message="the run has ended")

    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("GET", f"{keys.job(job.id)}:lock") == b"another"
    assert [one["event"] for one in await entries_of(store, keys)][-1] == "active"
