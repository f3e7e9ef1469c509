"""What a handler may raise, and what is left of it."""

import asyncio  # noqa: TID251 - CancelledError is what a handler may raise
from typing import Any

import pytest

from framework import Job, JobFailedError, UnrecoverableError, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import add, hash_of, raw_job
from tests.support.echoes import Echo


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


async def test_an_unrecoverable_error_is_not_retried(open_app: Open) -> None:
    @processor("demo")
    async def declined(job: Job[Echo]) -> None:
        raise UnrecoverableError("card declined")

    app = open_app(declined)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("echo", {"message": ""}, attempts=5)
        with pytest.raises(JobFailedError, match="card declined"):
            await queue.result(job)
        found = await queue.job(job.id)

    assert found is not None
    assert found.attempts_made == 1


RAISED = [
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    GeneratorExit(),
    StopIteration(),
    StopAsyncIteration(),
    BaseExceptionGroup("two", [SystemExit(1), ValueError("x")]),
    UnprintableError(),
    ValueError("\ud800 and \x00"),
    MemoryError(),
    RecursionError("deep"),
]


@pytest.mark.parametrize("error", RAISED, ids=[type(error).__name__ for error in RAISED])
@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_whatever_a_handler_raises_ends_its_job_and_not_the_worker(
    open_app: Open, error: BaseException, kind: str
) -> None:
    @processor("demo", run_in="loop" if kind == "loop" else "thread")
    class Raises:
        def process(self, job: Job[Echo]) -> str:
            if job.data.message == "bad":
                raise error
            return "still here"

    app = open_app(Raises)

    async with working(app):
        queue = app.queue("demo")
        bad = await queue.add("echo", {"message": "bad"})
        with pytest.raises(JobFailedError):
            await queue.result(bad)
        assert await queue.result(await queue.add("echo", {"message": "good"})) == "still here"


async def test_a_failed_job_tells_where_it_failed(open_app: Open) -> None:
    @processor("demo")
    async def failing(job: Job[Echo]) -> None:
        raise ValueError("in user code")

    app = open_app(failing)

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError) as raised:
            await queue.result(await queue.add("echo", {"message": ""}))

    [trace] = raised.value.stacktrace
    assert "ValueError: in user code" in trace
    assert "async def failing" not in trace
    assert "test_failing_runs.py" in trace
    assert "framework/worker/runner.py" not in trace


async def test_a_deferred_failure_fails_the_job_before_it_runs(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: list[str] = []

    @processor("demo")
    async def note(job: Job[Any]) -> None:
        runs.append(job.id)

    await add(store, keys, raw_job(b'{"attempts":5}'))
    await store.command("HSET", keys.job("1"), "defa", "child x failed")
    app = open_app(note)

    async with working(app):
        with pytest.raises(JobFailedError, match="child x failed"):
            await app.queue("demo").result("1")

    assert runs == []
    assert "defa" not in await hash_of(store, keys, "1")
