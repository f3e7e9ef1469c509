"""Our workers behind Node's producers: order, delays, speed, and the hash they leave."""

import json
import socket
from os import getpid
from statistics import median
from typing import Any

import pytest

from framework import Application, Context, Job, JobState
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, fails
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

DELAYS_MS = [250, 50, 200, 100, 150]


async def have_run(runs: Runs, count: int) -> list[str]:
    """Wait for so many runs; return the ids in the order in which they began."""
    await until(lambda: len(runs.ids) >= count, message=f"we begin {count} jobs")
    return runs.ids


async def fail(_: Job[Any], __: Context) -> None:
    raise ValueError("no luck: Grüße, 世界")


async def finished(app: Application, job_id: str) -> dict[str, str]:
    """Wait until a job has finished and return its hash."""
    queue = app.queue("q")

    async def is_final() -> bool:
        return (await queue.state(job_id)).is_final

    await until(is_final, message=f"job {job_id} has finished")
    return await job_hash(app, job_id)


async def test_python_completes_what_node_adds(ours: Ours, node: NodePeer) -> None:
    data = {"text": "Grüße, 世界", "numbers": [1, 2.5, None], "deep": {"a": {"b": []}}}

    async with ours.working(does()):
        job_id = await node.add("q", "greet", data)

        assert await node.wait_result("q", job_id) == data
        assert await node.state("q", job_id) == "completed"


@pytest.mark.parametrize("data", [None, 0, "", "text", [], {}, False, [1, {"a": None}]], ids=str)
async def test_whatever_node_adds_comes_as_it_is(ours: Ours, node: NodePeer, data: object) -> None:
    async with ours.working(does()):
        job_id = await node.add("q", "n", data)

        assert await node.wait_result("q", job_id) == data


async def test_we_work_nodes_jobs_in_the_order_they_were_added(ours: Ours, node: NodePeer) -> None:
    ids = [await node.add("q", "n", n) for n in range(5)]
    runs = Runs()

    async with ours.working(does(runs=runs)):
        assert await have_run(runs, 5) == ids


async def test_we_work_nodes_lifo_jobs_first(ours: Ours, node: NodePeer) -> None:
    fifo = [await node.add("q", "n", n) for n in range(3)]
    lifo = [await node.add("q", "n", n, lifo=True) for n in range(2)]
    runs = Runs()

    async with ours.working(does(runs=runs)):
        assert await have_run(runs, 5) == [*reversed(lifo), *fifo]


async def test_we_work_nodes_jobs_by_priority(ours: Ours, node: NodePeer) -> None:
    five, one, none, fifth_again = [
        await node.add("q", "n", priority=priority) for priority in (5, 1, 0, 5)
    ]
    runs = Runs()

    async with ours.working(does(runs=runs)):
        assert await have_run(runs, 4) == [none, one, five, fifth_again]


async def test_we_follow_a_priority_that_node_changed(ours: Ours, node: NodePeer) -> None:
    late, early = await node.add("q", "n", priority=2), await node.add("q", "n", priority=3)
    await node.call("changePriority", queue="q", jobId=early, opts={"priority": 1})
    runs = Runs()

    async with ours.working(does(runs=runs)):
        assert await have_run(runs, 2) == [early, late]


async def test_we_start_nodes_delayed_jobs_when_they_are_due(ours: Ours, node: NodePeer) -> None:
    runs, watch = Runs(), Stopwatch()
    async with ours.working(does(runs=runs, concurrency=5)) as app:
        in_time = {await node.add("q", "n", delay=ms): ms for ms in DELAYS_MS}

        order = await have_run(runs, 5)
        due = {
            job_id: int((await job_hash(app, job_id))["timestamp"]) + ms
            for job_id, ms in in_time.items()
        }
    assert order == sorted(due, key=due.__getitem__)
    late = [runs.at[job_id] - at for job_id, at in due.items()]
    assert min(late) >= 0, late
    assert watch.counted(median(late)) <= 100, late


async def test_we_keep_the_order_of_nodes_jobs_due_at_once(ours: Ours, node: NodePeer) -> None:
    jobs = [{"name": "n", "opts": {"delay": 100, "timestamp": 1_700_000_000_000}}] * 12
    ids = await node.add_bulk("q", jobs)
    runs = Runs()

    async with ours.working(does(runs=runs)):
        assert await have_run(runs, 12) == ids


async def test_a_delay_that_node_shortens_wakes_us(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)):
        job_id = await node.add("q", "n", delay=60_000)

        await node.call("changeDelay", queue="q", jobId=job_id, delay=50)

        await until(lambda: runs.ids == [job_id], timeout=1, message="the job runs")


async def test_a_delayed_job_that_node_promotes_runs_at_once(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)):
        job_id = await node.add("q", "n", delay=60_000)

        await node.call("promote", queue="q", jobId=job_id)

        await until(lambda: runs.ids == [job_id], timeout=1, message="the job runs")


async def test_a_failed_job_that_node_retries_runs_again(ours: Ours, node: NodePeer) -> None:
    runs = Runs()

    async def once(_: Job[Any], __: Context) -> str:
        if len(runs.ids) == 1:
            raise ValueError("the first time")
        return "the second time"

    async with ours.working(does(once, runs=runs)) as app:
        job_id = await node.add("q", "n")
        await finished(app, job_id)

        await node.call("retry", queue="q", jobId=job_id, state="failed")

        assert await node.wait_result("q", job_id) == "the second time"
        job = await finished(app, job_id)
    assert (job["atm"], job["ats"]) == ("2", "2")
    assert "failedReason" not in job


async def test_we_work_nodes_bulk_of_1000_in_order(ours: Ours, node: NodePeer) -> None:
    ids = await node.add_bulk("q", [{"name": "n", "data": n} for n in range(1000)])
    runs = Runs()

    async with ours.working(does(runs=runs)) as app:
        assert await have_run(runs, 1000) == ids

        async def all_completed() -> bool:
            return (await app.queue("q").counts())[JobState.COMPLETED] == 1000

        await until(all_completed, message="all are completed")


async def test_an_idle_worker_of_ours_starts_nodes_job_at_once(ours: Ours, node: NodePeer) -> None:
    runs, watch = Runs(), Stopwatch()
    async with ours.working(does(runs=runs)) as app:
        for count in range(1, 22):
            await node.add("q", "n")
            await have_run(runs, count)
        added = {job_id: int((await job_hash(app, job_id))["timestamp"]) for job_id in runs.ids}

    waited = [at - added[job_id] for job_id, at in runs.at.items()]
    assert watch.counted(median(waited)) < 50, waited


async def test_a_burst_of_nodes_wakes_every_idle_worker(ours: Ours, node: NodePeer) -> None:
    ours_ran = Runs()

    async def wait_for_three(_: Job[Any], __: Context) -> None:
        await until(lambda: len(ours_ran.ids) == 2)

    theirs = await node.work("q", {"kind": "hang"})
    other = does(wait_for_three, runs=ours_ran)
    async with ours.working(other), ours.working(other):
        await node.add_bulk("q", [{"name": "n"}] * 3)

        async def all_busy() -> bool:
            return len(ours_ran.ids) + len(await theirs.order()) == 3

        await until(all_busy, timeout=1, message="each of the three workers begins one job")


async def test_a_completed_job_has_the_fields_that_node_leaves(ours: Ours, node: NodePeer) -> None:
    theirs = await node.work("q", ECHO, name="wanda")
    node_id = await node.add("q", "n", {"a": 1}, attempts=2)
    await node.wait_result("q", node_id)
    await theirs.close()

    async with ours.working(does()) as app:
        our_id = await node.add("q", "n", {"a": 1}, attempts=2)
        mine, peers = await finished(app, our_id), await job_hash(app, node_id)
        finished_on = await app.store.command("ZSCORE", f"{ours.prefix}:q:completed", our_id)

    assert mine.keys() == peers.keys()
    same = ("name", "data", "delay", "priority", "ats", "atm", "returnvalue")
    assert {name: mine[name] for name in same} == {name: peers[name] for name in same}
    assert json.loads(mine["opts"]) == json.loads(peers["opts"])
    assert (mine["ats"], mine["atm"], mine["returnvalue"]) == ("1", "1", '{"a":1}')
    assert mine["pb"] == f"{socket.gethostname()}:{getpid()}"
    assert int(mine["processedOn"]) <= int(mine["finishedOn"])
    assert int(mine["finishedOn"]) == finished_on


async def test_a_failed_job_has_the_fields_that_node_leaves(ours: Ours, node: NodePeer) -> None:
    theirs = await node.work("q", fails(message="no luck: Grüße, 世界"), name="wanda")
    node_id = await node.add("q", "n", {"a": 1})
    await until(lambda: theirs.events("failed"))
    await theirs.close()

    async with ours.working(does(fail)) as app:
        our_id = await node.add("q", "n", {"a": 1})
        mine, peers = await finished(app, our_id), await job_hash(app, node_id)
        finished_on = await app.store.command("ZSCORE", f"{ours.prefix}:q:failed", our_id)

    assert mine.keys() == peers.keys()
    assert mine["failedReason"] == peers["failedReason"] == "no luck: Grüße, 世界"
    assert (mine["ats"], mine["atm"]) == (peers["ats"], peers["atm"]) == ("1", "1")
    traces = json.loads(mine["stacktrace"])
    assert len(traces) == len(json.loads(peers["stacktrace"])) == 1
    assert traces[0].startswith("Traceback")
    assert "no luck: Grüße, 世界" in traces[0]
    assert int(mine["finishedOn"]) == finished_on


async def test_node_reads_all_fields_of_a_job_we_finished(ours: Ours, node: NodePeer) -> None:
    runs = Runs()

    async def second_time(_: Job[Any], ctx: Context) -> dict[str, int]:
        await ctx.progress({"step": ctx.attempt})
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return {"n": 2}

    async with ours.working(does(second_time, runs=runs)) as app:
        job_id = await node.add("q", "n", {"a": 1}, attempts=2)
        assert await node.wait_result("q", job_id) == {"n": 2}
        stored = await finished(app, job_id)

    job = await node.job("q", job_id)
    assert job is not None
    assert (job["attemptsMade"], job["attemptsStarted"], job["stalledCounter"]) == (2, 2, 0)
    assert (job["returnvalue"], job["progress"]) == ({"n": 2}, {"step": 2})
    assert (job["failedReason"], len(job["stacktrace"])) == ("not yet", 1)
    assert (job["processedOn"], job["finishedOn"]) == (
        int(stored["processedOn"]),
        int(stored["finishedOn"]),
    )
    assert job["processedBy"] == stored["pb"]
    assert runs.ids == [job_id, job_id]


async def test_a_job_with_a_deferred_failure_fails_and_does_not_run(
    ours: Ours, node: NodePeer
) -> None:
    job_id = await node.add("q", "n", attempts=5)
    runs = Runs()
    async with ours.producing() as app:
        await app.store.command("HSET", f"{ours.prefix}:q:{job_id}", "defa", "a child has failed")

    async with ours.working(does(runs=runs)) as app:
        job = await finished(app, job_id)

    assert runs.ids == []
    assert (job["failedReason"], job["atm"], job["ats"]) == ("a child has failed", "1", "1")
    assert "defa" not in job
    assert await node.state("q", job_id) == "failed"
