"""A client listens to a queue: nothing is missed and nothing heard twice, whatever is cut."""

import anyio
import pytest

from framework import Queue
from framework_gateway import Gateway, GatewayClient, GatewayRefusedError, RemoteEvents
from tests.plugins.gateway.client.conftest import WRONG, client_at, client_of
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.conftest import Start
from tests.support.until import until


async def heard(events: RemoteEvents, count: int) -> list[str | None]:
    """Take so many events; return the jobs that they are about."""
    with anyio.fail_after(10):
        return [(await anext(events)).job_id for _ in range(count)]


async def test_events_are_heard_with_what_they_carry(client: GatewayClient, queue: Queue) -> None:
    async with client.events("demo", "progress", "completed", "failed") as events:
        for name in ("ends", "fails"):
            await queue.add(name, 1)
        first, second = await queue.next_job("mine"), await queue.next_job("mine")
        assert first is not None
        assert second is not None
        await first.progress(50)
        await first.complete({"weight": 7})
        await second.fail("no such parcel")

        progress, completed, failed = [await anext(events) for _ in range(3)]

    assert (progress.event, progress.job_id, progress.progress) == ("progress", "1", 50)
    assert (completed.event, completed.result) == ("completed", {"weight": 7})
    assert (failed.event, failed.job_id, failed.reason) == ("failed", "2", "no such parcel")
    assert completed.fields["prev"] == "active"
    assert events.after == failed.id


async def test_over_cuts_all_events_are_heard_once_and_in_order(
    client: GatewayClient, line: Line, queue: Queue
) -> None:
    told: list[str | None] = []
    async with client.events("demo", "waiting") as events:
        for number in range(20):
            await queue.add("n", number)
            if number % 3 == 0:
                line.cut()
            if number % 2 == 0:  # the other half waits on the line, and is cut with it
                told += await heard(events, 1)
        told += await heard(events, 20 - len(told))

    assert told == [str(number) for number in range(1, 21)]
    assert line.opened > 3


async def test_what_happens_while_it_is_cut_before_its_first_event_is_heard(
    client: GatewayClient, line: Line, queue: Queue
) -> None:
    await queue.add("n", "before it listened")
    async with client.events("demo", "waiting") as events:
        line.cut()
        await queue.add("n", "while it was cut")

        told = await heard(events, 1)

    assert told == ["2"]


async def test_a_gateway_that_is_started_anew_goes_on_where_it_was(
    start: Start, queue: Queue
) -> None:
    gateway = await start()
    async with client_of(gateway) as client, client.events("demo", "waiting") as events:
        await queue.add("n", 1)
        first = await heard(events, 1)

        await gateway.close()
        await queue.add("n", 2)
        await start(port=gateway.port)

        assert first + await heard(events, 1) == ["1", "2"]


async def test_it_begins_after_an_event_that_is_known(client: GatewayClient, queue: Queue) -> None:
    async with client.events("demo", "waiting") as events:
        for number in range(3):
            await queue.add("n", number)
        known = await anext(events)

    async with client.events("demo", "waiting", after=known.id) as events:
        assert await heard(events, 2) == ["2", "3"]


async def test_a_plain_loop_listens_from_its_first_turn_until_the_client_closes(
    gateway: Gateway, queue: Queue
) -> None:
    told: list[str | None] = []

    async def listen(events: RemoteEvents) -> None:
        async for event in events:
            told.append(event.job_id)  # noqa: PERF401 - one by one
        told.append("the end")

    async with anyio.create_task_group() as tasks, client_of(gateway) as client:
        events = client.events("demo", "waiting")
        tasks.start_soon(listen, events)
        await until(lambda: list(gateway.hub.connections), message="it listens")
        await queue.add("n", 1)
        await until(lambda: told, message="it has heard of the job")

    assert told == ["1", "the end"]
    assert [event async for event in events] == []


async def test_without_the_right_token_nothing_is_heard(line: Line) -> None:
    async with client_at(line.url, token=WRONG) as client:
        with pytest.raises(GatewayRefusedError, match=r"events of demo.*401"):
            await heard(client.events("demo"), 1)

    assert line.opened == 1


async def test_a_token_that_is_revoked_ends_it_with_an_error(
    gateway: Gateway, client: GatewayClient
) -> None:
    async with client.events("demo") as events:
        gateway.revoke("right-key")

        with pytest.raises(GatewayRefusedError) as revoked:
            await heard(events, 1)

    assert revoked.value.code == 4000
