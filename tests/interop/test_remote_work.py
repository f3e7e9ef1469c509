"""What stands for remote clients here, beside BullMQ's workers on the same queue."""

from typing import Any

import pytest

from framework import Application, Context, Job, processor
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.ours import Ours, job_hash
from tests.support.until import until

pytestmark = both_majors


async def test_node_runs_what_our_run_gave_back(ours: Ours, node: NodePeer) -> None:
    given_back: list[str] = []
    apps: list[Application] = []

    @processor("q")
    async def give_back(job: Job[Any], ctx: Context) -> None:
        given_back.append(job.id)
        apps[0].stop()  # so that it is Node's next
        await ctx.give_back(max_stalled=1)

    async with ours.working(give_back) as app:
        apps.append(app)
        job_id = await node.add("q", "n", {"a": 1})
        await until(lambda: given_back, message="it ran here")
    await node.work("q", returning="on Node")

    assert await node.wait_result("q", job_id) == "on Node"
    seen = await node.job("q", job_id)
    assert seen is not None
    assert (seen["stalledCounter"], seen["attemptsMade"]) == (1, 1)


async def test_node_sees_a_job_failed_whose_workers_vanished_too_often(
    ours: Ours, node: NodePeer
) -> None:
    recording = await node.record_events("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        job_id = await node.add("q", "n", {"a": 1}, attempts=5)
        for _ in range(2):
            held = await queue.next_job("ours")
            assert held is not None
            await held.stall(max_stalled=1)

        assert await node.state("q", job_id) == "failed"
        with pytest.raises(NodeError, match="job stalled more than allowable limit"):
            await node.wait_result("q", job_id)
        assert (await job_hash(app, job_id))["stc"] == "2"

    async def told() -> bool:
        return len(await recording.events("failed")) == 1

    await until(told, message="all is told")


async def test_node_lists_what_works_by_other_means(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app, app.queue("q").show_worker("far"):
        listed = await node.workers("q")

    assert [one["rawname"].endswith(":w:far") for one in listed] == [True]
