"""The Worker channel: deliveries, and what clients say of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import Gateway
from tests.plugins.gateway.clients import Client, client, has_state
from tests.support.builders import events_of
from tests.support.until import until


@pytest.fixture
async def worker(gateway: Gateway) -> AsyncIterator[Client]:
    async with client(gateway, "/queue/demo/process/1") as one:
        yield one


async def test_a_job_is_delivered_as_the_protocol_has_it(
    gateway: Gateway, queue: Queue, prefix: str
) -> None:
    async with client(gateway, "/queue/demo/process/2") as worker:
        job = await queue.add("first", {"n": 1}, remove_on_complete=None, remove_on_fail=None)

        text = await worker.text()
        await worker.answer(0, result={"ok": True})

        assert await queue.result(job) == {"ok": True}
    told = json.loads(text)["data"]
    assert text == (
        '{"id":0,"data":{"type":"process","payload":{"n":1},"job":{"name":"first","data":{"n":1},'
        '"opts":{"attempts":0},"id":"1","progress":0,"returnvalue":null,"stacktrace":[],'
        '"delay":0,"priority":0,"attemptsStarted":1,"attemptsMade":0,"stalledCounter":0,'
        f'"timestamp":{told["job"]["timestamp"]},"queueQualifiedName":"{prefix}:demo",'
        f'"processedOn":{told["job"]["processedOn"]},"processedBy":'
        f"{json.dumps(told['job']['processedBy'])}}},"
        f'"token":"{told["token"]}"}}}}'
    )
    assert told["token"].rpartition(":")[2].isdigit()


async def test_no_more_than_the_window_is_unresolved(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/2") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(4)])
        first, second = await worker.receive(), await worker.receive()
        assert (await queue.counts())[JobState.ACTIVE] == 2

        await worker.answer(1, result="second")
        third = await worker.receive()
        await worker.answer(0, err="boom")
        fourth = await worker.receive()
        for one in (third, fourth):
            await worker.answer(one["id"], result=None)
        await queue.result(jobs[3])

    told = [one["data"]["payload"] for one in (first, second, third, fourth)]
    assert [one["id"] for one in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert told == [0, 1, 2, 3]


async def test_jobs_come_in_the_order_of_the_queue(worker: Client, queue: Queue) -> None:
    await queue.pause()
    await queue.add("n", "first")
    await queue.add("n", "late", priority=2)
    await queue.add("n", "early", priority=1)
    await queue.add("n", "at once", lifo=True)
    await queue.resume()

    told = []
    for place in range(4):
        told.append(await worker.data())
        await worker.answer(place, result=1)

    assert [one["payload"] for one in told] == ["at once", "first", "early", "late"]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"type": "result", "payload": {"a": [1]}}, {"a": [1]}),
        ({"type": "result", "payload": None}, None),
        ({"type": "result"}, None),
        ({"result": "text"}, "text"),
        ({"result": None}, None),
        ({"result": False}, False),
        ({"result": {"err": "no"}}, {"err": "no"}),
    ],
)
async def test_a_result_completes_the_job(
    worker: Client, queue: Queue, said: dict[str, Any], result: object
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    assert await queue.result(job) == result


@pytest.mark.parametrize(
    ("said", "reason", "trace"),
    [
        ({"err": "boom str"}, "boom str", "boom str"),
        ({"type": "error", "payload": "boom"}, "boom", "boom"),
        ({"err": {"message": "boom", "stack": "st"}}, "boom", "st"),
        ({"type": "error", "payload": {"message": "boom", "stack": "st"}}, "boom", "st"),
        ({"err": {"message": "boom", "name": "TypeError"}}, "boom", "boom"),
        ({"message": "boom", "stack": "go"}, "boom", "go"),
        ({"message": "boom"}, "boom", "boom"),
        ({"err": {}}, "failed", "failed"),
        ({"err": 5}, "5", "5"),
        ({"err": {"message": {"a": 1}}}, '{"a":1}', '{"a":1}'),
    ],
)
async def test_an_error_fails_the_job(
    worker: Client, queue: Queue, said: dict[str, Any], reason: str, trace: str
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    failed = await has_state(queue, job, JobState.FAILED)
    assert (failed.failed_reason, failed.stacktrace) == (reason, (trace,))
    assert failed.attempts_made == 1


async def test_a_failed_attempt_is_followed_by_the_next(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1, attempts=2)
    await worker.receive()
    await worker.answer(0, err={"message": "boom", "stack": "st"})

    again = await worker.receive()
    await worker.answer(1, result="at last")

    assert again["id"] == 1
    assert again["data"]["job"]["attemptsMade"] == 1
    assert again["data"]["job"]["failedReason"] == "boom"
    assert await queue.result(job) == "at last"


@pytest.mark.parametrize(
    "said",
    [
        {"err": {"message": "boom", "unrecoverable": True}},
        {"err": {"message": "boom", "name": "UnrecoverableError"}},
        {"type": "error", "payload": {"message": "boom", "unrecoverable": True}},
    ],
)
async def test_what_is_unrecoverable_is_not_tried_again(
    worker: Client, queue: Queue, said: dict[str, Any]
) -> None:
    job = await queue.add("n", 1, attempts=5)
    await worker.receive()

    await worker.answer(0, **said)

    failed = await has_state(queue, job, JobState.FAILED)
    assert (failed.failed_reason, failed.attempts_made) == ("boom", 1)


@pytest.mark.parametrize("is_typed", [True, False])
async def test_progress_and_rows_are_stored_before_the_job_completes(
    worker: Client, queue: Queue, is_typed: bool
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    for name, value in (("progress", {"pct": 50}), ("log", "one"), ("log", "two")):
        said = {"type": name, "payload": value} if is_typed else {name: value}
        await worker.answer(0, **said)
    await worker.answer(0, result="done")

    assert await queue.result(job) == "done"
    done = await queue.job(job.id)
    assert done is not None
    assert done.progress == {"pct": 50}
    assert await queue.logs(job.id) == ["one", "two"]


async def test_progress_is_an_event(worker: Client, queue: Queue, gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo/events?events=progress") as listener:
        await queue.add("n", 1)
        await worker.receive()
        await worker.answer(0, progress=5)

        heard = await listener.data()

    assert (heard["event"], heard["args"][0]) == ("progress", {"jobId": "1", "data": 5})


async def test_data_is_replaced_for_the_next_run(worker: Client, queue: Queue) -> None:
    await queue.add("n", {"step": 1})
    await worker.receive()

    await worker.answer(0, type="update", payload={"step": 2})
    await worker.answer(0, type="delay", payload=1)
    again = await worker.data()

    assert again["payload"] == {"step": 2}
    assert (again["job"]["attemptsMade"], again["job"]["attemptsStarted"]) == (0, 2)


async def test_a_delayed_job_waits(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, type="delay", payload=3_600_000)

    delayed = await has_state(queue, job, JobState.DELAYED)
    assert delayed.attempts_made == 0


@pytest.mark.parametrize("said", [{"type": "release"}, {"release": True}])
async def test_a_released_job_is_the_first_in_line_and_nothing_is_counted(
    worker: Client, queue: Queue, store: Store, keys: QueueKeys, said: dict[str, Any]
) -> None:
    job = await queue.add("n", "first")
    await queue.add("n", "second")
    await worker.receive()

    await worker.answer(0, **said)
    again = await worker.data()

    assert again["payload"] == "first"
    assert (again["job"]["attemptsMade"], again["job"]["stalledCounter"]) == (0, 0)
    told = await events_of(store, keys, job.id)
    assert told[:4] == ["added", "waiting", "active", "waiting"]


@pytest.mark.parametrize("said", [{"type": "extend", "payload": 600_000}, {"extend": 600_000}])
async def test_a_lock_is_extended_beyond_the_life_of_the_gateway(
    worker: Client, queue: Queue, store: Store, keys: QueueKeys, said: dict[str, Any]
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    async def is_long() -> bool:
        return int(await store.command("PTTL", keys.job(job.id) + ":lock")) > 500_000

    await until(is_long, message="the lock is extended")
