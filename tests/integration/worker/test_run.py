"""A worker runs jobs: what it hands in, and what it records."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import Context, Job, JobFailedError, Producer, SyncContext, handles, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import hash_of
from tests.support.echoes import Echo, Echoes


class Other(BaseModel):
    number: int


async def test_a_job_runs_and_gives_its_result(open_app: Open) -> None:
    app = open_app(Echoes)

    async with working(app):
        producer: Producer[Echo, dict[str, str]] = await app.get(Producer[Echo, dict[str, str]])
        job = await producer.add(Echo(message="hi"))
        result = await producer.result(job)

    assert result == {"echoed": "hi"}


async def test_a_job_keeps_what_its_run_was(open_app: Open, store: Store, keys: QueueKeys) -> None:
    app = open_app(Echoes)

    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("echo", {"message": "hi"}))

    fields = await hash_of(store, keys, "1")
    assert (fields["returnvalue"], fields["atm"], fields["ats"]) == ('{"echoed":"hi"}', "1", "1")
    assert int(fields["timestamp"]) <= int(fields["processedOn"]) <= int(fields["finishedOn"])
    assert ":" in fields["pb"]


async def test_a_function_is_a_processor_too(open_app: Open) -> None:
    @processor("demo")
    async def double(job: Job[Other]) -> int:
        return 2 * job.data.number

    app = open_app(double)

    async with working(app):
        producer = await app.producer(Other)
        assert await producer.result(await producer.add(Other(number=21))) == 42


async def test_a_processor_that_returns_nothing_completes_with_null(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def nothing(job: Job[Other]) -> None:
        pass

    app = open_app(nothing)

    async with working(app):
        producer = await app.producer(Other)
        assert await producer.result(await producer.add(Other(number=1))) is None

    assert (await hash_of(store, keys, "1"))["returnvalue"] == "null"


@processor("demo")
class Mixed:
    @handles("echo")
    async def echo(self, job: Job[Echo]) -> str:
        return job.data.message

    @handles("number")
    async def number(self, job: Job[Other]) -> int:
        return job.data.number


async def test_each_name_has_its_handler(open_app: Open) -> None:
    app = open_app(Mixed)

    async with working(app):
        queue = app.queue("demo")
        first = await queue.add("echo", {"message": "hi"})
        second = await queue.add("number", {"number": 7})

        assert [await queue.result(first), await queue.result(second)] == ["hi", 7]


async def test_an_unknown_name_fails_with_the_known_ones(open_app: Open) -> None:
    app = open_app(Mixed)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("ehco", {}, attempts=3)
        with pytest.raises(JobFailedError, match='"ehco"') as raised:
            await queue.result(job)
        found = await queue.job(job.id)

    assert '"echo", "number"' in raised.value.reason
    assert found is not None
    assert found.attempts_made == 1


async def test_a_catch_all_takes_every_other_name(open_app: Open) -> None:
    @processor("demo")
    class Wide:
        @handles("echo")
        async def echo(self, job: Job[Echo]) -> str:
            return "named"

        async def process(self, job: Job[Any]) -> str:
            return f"rest: {job.name}"

    app = open_app(Wide)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": ""})) == "named"
        assert await queue.result(await queue.add("other")) == "rest: other"


async def test_a_running_job_reports_and_logs_and_saves(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    class Reports:
        async def process(self, job: Job[Echo], ctx: Context) -> str:
            await ctx.progress({"pct": 50})
            await ctx.log("half way")
            job = await ctx.save(job, Echo(message="saved"))
            return f"{job.data.message} in attempt {ctx.attempt}"

    app = open_app(Reports)

    async with working(app):
        queue = app.queue("demo")
        result = await queue.result(await queue.add("echo", {"message": "x"}, keep_logs=3))
        logs = await queue.logs("1")

    fields = await hash_of(store, keys, "1")
    assert result == "saved in attempt 1"
    assert (fields["progress"], fields["data"]) == ('{"pct":50}', '{"message":"saved"}')
    assert logs == ["half way"]


async def test_a_sync_handler_runs_in_a_thread_with_a_context(open_app: Open) -> None:
    @processor("demo", run_in="thread", concurrency=2)
    class Blocking:
        def process(self, job: Job[Echo], ctx: SyncContext) -> bool:
            ctx.progress(50)
            ctx.log("from a thread")
            saved = ctx.save(job, Echo(message="saved"))
            anyio.from_thread.check_cancelled()
            return saved.data.message == "saved"

    app = open_app(Blocking)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": "x"})) is True
        assert await queue.logs("1") == ["from a thread"]


async def test_threads_run_as_many_jobs_as_they_should(open_app: Open) -> None:
    now = most = 0

    @processor("demo", run_in="thread", concurrency=3)
    class Blocking:
        def process(self, job: Job[Echo], ctx: SyncContext) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            ctx.progress(1)
            now -= 1

    app = open_app(Blocking)

    async with working(app):
        queue = app.queue("demo")
        jobs = await queue.add_bulk([("echo", {"message": ""})] * 30)
        for job in jobs:
            await queue.result(job)

    assert 2 <= most <= 3


async def test_a_run_knows_the_token_that_holds_its_job(open_app: Open) -> None:
    @processor("demo")
    async def keep(job: Job[Any], ctx: Context) -> bool:
        held = await app.queue("demo").held_job(job.id, ctx.token)
        lost = await app.queue("demo").extend_locks({job.id: ctx.token}, timedelta(minutes=1))
        return held.id == job.id and not lost

    app = open_app(keep)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("any")) is True
