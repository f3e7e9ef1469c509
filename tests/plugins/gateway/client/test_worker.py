"""A client works jobs: what its handlers say becomes of each."""

from datetime import timedelta
from typing import Any, NoReturn

import anyio
import pytest

from framework import Job, JobState, Queue, UnrecoverableError
from framework_gateway import (
    DeliveredJob,
    GatewayClient,
    GatewayConnectionError,
)
from tests.plugins.gateway import clients
from tests.plugins.gateway.client.conftest import client_of
from tests.plugins.gateway.client.hold import Handler, Hold, start_work
from tests.plugins.gateway.clients import has_state
from tests.plugins.gateway.conftest import Start
from tests.support.until import until


async def test_what_a_handler_returns_is_the_result(client: GatewayClient, queue: Queue) -> None:
    seen: list[DeliveredJob] = []

    async def handle(job: DeliveredJob) -> object:
        seen.append(job)
        await job.progress({"percent": 50})
        await job.log("half")
        return {"of": job.data}

    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, handle, name="packer")
        job = await queue.add("pack", [1], attempts=3)
        assert await queue.result(job) == {"of": [1]}
        (worker,) = await queue.workers()
        tasks.cancel_scope.cancel()

    (told,) = seen
    assert (told.id, told.name, told.data) == (job.id, "pack", [1])
    assert (told.attempts, told.attempts_made, told.job.attempts_started) == (3, 0, 1)
    done = await queue.job(job.id)
    assert done is not None
    assert done.progress == {"percent": 50}
    assert await queue.logs(job.id) == ["half"]
    assert worker.name == "packer"


async def raises(_: DeliveredJob) -> NoReturn:
    """Fail as code does."""
    raise LookupError("no such parcel")


async def gives_up(_: DeliveredJob) -> NoReturn:
    """Fail for good."""
    raise UnrecoverableError("never will")


async def returns_nan(_: DeliveredJob) -> float:
    """Return what JSON cannot hold."""
    return float("nan")


@pytest.mark.parametrize(
    ("handler", "attempts", "reason"),
    [
        (raises, 2, "no such parcel"),
        (gives_up, 1, "never will"),
        (returns_nan, 1, "the result cannot be written"),
    ],
)
async def test_what_a_handler_raises_fails_the_job(
    client: GatewayClient, queue: Queue, handler: Handler, attempts: int, reason: str
) -> None:
    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, handler)
        job = await queue.add("n", 1, attempts=2)
        failed = await has_state(queue, job, JobState.FAILED)
        tasks.cancel_scope.cancel()

    assert failed.attempts_made == attempts
    assert failed.failed_reason is not None
    assert failed.failed_reason.startswith(reason)
    if handler is raises:
        assert "in raises" in failed.stacktrace[0]


async def test_never_more_jobs_run_than_asked_for(client: GatewayClient, queue: Queue) -> None:
    hold = Hold()
    jobs = await queue.add_bulk([("n", number) for number in range(6)])

    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, hold, concurrency=2)
        await until(lambda: len(hold.begun) == 2, message="two run")
        hold.let_go()
        for job in jobs:
            await queue.result(job)
        tasks.cancel_scope.cancel()

    assert hold.most == 2
    assert len(hold.begun) == 6


async def test_a_job_is_acknowledged_before_its_handler_has_ended(
    start: Start, queue: Queue
) -> None:
    gateway, hold = await start(ack_timeout=50), Hold()
    async with client_of(gateway) as client, anyio.create_task_group() as tasks:
        await start_work(tasks, client, hold)
        job = await queue.add("n", "acknowledged")
        await until(lambda: hold.begun, message="it runs")
        async with clients.client(gateway, "/queue/demo/process/1") as silent:
            await queue.add("n", "not acknowledged", lifo=True)
            await silent.receive()
            assert (await silent.data())["payload"]["code"] == "EACKTIMEOUT"

        # Delivered before that one, it would have been revoked before it.
        hold.let_go()
        assert await queue.result(job) == "run 1"
        tasks.cancel_scope.cancel()

    assert hold.cancelled == []


async def test_a_job_that_is_revoked_is_cancelled(client: GatewayClient, queue: Queue) -> None:
    said_after: list[Exception] = []

    async def handle(job: DeliveredJob) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await job.log("too late")
                except GatewayConnectionError as error:
                    said_after.append(error)

    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, handle, job_timeout=timedelta(milliseconds=50))
        job = await queue.add("n", 1)
        failed = await has_state(queue, job, JobState.FAILED)
        await until(lambda: said_after, message="its handler has ended")
        tasks.cancel_scope.cancel()

    assert failed.failed_reason == "job timed out"
    assert await queue.logs(job.id) == []


async def test_a_handler_may_leave_early_with_other_data(
    client: GatewayClient, queue: Queue
) -> None:
    steps: list[object] = []

    async def handle(job: DeliveredJob) -> str:
        steps.append(job.data)
        try:
            if job.data == "first":
                await job.save("second")
                await job.delay_for(timedelta(milliseconds=20))
            if job.data == "second":
                await job.save("third")
                await job.give_back()
        except Exception:
            steps.append("caught")
            raise
        return "done"

    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, handle)
        job: Job[Any] = await queue.add("n", "first")
        assert await queue.result(job) == "done"
        tasks.cancel_scope.cancel()

    assert steps == ["first", "second", "third"]
    done = await queue.job(job.id)
    assert done is not None
    assert (done.attempts_made, done.stalled_counter) == (1, 0)
