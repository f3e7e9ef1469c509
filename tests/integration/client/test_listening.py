"""Listening to a queue's events: one reader for all, nothing missed, nothing twice."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from framework import JobNotFoundError, Listener, OptionsError, QueueEvent
from framework.app.application import Application
from framework.client.follower import Follower
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open
from tests.support.until import until

SECOND = timedelta(seconds=1)


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app() as app:
        yield app


@asynccontextmanager
async def following(store: Store, keys: QueueKeys) -> AsyncIterator[Follower]:
    async with anyio.create_task_group() as tasks:
        yield Follower(store, keys, tasks)
        tasks.cancel_scope.cancel()


async def readers(store: Store) -> list[str]:
    """The connections that wait for entries of streams now."""
    clients = (await store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
    return [
        one.split()[0].removeprefix("id=")
        for one in clients.splitlines()
        if "cmd=xread" in one and "flags=b" in one
    ]


async def one_reads(store: Store) -> list[str] | None:
    found = await readers(store)
    return found if len(found) == 1 else None


async def nobody_reads(store: Store) -> bool:
    return not await readers(store)


async def write(store: Store, keys: QueueKeys, *numbers: int, job: str = "a") -> None:
    """Write events, each with a number of its own."""
    for number in numbers:
        await store.command(
            "XADD", keys["events"], "*", "event", "note", "jobId", job, "number", number
        )


async def heard(listener: Listener, count: int) -> list[int]:
    """The numbers of the next events."""
    found: list[QueueEvent] = []
    with anyio.fail_after(5):
        while len(found) < count:
            found += await listener.receive()
    return [int(event.fields["number"]) for event in found]


async def test_many_listeners_are_served_by_one_connection(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    queue = app.queue("demo")
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(queue.listen()) for _ in range(300)]
        await until(lambda: one_reads(store), message="one reads")
        await write(store, keys, 1, 2)
        assert [await heard(one, 2) for one in listeners] == [[1, 2]] * 300
        await until(lambda: one_reads(store), message="one reads again")

    await until(lambda: nobody_reads(store), message="the reader left with the last listener")


async def test_who_listens_again_after_all_have_left_hears_again(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    queue = app.queue("demo")
    for number in range(3):
        async with queue.listen() as listener:
            await write(store, keys, number)
            assert await heard(listener, 1) == [number]


async def test_what_was_missed_comes_first_and_nothing_twice(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    """Listeners begin in the middle of 900 events, more than one page, while they are written."""
    numbers = list(range(900))
    heard_by: list[list[int]] = []

    async def listen() -> None:
        async with app.queue("demo").listen(after="0-0") as listener:
            heard_by.append(await heard(listener, len(numbers)))

    async with anyio.create_task_group() as tasks:
        await write(store, keys, *numbers[:600])
        for number in numbers[600:]:
            if number % 100 == 0:
                tasks.start_soon(listen)
            await write(store, keys, number)

    assert heard_by == [numbers] * 3


async def test_nought_is_before_all_events(app: Application, store: Store, keys: QueueKeys) -> None:
    await write(store, keys, 1, 2)

    async with app.queue("demo").listen(after="0") as listener:
        assert await heard(listener, 2) == [1, 2]
        assert not listener.has_gap


async def test_a_listener_goes_on_behind_the_id_that_it_knows(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app.queue("demo").listen() as listener:
        await write(store, keys, 1, 2)
        await heard(listener, 2)
        known = listener.after
    await write(store, keys, 3)

    async with app.queue("demo").listen(after=known) as listener:
        await write(store, keys, 4)
        assert await heard(listener, 2) == [3, 4]
        assert not listener.has_gap


async def test_a_listener_of_one_job_hears_of_no_other(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    await write(store, keys, 1, job="a")
    await write(store, keys, 2, job="b")
    async with app.queue("demo").listen(job_id="b", after="0-0") as listener:
        await write(store, keys, 3, job="a")
        await write(store, keys, 4, job="b")
        assert await heard(listener, 2) == [2, 4]
        assert await listener.receive(timedelta(0)) == []


async def test_who_is_slow_keeps_little_in_memory_and_misses_nothing(
    store: Store, keys: QueueKeys
) -> None:
    async with following(store, keys) as follower, follower.listen(None, None, most=3) as slow:
        async with follower.listen(None, None) as quick:
            await write(store, keys, *range(20))
            assert await heard(quick, 20) == list(range(20))
        await write(store, keys, 20)
        assert await heard(slow, 21) == list(range(21))
        assert not slow.has_gap


async def test_a_trimmed_stream_is_a_gap_to_who_knew_what_is_gone(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    queue = app.queue("demo")
    async with queue.listen() as listener:
        await write(store, keys, 1)
        await heard(listener, 1)
        known = listener.after
    await write(store, keys, 2, 3)
    await store.command("XTRIM", keys["events"], "MAXLEN", 1)

    async with queue.listen(after=known) as listener:
        assert listener.has_gap
        assert await heard(listener, 1) == [3]
    async with queue.listen() as listener:
        assert not listener.has_gap


async def test_an_event_that_redis_has_lost_is_a_gap_and_what_follows_is_heard(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    await write(store, keys, 1, 2)
    known = "9999999999999999999-0"

    async with app.queue("demo").listen(after=known) as listener:
        assert listener.has_gap
        assert await listener.receive(timedelta(0)) == []
        await write(store, keys, 3)
        assert await heard(listener, 1) == [3]


async def test_a_lost_connection_loses_no_event(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app.queue("demo").listen() as listener:
        (reader,) = await until(lambda: one_reads(store), message="somebody reads")
        await store.command("CLIENT", "KILL", "ID", reader)
        await write(store, keys, 1, 2)
        assert await heard(listener, 2) == [1, 2]
        assert not listener.has_gap


async def test_a_stream_that_is_lost_while_nobody_could_read_is_a_gap(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    async with app.queue("demo").listen(after="0-0") as listener:
        await write(store, keys, 1)
        assert await heard(listener, 1) == [1]
        (reader,) = await until(lambda: one_reads(store), message="somebody reads")
        await store.pipeline(
            [
                ("CLIENT", "KILL", "ID", reader),
                ("XADD", keys["events"], "*", "event", "note", "number", 2),
                ("XADD", keys["events"], "MAXLEN", 1, "*", "event", "note", "number", 3),
            ]
        )
        assert await heard(listener, 1) == [3]
        assert listener.has_gap


async def test_nothing_comes_in_time(app: Application) -> None:
    async with app.queue("demo").listen() as listener:
        assert await listener.receive(timedelta(milliseconds=5)) == []


async def test_events_are_followed_without_a_block(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    await write(store, keys, 1, job="a")
    events = app.queue("demo").events(after="0-0", job_id="a")
    event = await anext(events)
    assert (event.event, event.job_id) == ("note", "a")
    await events.aclose()
    await until(lambda: nobody_reads(store), message="nobody reads any more")


@pytest.mark.parametrize("after", ["", "$", "1-", "1-x", "1-2-3", "-1-0", f"{2**64}-0", 7])
async def test_what_is_no_id_is_refused(app: Application, after: object) -> None:
    with pytest.raises(OptionsError, match="id of an event"):
        app.queue("demo").listen(after=after)  # type: ignore[arg-type]  # callers may have no type checker


async def test_no_job_can_have_the_id_of_a_key(app: Application) -> None:
    with pytest.raises(JobNotFoundError):
        app.queue("demo").listen(job_id="wait")


async def test_an_event_of_ones_own_reaches_who_listens(app: Application) -> None:
    queue = app.queue("demo")
    async with queue.listen() as listener:
        event_id = await queue.publish_event("moved", {"to": "Rome", "data": "7", "delay": "soon"})
        (event,) = await listener.receive()

    assert (event.event, event.id, event.job_id) == ("moved", event_id, None)
    assert event.fields == {"to": "Rome", "data": "7", "delay": "soon"}


async def test_events_of_ones_own_are_capped(app: Application, keys: QueueKeys) -> None:
    queue = app.queue("demo")
    for n in range(300):
        await queue.publish_event("tick", {"n": str(n)}, max_events=10)

    left = await app.store.command("XLEN", keys["events"])
    assert 10 <= left < 300


@pytest.mark.parametrize(
    ("event", "fields", "text"),
    [
        ("", {}, "event: it is text that is not empty"),
        ("moved", {"event": "x"}, "none is event"),
        ("moved", {"n": 7}, "they are text"),
    ],
)
async def test_an_event_that_no_stream_takes_is_refused(
    app: Application, event: str, fields: dict[str, str], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        await app.queue("demo").publish_event(event, fields)
