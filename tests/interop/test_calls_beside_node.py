"""Calls that no other test makes beside Node."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework import Context, Job, Limiter
from framework.model.clock import SystemClock
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, by_name, fails
from tests.support.ours import Ours, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

WORK = by_name(ECHO, bad=fails(message="no luck"))


def family() -> dict[str, object]:
    """Describe a parent, two children that complete, and one that may fail."""
    ignored = {"jobId": "bad", "ignoreDependencyOnFailure": True}
    children = [
        {"name": "n", "queueName": "q", "data": 1, "opts": {"jobId": "one"}},
        {"name": "n", "queueName": "q", "data": 2, "opts": {"jobId": "two"}},
        {"name": "bad", "queueName": "q", "opts": ignored},
    ]
    top = {"name": "top", "queueName": "parents", "opts": {"jobId": "top"}}
    return {**top, "data": 0, "children": children}


def in_a_second() -> datetime:
    now_ms = SystemClock().now_ms() + 1000
    return datetime.fromtimestamp(now_ms / 1000, UTC)


async def test_we_read_what_became_of_the_children_that_node_worked(
    ours: Ours, node: NodePeer
) -> None:
    await node.add_flow(family())
    await node.work("q", WORK)

    async def tell(_: Job[Any], ctx: Context) -> dict[str, str]:
        return await ctx.ignored_children()

    async with ours.working(does(tell, queue="parents")) as app:
        parents = app.queue("parents")
        told = await parents.result("top")
        page = await parents.dependencies_page("top", "processed")

        assert told == {f"{ours.prefix}:q:bad": "no luck"}
        assert await parents.ignored_children("top") == told
        assert page.children == {f"{ours.prefix}:q:one": 1, f"{ours.prefix}:q:two": 2}


async def test_we_read_the_rate_limit_that_node_set(ours: Ours, node: NodePeer) -> None:
    await node.queue_call("q", "setGlobalRateLimit", 5, 1000)
    async with ours.producing() as app:
        assert await app.queue("q").global_rate_limit() == Limiter(5, timedelta(seconds=1))


async def test_node_runs_what_our_run_put_off_until_a_moment(ours: Ours, node: NodePeer) -> None:
    due: list[datetime] = []

    async def put_off(_: Job[Any], ctx: Context) -> None:
        due.append(in_a_second())
        await ctx.delay_until(due[-1])

    async with ours.working(does(put_off)) as app:
        job = await app.queue("q").add("n", "late")

        async def is_put_off() -> bool:
            return await node.state("q", job.id) == "delayed"

        await until(is_put_off)
    worker = await node.work("q", ECHO)
    assert await node.wait_result("q", job.id) == "late"
    (run,) = await worker.order()
    assert run.at >= due[-1].timestamp() * 1000
    assert run.attemptsMade == 0


async def test_node_runs_what_we_put_off_by_hand_until_a_moment(ours: Ours, node: NodePeer) -> None:
    due = in_a_second()
    async with ours.producing() as app:
        await app.queue("q").add("n", "late")
        held = await app.queue("q").next_job("mine")
        assert held is not None
        await held.delay_until(due)

    await node.work("q", ECHO)
    assert await node.wait_result("q", held.id) == "late"


async def test_node_runs_what_we_retried_by_hand(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        await app.queue("q").add("n", "again")
        held = await app.queue("q").next_job("mine")
        assert held is not None
        await held.retry("not yet")

    worker = await node.work("q", ECHO)
    assert await node.wait_result("q", held.id) == "again"
    assert [run.attemptsMade for run in await worker.order()] == [1]


async def test_we_read_the_settings_that_node_wrote(ours: Ours, node: NodePeer) -> None:
    await node.call("openQueue", queue="q", opts={"streams": {"events": {"maxLen": 77}}})
    async with ours.producing() as app:
        meta = await app.queue("q").meta()

    assert meta["opts.maxLenEvents"] == "77"
    assert meta["version"].startswith(f"bullmq:{node.major}.")
