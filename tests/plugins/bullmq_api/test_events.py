"""Hearing the events of a queue, and publishing some."""

import asyncio
import os
import signal
from typing import Any
from urllib.parse import urlsplit

import pytest

from framework import OptionsError
from framework.server import EmbeddedServer
from framework_bullmq import Job, Queue, QueueEvents, QueueEventsProducer
from tests.plugins.bullmq_api.bull import Bull, state_is
from tests.support.node import NodePeer, both_majors
from tests.support.until import until


async def listening(bull: Bull, *names: str) -> list[tuple[Any, ...]]:
    """What is heard of some events, as (name, args without ids of events)."""
    told: list[tuple[Any, ...]] = []
    events = bull.events(lastEventId="0-0")
    for name in names:

        def hear(*args: Any, name: str = name) -> None:  # noqa: ANN401 - as it is called
            told.append((name, *args[:-1]))

        events.on(name, hear)
    return told


async def test_each_event_comes_with_what_it_says(bull: Bull) -> None:
    async def work(job: Job, token: str) -> dict[str, int]:
        if job.name == "bad":
            raise ValueError("no")
        await job.updateProgress({"half": True})
        return {"n": 1}

    names = ["added", "waiting", "active", "progress", "completed", "completed:1", "failed"]
    told = await listening(bull, *names, "drained")
    queue = bull.queue()
    await queue.addBulk([{"name": "good"}, {"name": "bad"}])
    worker = bull.worker(work)
    await until(lambda: any(one[0] == "drained" for one in told), message="all is told")
    await worker.close()

    assert ("added", {"jobId": "1", "name": "good"}) in told
    assert ("waiting", {"jobId": "1"}) in told
    assert ("active", {"jobId": "1", "prev": "waiting"}) in told
    assert ("progress", {"jobId": "1", "data": {"half": True}}) in told
    completed = {"jobId": "1", "returnvalue": {"n": 1}, "prev": "active"}
    assert ("completed", completed) in told
    assert ("completed:1", completed) in told
    assert ("failed", {"jobId": "2", "failedReason": "no", "prev": "active"}) in told
    assert ("drained",) in told


async def test_delays_pauses_and_cleaning_are_told(bull: Bull) -> None:
    told = await listening(bull, "delayed", "paused", "resumed", "cleaned", "removed")
    queue = bull.queue()
    job = await queue.add("n", {}, {"delay": 60_000})
    await queue.pause()
    await queue.resume()
    await queue.clean(0, 9, "delayed")
    await until(lambda: len(told) == 4, message="all is told")

    assert told == [
        ("delayed", {"jobId": "1", "delay": str(job.timestamp + 60_000)}),
        ("paused", {}),
        ("resumed", {}),
        ("cleaned", {"count": "1"}),
    ]


async def test_an_event_of_ones_own_is_heard(bull: Bull) -> None:
    told = await listening(bull, "moved")
    producer = bull.events_producer()

    await producer.publishEvent({"eventName": "moved", "to": "Rome", "data": "x", "n": 5})
    await producer.publish_event({"event_name": "moved", "jobId": "7"}, 10)
    await until(lambda: len(told) == 2, message="both are told")

    assert told == [
        ("moved", {"to": "Rome", "data": "x", "n": "5"}),
        ("moved", {"jobId": "7"}),
    ]


@both_majors
async def test_node_hears_an_event_of_ours(bull: Bull, node: NodePeer) -> None:
    recording = await node.record_events("q")

    await bull.events_producer().publishEvent({"eventName": "moved", "to": "Rome"})

    async def heard() -> bool:
        return "moved" in await recording.names()

    await until(heard, message="Node hears it")


async def test_events_begin_now_and_only_when_they_are_asked_for(bull: Bull) -> None:
    queue = bull.queue()
    await queue.add("before")
    told: list[Any] = []
    events = bull.events(autorun=False)
    events.on("added", lambda args, event_id: told.append((args["name"], event_id)))
    running = asyncio.ensure_future(events.run())

    async def hears() -> bool:
        if not told:
            await queue.add("after")
        return bool(told)

    await until(hears, message="it hears")
    with pytest.raises(RuntimeError, match="already running"):
        await events.run()
    await events.close()
    await events.close()
    await asyncio.wait_for(running, 5)

    assert told[0][0] == "after"
    assert (events.running, events.closed) == (False, True)


async def test_a_run_in_ones_own_task_ends_when_it_is_closed(bull: Bull) -> None:
    events = bull.events(autorun=False)

    async def run_and_go_on() -> str:
        await events.run()
        return "went on"

    task = asyncio.ensure_future(run_and_go_on())
    await until(lambda: events.running, message="it runs")
    await events.close()

    assert await asyncio.wait_for(task, 5) == "went on"


async def test_events_are_heard_once_redis_is_there(private_server: EmbeddedServer) -> None:
    server = private_server.start()
    os.kill(server.pid, signal.SIGKILL)
    place = {"connection": {"path": urlsplit(server.url).path, "socket_timeout": 0.5}}
    events, queue, told = QueueEvents("q", place), Queue("q", place), list[Any]()
    events.on("error", lambda error: told.append(type(error).__name__))
    events.on("added", lambda args, event_id: told.append(args["name"]))
    await until(lambda: bool(told), timeout=20, message="it says that Redis is away")
    private_server.start()

    async def is_heard() -> bool:
        await queue.add("n")
        return "n" in told

    await until(is_heard, timeout=20, message="it hears")
    await queue.close()
    await events.close()

    assert set(told) == {"RedisUnavailableError", "n"}


def test_events_are_made_without_a_loop_where_they_do_not_begin(
    redis_url: str, prefix: str
) -> None:
    options = {"connection": redis_url, "prefix": prefix, "autorun": False}
    events = QueueEvents("q", options)

    async def run() -> None:
        running = asyncio.ensure_future(events.run())
        await until(lambda: events.running, message="it runs")
        await events.close()
        await asyncio.wait_for(running, 5)

    asyncio.run(run())
    assert (events.running, events.closed) == (False, True)


async def test_a_result_is_waited_for(bull: Bull) -> None:
    events = bull.events()
    bull.worker(lambda job, token: 2 * job.data)
    job = await bull.queue().add("n", 21)

    assert await job.waitUntilFinished(events, 5000) == 42
    assert job.returnvalue == 42
    await state_is(job, "completed")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"blockingTimeout": 1000}, "one reader of the engine"),
        ({"lastEventID": "0"}, "did you mean lastEventId"),
    ],
)
async def test_options_of_events_without_meaning_are_refused(
    options: dict[str, Any], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        QueueEvents("q", options)


async def test_an_event_without_a_name_or_of_no_text_is_refused(bull: Bull) -> None:
    producer: QueueEventsProducer = bull.events_producer()

    with pytest.raises(OptionsError, match="eventName"):
        await producer.publishEvent({"to": "Rome"})
    with pytest.raises(OptionsError, match="text and numbers"):
        await producer.publishEvent({"eventName": "moved", "to": ["Rome"]})
