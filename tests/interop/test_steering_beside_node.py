"""What says how a job goes on, on either side: strategies of one's own, limits of starts."""

from datetime import timedelta
from typing import Any

import pytest

from framework import Context, Custom, Job, processor
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import delays, fails
from tests.support.ours import Ours, does, job_hash
from tests.support.until import until

pytestmark = both_majors

TOO_OFTEN = "job started more than allowable limit"


async def test_node_waits_as_its_own_strategy_says_for_our_job(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(1, "once", value="done"), backoffs={"bank": 60})
    async with ours.producing() as app:
        job = await app.queue("q").add("n", attempts=2, backoff=Custom("bank"))
        assert await app.queue("q").result(job) == "done"

    first, second = await worker.order()
    assert second.at - first.at >= 55


async def test_we_wait_as_our_own_strategy_says_for_nodes_job(ours: Ours, node: NodePeer) -> None:
    asked: list[int] = []

    def bank(attempt: int, _: BaseException, __: Job[Any]) -> timedelta:
        asked.append(attempt)
        return timedelta(milliseconds=60_000)

    @processor("q", backoffs={"bank": bank})
    async def run(job: Job[Any]) -> None:
        raise ValueError("once")

    async with ours.working(run) as app:
        job_id = await node.add("q", "n", attempts=2, backoff={"type": "bank"})

        async def is_delayed() -> bool:
            return await node.state("q", job_id) == "delayed"

        await until(is_delayed, message="the retry waits")
        fields = await job_hash(app, job_id)

    assert asked == [1]
    assert (fields["delay"], fields["atm"]) == ("60000", "1")


async def test_node_fails_what_was_started_too_often_here(ours: Ours, node: NodePeer) -> None:
    async def park(_: Job[Any], ctx: Context) -> None:
        await ctx.delay_for(timedelta(0))

    starts: list[str] = []
    async with ours.working(does(_counted(park, starts))):
        job_id = await node.add("q", "n", attempts=9)
        await until(lambda: len(starts) >= 3, message="three starts")

    worker = await node.work("q", delays(0), maxStartedAttempts=2)
    with pytest.raises(NodeError, match=TOO_OFTEN):
        await node.wait_result("q", job_id)
    assert await worker.runs() == {}


def _counted(work: Any, starts: list[str]) -> Any:  # noqa: ANN401 - a handler
    async def run(job: Job[Any], ctx: Context) -> None:
        starts.append(job.id)
        await work(job, ctx)

    return run


async def test_we_fail_what_was_started_too_often_there(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", delays(3_600_000))
    job_id = await node.add("q", "n", attempts=9)
    await until(worker.order, message="it started there")
    await worker.close()
    await node.call("promote", queue="q", jobId=job_id)

    @processor("q", max_started_attempts=1)
    async def run(job: Job[Any]) -> None:
        raise AssertionError

    async with ours.working(run) as app:
        with pytest.raises(NodeError, match=TOO_OFTEN):
            await node.wait_result("q", job_id)
        assert (await job_hash(app, job_id))["atm"] == "1"
