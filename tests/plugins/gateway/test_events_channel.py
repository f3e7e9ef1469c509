"""The Events channel: what happens in a queue reaches whoever listens, in order, each once."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
from websockets.exceptions import ConnectionClosedError

from framework import Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import Gateway
from tests.plugins.gateway.clients import Client, client
from tests.support.until import until


async def heard(listener: Client, count: int) -> list[Any]:
    """Receive so many events, with their ids in order."""
    told = [await listener.receive() for _ in range(count)]
    ids = [one["id"] for one in told]
    assert ids == list(range(ids[0], ids[0] + count))
    return [(one["data"]["event"], one["data"]["args"][0]) for one in told]


async def test_a_job_is_told_of_from_its_add_to_its_end(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/events") as listener:
        await queue.add("first", {"n": 1})
        job = await queue.next_job("mine")
        assert job is not None
        await job.progress(50)
        await job.complete({"ok": True})

        told = await heard(listener, 5)

    assert told[0] == ("added", {"jobId": "1", "name": "first"})
    assert told[1] == ("waiting", {"jobId": "1"})
    assert told[2][0] == "active"
    assert told[2][1] == {"jobId": "1", "prev": "waiting"}
    assert told[3] == ("progress", {"jobId": "1", "data": 50})
    assert told[4] == (
        "completed",
        {"jobId": "1", "returnvalue": {"ok": True}, "prev": "active"},
    )


async def test_an_event_is_worded_as_the_protocol_has_it(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/events?events=waiting") as listener:
        await queue.add("first", 1)

        text = await listener.text()

    entry_id = json.loads(text)["data"]["args"][1]
    assert text == f'{{"id":0,"data":{{"event":"waiting","args":[{{"jobId":"1"}},"{entry_id}"]}}}}'


async def test_failures_and_delays_are_told_with_what_they_carry(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/events?events=failed,delayed,paused") as listener:
        job = await queue.add("n", 1, delay=timedelta(hours=1))
        await queue.promote_job(job.id)
        held = await queue.next_job("mine")
        assert held is not None
        await held.fail("boom str")
        await queue.pause()

        delayed, failed, paused = await heard(listener, 3)

    assert delayed[1]["jobId"] == "1"
    assert delayed[1]["delay"].isdigit()
    assert failed == ("failed", {"jobId": "1", "failedReason": "boom str", "prev": "active"})
    assert paused == ("paused", {})


async def test_the_handshake_tells_where_listening_begins(gateway: Gateway, queue: Queue) -> None:
    await queue.add("n", "before")
    async with client(gateway, "/queue/demo/events?events=waiting") as listener:
        response = listener.socket.response
        assert response is not None
        begins = response.headers["Last-Event-ID"]
    await queue.add("n", "after")

    async with client(gateway, f"/queue/demo/events?events=waiting&lastEventId={begins}") as again:
        assert await heard(again, 1) == [("waiting", {"jobId": "2"})]
        assert again.socket.response is not None
        assert again.socket.response.headers["Last-Event-ID"] == begins


async def test_only_wanted_events_are_told_blanks_and_unknown_names_aside(
    gateway: Gateway, queue: Queue
) -> None:
    path = "/queue/demo/events?events=%20completed%20,,mine,"
    async with client(gateway, path) as listener:
        await queue.add("n", 1)
        job = await queue.next_job("mine")
        assert job is not None
        await job.complete(None)

        told = await heard(listener, 1)

    assert told == [("completed", {"jobId": "1", "returnvalue": None, "prev": "active"})]


async def test_an_empty_list_of_events_is_all(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/events?events=") as listener:
        await queue.add("n", 1)

        assert [name for name, _ in await heard(listener, 2)] == ["added", "waiting"]


async def test_events_of_a_producer_of_its_own_are_told(
    gateway: Gateway, store: Store, keys: QueueKeys
) -> None:
    async with client(gateway, "/queue/demo/events?events=mine") as listener:
        await store.command("XADD", keys["events"], "*", "event", "mine", "data", "x", "delay", "y")

        assert await heard(listener, 1) == [("mine", {"data": "x", "delay": "y"})]


async def test_what_happens_right_after_the_handshake_is_not_missed(
    gateway: Gateway, queue: Queue
) -> None:
    for number in range(20):
        async with client(gateway, "/queue/demo/events?events=added") as listener:
            await queue.add(f"n{number}", 1)

            assert await heard(listener, 1) == [
                ("added", {"jobId": str(number + 1), "name": f"n{number}"})
            ]


async def test_what_happened_since_an_event_is_told_again(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/events") as listener:
        await queue.add("first", 1)
        first = await listener.receive()
    await queue.add("second", 2)

    last = first["data"]["args"][1]
    async with client(gateway, f"/queue/demo/events?lastEventId={last}") as listener:
        told = await heard(listener, 3)
        await queue.add("third", 3)
        told += await heard(listener, 2)

    assert [name for name, _ in told] == ["waiting", "added", "waiting", "added", "waiting"]
    assert [fields["jobId"] for _, fields in told] == ["1", "2", "2", "3", "3"]


async def test_everybody_hears_everything_of_their_own_queue(
    gateway: Gateway, queue: Queue
) -> None:
    async with (
        client(gateway, "/queue/demo/events?events=added") as first,
        client(gateway, "/ws/queues/demo/events?events=added") as second,
        client(gateway, "/queue/other/events") as other,
        client(gateway, "/queue/other") as asks,
    ):
        for number in range(100):
            await queue.add("n", number)
        await asks.ok("add", "elsewhere", 1)

        assert await heard(first, 100) == await heard(second, 100)
        assert (await heard(other, 1)) == [("added", {"jobId": "1", "name": "elsewhere"})]


async def test_what_a_listener_says_is_ignored(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/events?events=added") as listener:
        for text in ("{bad", "null", b"\xff\xfe", '{"id":1,"data":{"fn":"pause"}}'):
            await listener.send(text)
        await queue.add("n", 1)

        assert (await heard(listener, 1))[0][0] == "added"
    assert await queue.is_paused() is False


async def test_a_slow_listener_is_closed_and_goes_on_where_it_was(
    gateway: Gateway, queue: Queue
) -> None:
    big = "x" * 100_000
    async with client(gateway, "/queue/demo/events?events=completed", max_queue=1) as listener:
        listener.socket.transport.pause_reading()
        for _ in range(150):
            await queue.add("n", 1)
            job = await queue.next_job("mine")
            assert job is not None
            await job.complete(big)

        (told,) = list(gateway.hub.connections)
        await until(lambda: told.connection.in_hand == 0, message="what waited was dropped")
        listener.socket.transport.resume_reading()
        last, seen = "", 0
        with anyio.fail_after(10), suppress(ConnectionClosedError):
            async for text in listener.socket:
                last, seen = json.loads(text)["data"]["args"][1], seen + 1

        assert await listener.closed() == (1013, "slow consumer")

    assert 0 < seen < 150
    path = f"/queue/demo/events?events=completed&lastEventId={last}"
    async with client(gateway, path) as listener:
        told_later = await heard(listener, 150 - seen)
    assert told_later[-1][1]["jobId"] == "150"
