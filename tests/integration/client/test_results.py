"""Waiting for what a job returns."""

import time
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Job,
    JobFailedError,
    JobNotFoundError,
    KeepJobs,
    PayloadError,
    Producer,
    ResultTimeoutError,
    UnrecoverableError,
    processor,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import active_job, complete, fail, trade
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

SECOND = timedelta(seconds=1)


class Number(BaseModel):
    number: int


class Doubled(BaseModel):
    value: int


@processor("demo", concurrency=50)
async def double(job: Job[Number]) -> Doubled:
    if job.data.number < 0:
        raise UnrecoverableError("negative")
    return Doubled(value=2 * job.data.number)


async def until_somebody_waits(store: Store) -> None:
    """Wait until a read of an event stream is under way."""

    async def is_read() -> bool:
        clients = (await store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
        return any("cmd=xread" in one and "flags=b" in one for one in clients.splitlines())

    await until(is_read, message="somebody waits")


async def test_a_result_has_the_type_it_was_returned_with(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        producer: Producer[Number, Doubled] = await app.get(Producer[Number, Doubled])
        assert await producer.result(await producer.add(Number(number=4))) == Doubled(value=8)


async def test_a_result_that_was_there_before_is_found(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        producer = await app.producer(Number)
        job = await producer.add(Number(number=4))
        await producer.result(job)
        again = await producer.result(job.id)

    assert again == Doubled(value=8)


async def test_a_job_that_is_removed_at_once_still_gives_its_result(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        producer = await app.producer(Number)
        gate = await producer.add(Number(number=1), delay=SECOND)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(producer.result, gate)
            await until_somebody_waits(app.store)
            job = await producer.add(
                Number(number=4), remove_on_complete=True, delay=timedelta(milliseconds=100)
            )
            assert await producer.result(job) == Doubled(value=8)


async def test_a_failure_is_told_with_its_trace(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        producer = await app.producer(Number)
        with pytest.raises(JobFailedError, match="negative") as raised:
            await producer.result(await producer.add(Number(number=-1)))

    assert (raised.value.job_id, raised.value.queue) == ("1", "demo")
    assert "UnrecoverableError: negative" in raised.value.stacktrace[0]


async def test_a_failed_job_that_is_removed_at_once_tells_its_reason(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        producer = await app.producer(Number)
        job = await producer.add(
            Number(number=-1), remove_on_fail=KeepJobs.none(), delay=timedelta(milliseconds=200)
        )
        with pytest.raises(JobFailedError, match="negative"):
            await producer.result(job)


async def test_two_hundred_waiters_are_served_together(open_app: Open) -> None:
    app = open_app(double)
    results: list[Doubled] = []

    async def wait(job: Job[Number, Any]) -> None:
        results.append(await producer.result(job))

    async with app:
        producer = await app.producer(Number)
        jobs = await producer.add_bulk(Number(number=n) for n in range(200))
        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(wait, job)
            async with working(open_app(double)):
                await until(lambda: len(results) == 200, message="all have their results")

    assert sorted(each.value for each in results) == [2 * n for n in range(200)]


async def test_many_may_wait_for_one_job(open_app: Open) -> None:
    app = open_app(double)
    results: list[Any] = []

    async def wait() -> None:
        results.append(await producer.result(job))

    async with working(app):
        producer = await app.producer(Number)
        job = await producer.add(Number(number=1), delay=timedelta(milliseconds=100))
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(wait)

    assert results == [Doubled(value=2)] * 5


async def test_who_waits_too_long_is_told(open_app: Open) -> None:
    app = open_app(double)

    async with app:
        producer = await app.producer(Number)
        job = await producer.add(Number(number=1))
        watch = Stopwatch()
        with pytest.raises(ResultTimeoutError, match=r"within 0.2 s; it goes on"):
            await producer.result(job, timeout=timedelta(milliseconds=200))

    assert time.monotonic() - watch.at >= 0.19
    assert watch.seconds < 0.6


async def test_a_timeout_is_a_timeout_error(open_app: Open) -> None:
    app = open_app(double)

    async with app:
        producer = await app.producer(Number)
        with pytest.raises(TimeoutError):
            await producer.result(
                await producer.add(Number(number=1)), timeout=timedelta(milliseconds=10)
            )


async def test_a_job_that_never_was_is_told_at_once(open_app: Open) -> None:
    app = open_app(double)

    async with app:
        producer = await app.producer(Number)
        with pytest.raises(JobNotFoundError, match='job 77 of queue "demo" is not in Redis'):
            await producer.result("77")


async def test_a_job_that_is_removed_while_it_is_waited_for_is_told(open_app: Open) -> None:
    app = open_app(double)

    async with app, anyio.create_task_group() as tasks:
        producer = await app.producer(Number)
        job = await producer.add(Number(number=1))

        async def remove() -> None:
            await until_somebody_waits(app.store)
            await app.queue("demo").remove(job.id)

        tasks.start_soon(remove)
        with pytest.raises(JobNotFoundError):
            await producer.result(job, timeout=5 * SECOND)


async def test_a_result_that_does_not_fit_is_told(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    held = await active_job(store, keys)
    await trade(store, keys, complete(held, b'{"value":"none"}'))
    app = open_app(double)

    async with app:
        producer = await app.producer(Number)
        with pytest.raises(PayloadError, match="value"):
            await producer.result(held.id)


async def test_odd_entries_in_the_stream_disturb_no_waiter(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    held = await active_job(store, keys)
    app = open_app(double)
    odd = [
        ("event", "completed", "jobId", "99"),
        ("event", "completed", "jobId", "99", "returnvalue", "no json"),
        ("event", "progress", "jobId", "99", "data", "{"),
        ("event", "delayed", "jobId", "99", "delay", "1e300"),
        ("event", "delayed", "jobId", "99", "delay", "-5e15"),
        ("event", "waiting", "jobId", b"\xff", "prev", b"\xfe"),
        (b"\xff", b"\xfe"),
        ("nothing", "known"),
    ]

    async def finish() -> None:
        await until_somebody_waits(store)
        for entry in odd:
            await store.command("XADD", keys["events"], "*", *entry)
        await trade(store, keys, complete(held, b'{"value":1}'))

    async with app, anyio.create_task_group() as tasks:
        producer = await app.producer(Number)
        tasks.start_soon(finish)
        watch = Stopwatch()
        assert await producer.result(held.id) == Doubled(value=1)

    assert watch.seconds < 1


async def test_a_trimmed_stream_hides_no_result(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    held = await active_job(store, keys)
    app = open_app(double)

    async def finish() -> None:
        await until_somebody_waits(store)
        await store.pipeline(
            [
                ("DEL", keys["events"]),
            ]
        )
        await trade(store, keys, fail(held, "boom"))
        await store.command("DEL", keys["events"])

    async with app, anyio.create_task_group() as tasks:
        producer = await app.producer(Number)
        tasks.start_soon(finish)
        with pytest.raises(JobFailedError, match="boom"):
            await producer.result(held.id, timeout=4 * SECOND)


BIG = 2**63 + 1
VALUES = [BIG, 0.1, 1e22, "žluť 🐎", None, True, [], {}, {"a": [1, {"b": None}]}, "", "null"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_any_json_comes_back_as_it_was_returned(open_app: Open, value: object) -> None:
    @processor("demo")
    async def give(job: Job[Any]) -> Any:  # noqa: ANN401 - any JSON
        return value

    app = open_app(give)

    async with working(app):
        queue = app.queue("demo")
        heard = await queue.result(await queue.add("x", delay=timedelta(milliseconds=30)))
        read = await queue.result("1")

    assert heard == read == value
    assert type(heard) is type(value)
