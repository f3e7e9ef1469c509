"""Calls whose connection is lost, or not there: what is done, what is not, and who is told."""

from datetime import timedelta

import anyio
import pytest

from framework import JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import (
    GatewayClient,
    GatewayConnectionError,
    GatewayTimeoutError,
)
from tests.plugins.gateway.client.conftest import client_at, client_of
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.conftest import Start
from tests.support.builders import events_of
from tests.support.servers import free_port
from tests.support.until import until


async def test_a_call_that_was_under_way_fails_with_its_connection(
    client: GatewayClient, line: Line, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    demo = client.queue("demo")
    await demo.add("n", "first")

    async with anyio.create_task_group() as tasks:

        async def add() -> None:
            with pytest.raises(GatewayConnectionError) as failed:
                await demo.add("n", "unheard")
            assert failed.value.was_sent
            assert isinstance(failed.value, ConnectionError)

        line.mute()
        tasks.start_soon(add)
        await until(lambda: added(queue, 2), message="it was done")
        line.cut()

    third = await demo.add("n", "after the cut")
    assert third.id == "3"  # nothing was sent twice
    assert line.opened == 2
    assert await events_of(store, keys, "2") == ["added", "waiting"]


async def added(queue: Queue, count: int) -> bool:
    """Tell whether so many jobs wait."""
    return (await queue.counts())[JobState.WAITING] == count


async def test_what_is_idempotent_is_sent_again_and_done_once(
    client: GatewayClient, line: Line, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    demo, answers = client.queue("demo"), list[str]()
    await demo.counts()

    async with anyio.create_task_group() as tasks:

        async def add() -> None:
            job = await demo.add("n", 1, job_id="mine", idempotent=True)
            answers.append(job.id)

        line.mute()
        tasks.start_soon(add)
        await until(lambda: added(queue, 1), message="it was done")
        line.cut()

    assert answers == ["mine"]
    assert await added(queue, 1)
    told = await events_of(store, keys, "mine")
    assert told == ["added", "waiting", "duplicated"]


async def test_calls_that_waited_for_a_gateway_take_effect_in_order(
    start: Start, queue: Queue
) -> None:
    port = free_port()
    async with client_at(f"ws://127.0.0.1:{port}") as client:
        demo = client.queue("demo")

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(demo.add, "n", number)
            await anyio.wait_all_tasks_blocked()
            await start(port=port)

        waiting = await demo.jobs("waiting", newest_first=False)

    assert [job.data for job in waiting] == list(range(50))


async def test_a_call_waits_for_a_gateway_that_is_not_there_yet(start: Start) -> None:
    port = free_port()
    async with client_at(f"ws://127.0.0.1:{port}") as client, anyio.create_task_group() as tasks:
        answers: list[str] = []

        async def add() -> None:
            answers.append((await client.queue("demo").add("n", 1)).id)

        tasks.start_soon(add)
        await anyio.wait_all_tasks_blocked()
        await start(port=port)

        await until(lambda: answers, message="it was added")
    assert answers == ["1"]


async def test_a_gateway_that_is_started_anew_on_its_port_is_found_again(start: Start) -> None:
    gateway = await start()
    async with client_of(gateway) as client:
        demo = client.queue("demo")
        await demo.add("n", 1)

        await gateway.close()
        await start(port=gateway.port)

        assert (await demo.counts())["waiting"] == 1


async def test_without_a_gateway_a_call_ends_in_time_and_says_why() -> None:
    async with client_at(f"ws://127.0.0.1:{free_port()}", seconds=0.1) as client:
        with pytest.raises(GatewayTimeoutError, match=r"it was not done: .*failed") as late:
            await client.queue("demo").add("n", 1)

    assert not late.value.was_sent
    assert isinstance(late.value, TimeoutError)


async def test_a_call_that_timed_out_unsent_is_never_sent(start: Start, queue: Queue) -> None:
    port = free_port()
    async with client_at(f"ws://127.0.0.1:{port}") as client:
        demo = client.queue("demo")
        with pytest.raises(GatewayTimeoutError):
            await demo.call("add", "n", "too late", timeout=timedelta(milliseconds=20))
        await start(port=port)

        job = await demo.add("n", "in time")

    assert job.id == "1"
    assert await added(queue, 1)


async def test_a_call_without_an_answer_may_have_been_done(
    client: GatewayClient, line: Line, queue: Queue
) -> None:
    demo = client.queue("demo")
    await demo.counts()
    line.mute()

    with pytest.raises(GatewayTimeoutError, match="may be done yet") as late:
        await demo.call("add", "n", 1, timeout=timedelta(milliseconds=100))

    assert late.value.was_sent
    await until(lambda: added(queue, 1), message="it was done")


async def test_a_request_that_is_too_large_fails_even_if_idempotent(start: Start) -> None:
    gateway = await start(max_message_bytes=2048)
    async with client_of(gateway) as client:
        demo = client.queue("demo")

        with pytest.raises(GatewayConnectionError, match="1009"):
            await demo.add("n", "x" * 3000, job_id="large", idempotent=True)

        assert (await demo.counts())["waiting"] == 0


async def test_a_client_that_is_closed_fails_what_is_under_way(line: Line) -> None:
    failures: list[Exception] = []

    async def ask(client: GatewayClient) -> None:
        with pytest.raises(GatewayConnectionError, match="the client was closed") as failed:
            await client.queue("demo").counts()
        failures.append(failed.value)

    async with anyio.create_task_group() as tasks, client_at(line.url) as client:
        await client.queue("demo").counts()
        line.mute()
        tasks.start_soon(ask, client)
        await anyio.wait_all_tasks_blocked()

    assert len(failures) == 1
    with pytest.raises(RuntimeError, match="async with"):
        client.queue("demo")
