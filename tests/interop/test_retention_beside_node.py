"""How long finished jobs are kept: asked on one side, carried out on the other."""

from datetime import timedelta
from typing import Any

import pytest

from framework import Application, Context, Job, JobState, KeepJobs, processor
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, fails
from tests.support.ours import Ours, Runs, does, job_opts
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

SECONDS = timedelta(seconds=5)


async def fail(_: Job[Any], __: Context) -> None:
    raise ValueError("no luck")


async def kept(app: Application, state: JobState) -> list[str]:
    """List the ids that are kept, newest first."""
    return [job.id for job in await app.queue("q").jobs(state)]


async def test_node_keeps_as_many_of_our_jobs_as_we_asked(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", ECHO)
    async with ours.producing() as app:
        keep = KeepJobs(count=3)
        jobs = await app.queue("q").add_bulk(
            ("n", n, {"remove_on_complete": keep}) for n in range(8)
        )

        async def all_done() -> bool:
            return len(await worker.events("completed")) == len(jobs)

        await until(all_done)

        assert await kept(app, JobState.COMPLETED) == [job.id for job in jobs[:-4:-1]]


async def test_our_own_default_does_not_trouble_node(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(1, "once"))
    async with ours.producing() as app:
        queue = app.queue("q")
        good, bad = await queue.add("n", attempts=2), await queue.add("n")

        await until(lambda: _ended(node, good.id, "completed"))
        await until(lambda: _ended(node, bad.id, "failed"))

        assert (await job_opts(app, good.id))["fw"] == 1
    assert await worker.events("error") == []
    read = await node.job("q", good.id)
    assert read is not None
    assert (read["opts"]["attempts"], read["opts"]["removeOnComplete"]) == (2, 1000)
    assert read["opts"]["removeOnFail"] == {"age": 604800}


async def _ended(node: NodePeer, job_id: str, state: str) -> bool:
    return await node.state("q", job_id) == state


async def test_node_goes_by_our_count_though_we_ask_for_a_time_at_least(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", ECHO)
    async with ours.producing() as app:
        keep = KeepJobs(count=2, at_least=timedelta(minutes=1))
        await app.queue("q").add_bulk(("n", n, {"remove_on_complete": keep}) for n in range(5))

        async def all_done() -> bool:
            return len(await worker.events("completed")) == 5

        await until(all_done)

        assert len(await kept(app, JobState.COMPLETED)) == 2


async def test_node_removes_our_jobs_that_are_too_old(ours: Ours, node: NodePeer) -> None:
    await node.work("q", ECHO)
    async with ours.producing() as app:
        queue = app.queue("q")
        keep = KeepJobs(age=timedelta(seconds=1))
        first = await queue.add("n", remove_on_complete=keep)
        await queue.result(first, timeout=SECONDS)

        async def removed() -> bool:
            await queue.result(await queue.add("n", remove_on_complete=keep), timeout=SECONDS)
            return await queue.job(first.id) is None

        await until(removed, timeout=3, message="the first job is removed for its age")


async def test_node_removes_our_failed_job_at_once_where_we_ask_so(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", fails())
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n", remove_on_fail=True)
        kept_one = await queue.add("n", remove_on_fail=KeepJobs.all())

        async def both_failed() -> bool:
            return len(await worker.events("failed")) == 2

        await until(both_failed)

        assert await queue.job(job.id) is None
        assert await kept(app, JobState.FAILED) == [kept_one.id]


@pytest.mark.parametrize("keep", [3, {"count": 3}, {"count": 3, "age": 60}], ids=str)
async def test_we_keep_as_many_of_nodes_jobs_as_it_asked(
    ours: Ours, node: NodePeer, keep: object
) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        jobs = [{"name": "n", "opts": {"removeOnComplete": keep}}] * 8
        ids = await node.add_bulk("q", jobs)

        await until(lambda: _has_finished(app, runs, 8))

        assert await kept(app, JobState.COMPLETED) == ids[:-4:-1]
        assert [await node.job("q", job_id) for job_id in ids[:5]] == [None] * 5


async def _has_finished(app: Application, runs: Runs, count: int) -> bool:
    counts = await app.queue("q").counts()
    return len(runs.ids) == count and counts[JobState.ACTIVE] == 0


@pytest.mark.parametrize(("keep", "count"), [(True, 0), (False, 4), (0, 0), (2, 2), (None, 4)])
async def test_we_understand_every_form_of_nodes_retention(
    ours: Ours, node: NodePeer, keep: object, count: int
) -> None:
    good, bad = Runs(), Runs()
    said = {} if keep is None else {"removeOnComplete": keep, "removeOnFail": keep}
    async with ours.working(does(runs=good), does(fail, runs=bad, queue="bad")) as app:
        await node.add_bulk("q", [{"name": "n", "opts": said}] * 4)
        await node.add_bulk("bad", [{"name": "n", "opts": said}] * 4)

        await until(lambda: _has_finished(app, good, 4))
        await until(lambda: _none_active(node, bad))

        assert (await node.counts("q", "completed"))["completed"] == count
        assert (await node.counts("bad", "failed"))["failed"] == count


async def _none_active(node: NodePeer, runs: Runs) -> bool:
    return len(runs.ids) == 4 and (await node.counts("bad", "active"))["active"] == 0


async def test_we_remove_nodes_jobs_that_are_too_old(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does()):
        first = await node.add("q", "n", removeOnComplete={"age": 1})
        await node.wait_result("q", first)

        async def removed() -> bool:
            await node.wait_result("q", await node.add("q", "n", removeOnComplete={"age": 1}))
            return await node.job("q", first) is None

        await until(removed, timeout=3, message="the first job is removed for its age")


async def test_a_removed_job_takes_its_log_along(ours: Ours, node: NodePeer) -> None:
    async def write(_: Job[Any], ctx: Context) -> None:
        await ctx.log("row")

    async with ours.working(does(write)) as app:
        first = await node.add("q", "n", removeOnComplete=1)
        await until(lambda: _ended(node, first, "completed"))
        second = await node.add("q", "n", removeOnComplete=1)
        await until(lambda: _ended(node, second, "completed"))
        pattern = f"{ours.prefix}:q:{first}*"

        assert await app.store.command("KEYS", pattern) == []
    assert await node.logs("q", second) == ["row"]


async def test_our_workers_own_retention_counts_where_node_says_nothing(
    ours: Ours, node: NodePeer
) -> None:
    @processor("q", remove_on_complete=KeepJobs(count=1), remove_on_fail=True)
    async def work(job: Job[Any]) -> None:
        if job.name == "fail":
            raise ValueError("no luck")

    async with ours.working(work) as app:
        for name, opts in (("n", {}), ("n", {}), ("fail", {}), ("fail", {"removeOnFail": False})):
            last = await node.add("q", name, **opts)
        await until(lambda: _ended(node, last, "failed"))

        assert await kept(app, JobState.COMPLETED) == ["2"]
        assert await kept(app, JobState.FAILED) == ["4"]
