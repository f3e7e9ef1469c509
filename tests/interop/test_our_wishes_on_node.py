"""What our jobs ask for, done by Node's workers, where the other way round is proved elsewhere."""

import pytest

from framework import JobFailedError
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, adds_children, by_name, fails
from tests.support.ours import Ours, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

ONCE = by_name(ECHO, once=fails(1))


async def run_in_order(node: NodePeer, count: int) -> list[str]:
    """Let Node work the queue `q`; name the jobs of the first runs."""
    worker = await node.work("q", ONCE)

    async def have_run() -> bool:
        return len(await worker.order()) >= count

    await until(have_run, message=f"{count} runs")
    return [run.name for run in await worker.order()]


async def test_node_retries_our_lifo_job_before_the_others(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        await app.queue("q").add("waits")
        await app.queue("q").add("waits")
        await app.queue("q").add("once", lifo=True, attempts=2)

        assert await run_in_order(node, 4) == ["once", "once", "waits", "waits"]


async def test_node_retries_our_job_by_its_priority(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        await app.queue("q").add("once", priority=2, attempts=2)
        await app.queue("q").add("late", priority=9)
        await app.queue("q").add("same", priority=2)

        assert await run_in_order(node, 4) == ["once", "same", "once", "late"]


async def test_node_gives_our_hopeless_job_up(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(message="never", unrecoverable=True))
    async with ours.producing() as app:
        job = await app.queue("q").add("n", attempts=5)

        with pytest.raises(JobFailedError, match="never"):
            await app.queue("q").result(job)
        assert await worker.runs() == {job.id: 1}


async def test_node_keeps_as_many_stack_traces_as_we_ask(ours: Ours, node: NodePeer) -> None:
    await node.work("q", fails(message="no"))
    async with ours.producing() as app:
        job = await app.queue("q").add("n", attempts=4, stack_trace_limit=2)

        with pytest.raises(JobFailedError):
            await app.queue("q").result(job)
        shown = await node.job("q", job.id)

    assert shown is not None
    assert shown["attemptsMade"] == 4
    assert len(shown["stacktrace"]) == 2


async def test_our_failing_child_fails_nodes_parent_that_waits_for_it(
    ours: Ours, node: NodePeer
) -> None:
    child = {
        "queue": "q",
        "name": "child",
        "data": 1,
        "opts": {"jobId": "child", "failParentOnFailure": True},
    }
    await node.work("parents", adds_children(child))

    async def fail(*_: object) -> None:
        raise ValueError("no luck")

    async with ours.working(does(fail)) as app:
        parent = await node.add("parents", "top")

        # In other words if the child has failed before Node's parent waits.
        with pytest.raises(
            JobFailedError, match=r"child .*:q:child failed|at least one failed child"
        ):
            await app.queue("parents").result(parent)
