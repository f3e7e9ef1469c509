"""Errors and options that say what becomes of a job: strategies, limits of starts."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from framework import Context, Custom, Job, JobFailedError, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import events_of, hash_of

MS = timedelta(milliseconds=1)


class BankBusyError(Exception):
    """Try later."""


async def test_a_jobs_backoff_is_what_its_processor_says(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    asked: list[tuple[int, str, str]] = []

    def wait_for_bank(attempt: int, error: BaseException, job: Job[Any]) -> timedelta | None:
        asked.append((attempt, type(error).__name__, job.id))
        return attempt * 20 * MS if attempt < 3 else None

    @processor("demo", backoffs={"bank": wait_for_bank})
    async def run(job: Job[Any]) -> None:
        raise BankBusyError("busy")

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=9, backoff=Custom("bank"))
        with pytest.raises(JobFailedError, match="busy"):
            await app.queue("demo").result(job)

    assert asked == [(n, "BankBusyError", job.id) for n in (1, 2, 3)]
    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["delay"]) == ("3", "0")
    assert (await events_of(store, keys, job.id)).count("delayed") == 2
    assert "retries-exhausted" not in await events_of(store, keys, job.id)


async def test_a_backoff_that_no_one_knows_fails_the_job_and_its_trace_says_so(
    open_app: Open,
) -> None:
    @processor("demo")
    async def run(job: Job[Any]) -> None:
        raise BankBusyError("busy")

    app = open_app(run)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("x", attempts=9, backoff=Custom("bank"))
        with pytest.raises(JobFailedError, match="busy") as caught:
            await queue.result(job)

    assert 'asks for the backoff "bank"' in caught.value.stacktrace[0]


async def test_a_job_is_not_started_more_often_than_it_may(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    starts: list[int] = []

    @processor("demo", max_started_attempts=3)
    async def run(job: Job[Any], ctx: Context) -> None:
        starts.append(job.attempts_started)
        await ctx.delay_for(timedelta(0))

    app = open_app(run)

    with capture_logs() as logs:
        async with working(app):
            job = await app.queue("demo").add("x", attempts=9)
            with pytest.raises(JobFailedError, match="job started more than allowable limit"):
                await app.queue("demo").result(job)

    assert starts == [1, 2, 3]
    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["ats"]) == ("1", "4")
    (told,) = [line for line in logs if line["event"] == "job failed"]
    assert (told["started"], told["max_started_attempts"]) == (4, 3)


async def test_a_job_that_may_not_be_started_again_is_not_retried(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo", max_started_attempts=2)
    async def run(job: Job[Any]) -> None:
        raise BankBusyError(f"start {job.attempts_started}")

    app = open_app(run)

    async with working(app):
        job = await app.queue("demo").add("x", attempts=9)
        with pytest.raises(JobFailedError, match="start 2"):
            await app.queue("demo").result(job)
        await anyio.lowlevel.checkpoint()

    assert (await hash_of(store, keys, job.id))["ats"] == "2"


async def test_a_job_that_odd_keys_keep_from_ending_holds_up_no_other(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo", concurrency=2)
    async def run(job: Job[Any]) -> str:
        if job.name == "odd":
            parent = keys.job("P")
            await store.command("HSET", parent, "name", "p")
            await store.command("SET", f"{parent}:processed", "odd")
            await store.command("SADD", f"{parent}:dependencies", keys.job(job.id))
            text = f'{{"id":"P","queueKey":"{keys.qualified}"}}'
            await store.command("HSET", keys.job(job.id), "parentKey", parent, "parent", text)
        return "done"

    app = open_app(run)

    async with working(app):
        queue = app.queue("demo")
        odd = await queue.add("odd", attempts=3)
        assert await queue.result(await queue.add("next")) == "done"
        with pytest.raises(JobFailedError, match="not of the type that it should be"):
            await queue.result(odd)

    assert (await hash_of(store, keys, odd.id))["ats"] == "1"
