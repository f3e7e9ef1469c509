"""A worker that is cut off, stopped, cancelled or refused: no job is lost by that."""

from datetime import timedelta

import anyio
import pytest

from framework import JobState, Queue
from framework_gateway import (
    Gateway,
    GatewayClient,
    GatewayRefusedError,
)
from framework_gateway.ws.worker_channel import WorkerChannel
from tests.plugins.gateway.client.conftest import WRONG, client_at, client_of
from tests.plugins.gateway.client.hold import Hold, echo, start_work
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.clients import has_state
from tests.plugins.gateway.conftest import Start
from tests.support.until import until


async def test_jobs_of_a_connection_that_is_cut_run_again_and_their_first_runs_are_void(
    client: GatewayClient, line: Line, queue: Queue
) -> None:
    hold = Hold()
    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, hold, concurrency=2)
        jobs = await queue.add_bulk([("n", 1), ("n", 2)])
        await until(lambda: len(hold.begun) == 2, message="both run")

        line.cut()
        await until(lambda: len(hold.begun) == 4, message="both run again")
        hold.let_go()
        results = [await queue.result(job) for job in jobs]
        tasks.cancel_scope.cancel()

    assert sorted(hold.cancelled) == ["1", "2"]
    assert results == ["run 4", "run 4"]
    assert hold.most == 2
    done = await queue.job("1")
    assert done is not None
    assert (done.stalled_counter, done.attempts_made) == (1, 1)


async def test_the_job_of_a_worker_that_is_cut_off_runs_elsewhere(
    start: Start, queue: Queue
) -> None:
    first, second = await start(), await start()
    hold, other = Hold(), Hold()
    other.let_go()
    async with anyio.create_task_group() as tasks:
        async with Line(first.port).serve() as line, client_at(line.url) as client:
            await start_work(tasks, client, hold)
            job = await queue.add("n", 1)
            await until(lambda: hold.begun, message="it runs")
        async with client_of(second) as elsewhere:
            await start_work(tasks, elsewhere, other)

            assert await queue.result(job) == "run 1"

    assert hold.cancelled == other.begun == [job.id]


async def test_a_worker_outlives_its_gateway(start: Start, queue: Queue) -> None:
    gateway = await start()
    async with client_of(gateway) as client, anyio.create_task_group() as tasks:
        await start_work(tasks, client, echo)
        before = await queue.add("n", "before")
        assert await queue.result(before) == "before"

        await gateway.close()
        after = await queue.add("n", "after")
        await start(port=gateway.port)

        assert await queue.result(after) == "after"
        tasks.cancel_scope.cancel()


async def test_a_worker_that_stops_lets_its_jobs_end_and_takes_no_more(
    client: GatewayClient, line: Line, gateway: Gateway, queue: Queue
) -> None:
    hold = Hold()
    async with anyio.create_task_group() as tasks:
        worker = await start_work(tasks, client, hold, concurrency=2)
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        await until(lambda: len(hold.begun) == 2, message="two run")

        worker.stop()
        (told,) = gateway.hub.connections
        channel = told.connection
        assert isinstance(channel, WorkerChannel)
        await until(lambda: not channel.takes, message="it is drained")
        hold.let_go()

    assert [await queue.result(job) for job in jobs[:2]] == ["run 2", "run 2"]
    left = await has_state(queue, jobs[2], JobState.WAITING)
    assert (left.stalled_counter, left.attempts_started) == (0, 0)
    assert line.opened == 1
    await until(lambda: not list(gateway.hub.connections), message="it has left")


async def test_jobs_that_do_not_end_in_the_grace_are_given_back_uncounted(
    client: GatewayClient, queue: Queue
) -> None:
    hold = Hold()
    async with anyio.create_task_group() as tasks:
        worker = await start_work(tasks, client, hold, grace=timedelta(milliseconds=50))
        job = await queue.add("n", 1)
        await until(lambda: hold.begun, message="it runs")

        worker.stop()

    back = await has_state(queue, job, JobState.WAITING)
    assert (back.stalled_counter, back.attempts_made) == (0, 0)
    assert hold.cancelled == [job.id]


async def test_a_worker_that_is_cancelled_gives_its_jobs_back_uncounted(
    client: GatewayClient, queue: Queue
) -> None:
    hold = Hold()
    async with anyio.create_task_group() as tasks:
        await start_work(tasks, client, hold, concurrency=2)
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        await until(lambda: len(hold.begun) == 2, message="two run")

        tasks.cancel_scope.cancel()

    for job in jobs:
        back = await has_state(queue, job, JobState.WAITING)
        assert (back.stalled_counter, back.attempts_made) == (0, 0)
    assert len(hold.begun) == 2


async def test_a_worker_that_waits_for_a_gateway_can_be_stopped(start: Start) -> None:
    gateway = await start()
    async with client_of(gateway) as client, anyio.create_task_group() as tasks:
        worker = await start_work(tasks, client, echo)
        await gateway.close()

        worker.stop()


async def test_a_client_that_is_closed_stops_its_workers(gateway: Gateway, queue: Queue) -> None:
    async with anyio.create_task_group() as tasks, client_of(gateway) as client:
        await start_work(tasks, client, echo)

    assert await queue.workers() == []


async def test_a_worker_without_the_right_token_is_refused(line: Line) -> None:
    async with client_at(line.url, token=WRONG) as client:
        with anyio.fail_after(10), pytest.raises(GatewayRefusedError, match=r"worker of demo.*401"):
            await client.work("demo", echo)

    assert line.opened == 1


async def test_a_worker_whose_token_is_revoked_ends(
    gateway: Gateway, client: GatewayClient, line: Line
) -> None:
    async def revoked() -> None:
        with pytest.raises(GatewayRefusedError) as refused:
            await client.work("demo", echo)
        assert refused.value.code == 4000

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(revoked)
        await until(lambda: list(gateway.hub.connections), message="it is connected")
        gateway.revoke("right-key")

    assert line.opened == 1
