"""Worker clients that leave, with a word or without, and gateways that close."""

import anyio
import httpx2
import pytest

from framework import JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import Gateway
from tests.plugins.gateway.clients import client, has_state, refused
from tests.plugins.gateway.conftest import Start
from tests.support.builders import events_of, list_of
from tests.support.loop_clock import LoopClock
from tests.support.until import until


@pytest.mark.parametrize("leave", ["cut", "close", "close with an error"])
async def test_jobs_of_a_client_that_left_are_the_first_in_line_as_they_were(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys, leave: str
) -> None:
    async with client(gateway, "/queue/demo/process/3") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(5)])
        for _ in range(3):
            await worker.receive()
        match leave:
            case "cut":
                worker.cut()
            case "close":
                await worker.socket.close()
            case _:
                await worker.socket.close(1011)

        async def are_back() -> bool:
            return await list_of(store, keys, "active") == []

        await until(are_back, timeout=1, message="all are back within a second")

    assert await list_of(store, keys, "wait") == ["5", "4", "3", "2", "1"]
    first = await queue.job(jobs[0].id)
    assert first is not None
    assert (first.stalled_counter, first.attempts_made) == (1, 0)
    assert await store.command("EXISTS", keys.job(first.id) + ":lock") == 0
    told = await events_of(store, keys, first.id)
    assert told == ["added", "waiting", "active", "waiting"]


async def test_a_prioritized_job_goes_back_among_the_prioritized(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1") as worker:
        job = await queue.add("n", 1, priority=5)
        await worker.receive()

    await has_state(queue, job, JobState.PRIORITIZED)


async def test_a_paused_queue_keeps_what_comes_back(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/1") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await queue.pause()

    await has_state(queue, job, JobState.WAITING)
    assert await queue.is_paused()


async def test_with_the_default_the_second_vanished_client_fails_the_job(
    gateway: Gateway, queue: Queue
) -> None:
    job = await queue.add("n", 1, attempts=5)
    for place in range(2):
        async with client(gateway, "/queue/demo/process/1") as worker:
            assert (await worker.data())["job"]["stalledCounter"] == place
            worker.cut()

    failed = await has_state(queue, job, JobState.FAILED)
    assert failed.failed_reason == "job stalled more than allowable limit"
    assert failed.stalled_counter == 2


@pytest.mark.parametrize(("setting", "query"), [(0, ""), (1, "?maxStalledCount=0")])
async def test_how_often_a_client_may_vanish_is_asked_or_set(
    start: Start, queue: Queue, setting: int, query: str
) -> None:
    gateway = await start(max_stalled_count=setting)
    job = await queue.add("n", 1)
    async with client(gateway, f"/queue/demo/process/1{query}") as worker:
        await worker.receive()

    failed = await has_state(queue, job, JobState.FAILED)
    assert failed.failed_reason == "job stalled more than allowable limit"


async def test_results_sent_before_the_end_are_applied_first(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/3") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        for _ in range(3):
            await worker.receive()
        for place in (0, 1):
            await worker.answer(place, log="last words")
            await worker.answer(place, result=place)
        await worker.socket.close()

    assert [await queue.result(job) for job in jobs[:2]] == [0, 1]
    assert await queue.logs(jobs[1].id) == ["last words"]
    await has_state(queue, jobs[2], JobState.WAITING)


async def test_a_client_that_answers_no_ping_has_vanished(start: Start, queue: Queue) -> None:
    gateway = await start(ping_interval=0.2, ping_timeout=0.3)
    job = await queue.add("n", 1)
    async with client(gateway, "/queue/demo/process/1") as worker:
        await worker.receive()
        worker.socket.transport.pause_reading()

        back = await has_state(queue, job, JobState.WAITING)
        worker.cut()

    assert back.stalled_counter == 1


async def test_clients_share_the_jobs_of_a_queue(gateway: Gateway, queue: Queue) -> None:
    async with (
        client(gateway, "/queue/demo/process/1") as first,
        client(gateway, "/queue/demo/process/1?lockDuration=60000") as second,
        client(gateway, "/ws/queues/demo/process/1") as third,
    ):
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        for one in (first, second, third):
            await one.receive()
        for one in (first, second, third):
            await one.answer(0, result="shared")

        assert [await queue.result(job) for job in jobs] == ["shared"] * 3


async def test_a_slow_client_does_not_hold_up_the_others(gateway: Gateway, queue: Queue) -> None:
    big = "x" * 1_000_000
    async with (
        client(gateway, "/queue/demo/process/100", max_queue=1) as slow,
        client(gateway, "/queue/demo/process/1") as quick,
    ):
        slow.socket.transport.pause_reading()
        await queue.add_bulk([("n", big) for _ in range(30)])
        seen = 0
        while seen < 5:
            await quick.receive()
            await quick.answer(seen, result=1)
            seen += 1
        (told,) = [one for one in gateway.hub.connections if one.concurrency == 100]

        # What was given to the slow one is what it had room for, not its whole window.
        assert told.connection.in_hand < 15
        slow.cut()


async def test_a_gateway_that_closes_lets_jobs_end_and_gives_the_rest_back(
    loop_clock: LoopClock, start: Start, queue: Queue
) -> None:
    gateway = await start(grace_period=10)
    async with (
        client(gateway, "/queue/demo/process/2") as worker,
        client(gateway, "/queue/demo") as asks,
    ):
        ends, stays = await queue.add_bulk([("n", "ends"), ("n", "stays"), ("n", "waits")][:2])
        await worker.receive()
        await worker.receive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.close)
            await until(lambda: gateway.hub.is_closing, message="it closes")
            await worker.answer(0, result="just in time")

            assert await queue.result(ends) == "just in time"
            loop_clock.forward(11)
            assert await worker.closed() == (1001, "the gateway is closing")
            assert await asks.closed() == (1001, "the gateway is closing")

    back = await has_state(queue, stays, JobState.WAITING)
    assert (back.stalled_counter, back.attempts_made) == (0, 0)


async def test_while_a_gateway_closes_nobody_new_gets_in(start: Start, queue: Queue) -> None:
    gateway = await start(grace_period=1)
    async with client(gateway, "/queue/demo/process/1") as worker:
        await queue.add("n", 1)
        await worker.receive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.close)
            await until(lambda: gateway.hub.is_closing, message="it closes")

            assert await refused(gateway, "/queue/demo") == (503, "The gateway is closing")
            await worker.answer(0, result=1)


async def test_the_status_tells_of_jobs_in_hand(
    gateway: Gateway, queue: Queue, http: httpx2.AsyncClient, prefix: str
) -> None:
    async with client(gateway, "/queue/demo/process/3?name=far"):
        await queue.add("n", 1)
        await until(lambda: await_status(http), message="it has a job")
        status = (await http.get("/status")).json()

    (worker,) = status["connections"]
    assert status["prefix"] == prefix
    assert (worker["channel"], worker["queue"], worker["name"]) == ("worker", "demo", "far")
    assert (worker["concurrency"], worker["inHand"]) == (3, 1)


async def await_status(http: httpx2.AsyncClient) -> bool:
    """Tell whether a client has a job."""
    found = (await http.get("/status")).json()["connections"]
    return bool(found) and found[0]["inHand"] == 1
