"""The HTTP API beside BullMQ on Node, on the same queues."""

from typing import Any

import httpx2
import pytest

from framework import Queue
from tests.plugins.gateway.callback.endpoint import always, endpoint, of_json
from tests.support.node import NodePeer, both_majors
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

AT = "/queues/demo/jobs"


async def test_node_works_what_was_added_over_http(
    http: httpx2.AsyncClient, node: NodePeer
) -> None:
    jobs = [{"name": "n", "data": {"x": n}, "opts": {"attempts": 2}} for n in range(3)]
    added = (await http.post(AT, json=jobs)).json()
    await node.work("demo", returning={"by": "node"})
    await node.wait_result("demo", added[-1]["id"])

    shown = [(await http.get(f"{AT}/{job['id']}")).json() for job in added]

    assert [job["returnvalue"] for job in shown] == [{"by": "node"}] * 3
    theirs = [await node.job("demo", job["id"]) for job in added]
    assert shown == [without_old_words(job) for job in theirs]


def without_old_words(job: dict[str, Any] | None) -> dict[str, Any]:
    assert job is not None
    return {name: value for name, value in job.items() if name != "debounceId"}


async def test_an_http_worker_works_what_node_adds(
    http: httpx2.AsyncClient, node: NodePeer
) -> None:
    async with endpoint(always(of_json({"by": "http"}))) as served:
        await http.post("/workers", json=served.record(concurrency=2))
        job_id = await node.add("demo", "n", {"a": 1}, attempts=3)

        assert await node.wait_result("demo", job_id) == {"by": "http"}

    (call,) = served.calls
    assert (call.job["id"], call.job["data"], call.job["opts"]["attempts"]) == (job_id, {"a": 1}, 3)


async def test_lists_and_counts_are_nodes_own(
    http: httpx2.AsyncClient, node: NodePeer, queue: Queue
) -> None:
    await node.add_bulk("demo", [{"name": "n", "data": n} for n in range(25)])
    await node.work("demo", returning=1)
    await until(lambda: all_completed(queue, 25))
    types = ["completed", "failed", "delayed"]

    for start, length in ((0, 10), (20, 10), (5, 3)):
        query = f"?statuses={','.join(types)}&start={start}&length={length}"
        ours = (await http.get(AT + query)).json()
        theirs = await node.jobs("demo", *types, start=start, end=start + length - 1)

        assert ours["jobs"] == [without_old_words(job) for job in theirs]
        assert ours["counts"] == await node.counts("demo", *types)


async def all_completed(queue: Queue, count: int) -> bool:
    return (await queue.counts())["completed"] == count  # type: ignore[index]  # a state is its text
