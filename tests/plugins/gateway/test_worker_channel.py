"""The Worker channel: deliveries, and what clients say of them."""

import json

import pytest

from framework import JobState, Queue
from framework_gateway import Gateway
from tests.plugins.gateway.clients import client
from tests.support.until import until


async def test_a_job_is_delivered_and_its_result_recorded(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/2") as worker:
        job = await queue.add("first", {"n": 1})

        text = await worker.text()
        await worker.answer(0, result={"ok": True})

        assert await queue.result(job) == {"ok": True}
    told = json.loads(text)
    assert text.startswith('{"id":0,"data":{"type":"process","payload":{"n":1},"job":{')
    assert list(told["data"]) == ["type", "payload", "job", "token"]
    assert told["data"]["job"]["id"] == job.id
    assert told["data"]["job"]["attemptsStarted"] == 1
    assert told["data"]["token"].rpartition(":")[2].isdigit()


async def test_a_job_whose_client_vanished_is_the_first_in_line(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        worker.cut()

        async with client(gateway, "/queue/demo/process/1") as other:
            again = await other.data()
            await other.answer(0, result=None)
            await queue.result(job)

    assert again["job"]["id"] == job.id
    assert (again["job"]["stalledCounter"], again["job"]["attemptsMade"]) == (1, 0)


async def test_with_the_default_the_second_vanished_client_fails_the_job(
    gateway: Gateway, queue: Queue
) -> None:
    job = await queue.add("n", 1, attempts=5)
    for _ in range(2):
        async with client(gateway, "/queue/demo/process/1") as worker:
            await worker.receive()
            worker.cut()

    async def has_failed() -> bool:
        return await queue.state(job.id) is JobState.FAILED

    await until(has_failed, message="it has failed")
    failed = await queue.job(job.id)
    assert failed is not None
    assert failed.failed_reason == "job stalled more than allowable limit"


@pytest.mark.parametrize("path", ["/queue/demo", "/queues/demo", "/ws/queues/demo"])
async def test_each_spelling_leads_to_all_channels(
    gateway: Gateway, queue: Queue, path: str
) -> None:
    async with (
        client(gateway, path) as asks,
        client(gateway, f"{path}/process/1") as worker,
        client(gateway, f"{path}/events?events=completed") as listener,
    ):
        job = await asks.ok("add", "n", {"a": 1})
        await worker.receive()
        await worker.answer(0, result=7)
        heard = await listener.receive()

    assert heard["id"] == 0
    assert heard["data"]["event"] == "completed"
    assert heard["data"]["args"][0] == {"jobId": job["id"], "returnvalue": 7, "prev": "active"}
