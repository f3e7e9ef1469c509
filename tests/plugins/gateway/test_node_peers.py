"""A gateway on queues that Node and Python use at the same time."""

import json
from typing import Any

import anyio
import pytest

from framework import Job, Queue, processor
from framework_gateway import Gateway
from tests.plugins.gateway.clients import Client, client
from tests.support.apps import Open, open_app, working
from tests.support.node import NodePeer
from tests.support.until import until

__all__ = ["open_app"]
pytestmark = pytest.mark.interop


async def answer_all(worker: Client) -> None:
    """Answer each delivery, until cancelled."""
    async for text in worker.socket:
        await worker.answer(json.loads(text)["id"], result="far")


async def test_remote_clients_node_and_python_share_a_queue(
    gateway: Gateway, queue: Queue, node: NodePeer, open_app: Open
) -> None:
    done: list[str] = []

    @processor("demo", concurrency=2)
    async def work(job: Job[Any]) -> str:
        done.append(job.id)
        return "Python"

    recording = await node.record_events("demo")
    async with (
        client(gateway, "/queue/demo") as asks,
        client(gateway, "/queue/demo/process/5?name=far") as worker,
        client(gateway, "/queue/demo/events?events=completed") as listener,
    ):
        await asks.ok("pause")
        ours = await queue.add_bulk([("n", number) for number in range(20)])
        theirs = await node.add_bulk("demo", [{"name": "n", "data": {"a": 1}}] * 20)
        remote = await asks.ok("addBulk", [{"name": "n", "data": 1}] * 20)
        await node.work("demo", returning="Node", concurrency=2)
        async with working(open_app(work)), anyio.create_task_group() as tasks:
            tasks.start_soon(answer_all, worker)
            await asks.ok("resume")
            ids = {*(job.id for job in ours), *theirs, *(job["id"] for job in remote)}
            results = dict[str, str]()
            while len(results) < len(ids):
                fields = (await listener.data())["args"][0]
                results[fields["jobId"]] = fields["returnvalue"]
            tasks.cancel_scope.cancel()
        names = {one["name"] for one in await asks.ok("getWorkers")}

        async def all_heard() -> bool:
            return len(await recording.events("completed")) == len(ids)

        await until(all_heard, message="Node heard of all")

    assert set(results) == ids
    assert set(results.values()) <= {"far", "Node", "Python"}
    assert "far" in results.values()
    assert "far" in names


async def test_node_reads_what_a_remote_client_added_and_worked(
    gateway: Gateway, node: NodePeer
) -> None:
    async with (
        client(gateway, "/queue/demo") as asks,
        client(gateway, "/queue/demo/process/1") as worker,
    ):
        opts = {"attempts": 2, "jobId": "mine"}
        added = await asks.ok("add", "n", {"a": [1, 2.5, "é"]}, opts)
        await worker.receive()
        await worker.answer(0, progress={"pct": 5})
        await worker.answer(0, log="row")
        await worker.answer(0, result={"ok": True})

        assert await node.wait_result("demo", "mine") == {"ok": True}
        seen = await node.job("demo", "mine")
        rows = await node.logs("demo", "mine")

    assert seen is not None
    assert (seen["data"], seen["opts"]) == (added["data"], added["opts"])
    assert (seen["progress"], seen["attemptsMade"]) == ({"pct": 5}, 1)
    assert rows == ["row"]
