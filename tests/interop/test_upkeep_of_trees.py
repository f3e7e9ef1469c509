"""Trees, sweeps, priorities, limits and lists of workers: what one side does, the other sees."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from framework import (
    ActiveJobsError,
    Context,
    Job,
    JobFailedError,
    JobLockedError,
    JobState,
    WorkerInfo,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import entries_of, hash_of, list_of, scores_of
from tests.support.minutes import minute_with_time_left
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO, HANG, by_name, fails
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


async def finish_parts(ours: Ours, node: NodePeer) -> None:
    """Let one child complete, one fail, and one wait on, in the queue ``c``."""

    async def is_so() -> bool:
        counts = await node.counts("c", "completed", "failed")
        return counts == {"completed": 1, "failed": 1}

    worker = await node.work("c", by_name(ECHO, bad=fails()))
    await until(is_so)
    await worker.close()


def tree(queue: str) -> dict[str, object]:
    def child(job_id: str, name: str, **opts: object) -> dict[str, object]:
        return {"name": name, "queueName": "c", "data": 1, "opts": {"jobId": job_id, **opts}}

    children = [child("good", "n"), child("bad", "bad", ignoreDependencyOnFailure=True)]
    children.append(child("later", "n", delay=60_000))
    return {"name": "p", "queueName": queue, "opts": {"jobId": "P1"}, "children": children}


@pytest.mark.parametrize("with_children", [True, False])
async def test_a_tree_removed_by_us_is_gone_for_node(
    ours: Ours, node: NodePeer, store: Store, with_children: bool
) -> None:
    await node.add_flow(tree("p"))
    await finish_parts(ours, node)
    async with ours.producing() as app:
        assert await app.queue("p").remove("P1", with_children)

    assert await node.job("p", "P1") is None
    states = [await node.state("c", job_id) for job_id in ("good", "bad", "later")]
    gone = ["unknown"] * 3
    assert states == (gone if with_children else ["completed", "failed", "delayed"])
    removed = [
        it
        for it in await entries_of(store, QueueKeys(ours.prefix, "c"))
        if it["event"] == "removed"
    ]
    assert [(it["jobId"], it["prev"]) for it in removed] == (
        [("good", "completed"), ("bad", "failed"), ("later", "delayed")] if with_children else []
    )
    await node.add("p", "n", jobId="P1")
    assert await node.state("p", "P1") == "waiting"


async def test_a_tree_removed_by_node_is_gone_for_us(ours: Ours, node: NodePeer) -> None:
    await node.add_flow(tree("p"))
    await finish_parts(ours, node)
    await node.call("remove", queue="p", jobId="P1")

    async with ours.producing() as app:
        assert await app.queue("p").state("P1") is JobState.UNKNOWN
        assert sum((await app.queue("c").counts()).values()) == 0
        assert not await app.queue("p").remove("P1")


async def test_neither_side_removes_a_tree_of_which_the_other_runs_a_child(
    ours: Ours, node: NodePeer
) -> None:
    gate = anyio.Event()

    async def wait(_: Job[Any], __: Context) -> None:
        await gate.wait()

    runs = Runs()
    child = {"name": "n", "data": 1}
    for parent, queue in (("P1", "theirs"), ("P2", "ours")):
        await node.add_flow(
            {
                "name": "p",
                "queueName": "p",
                "opts": {"jobId": parent},
                "children": [{**child, "queueName": queue, "opts": {"jobId": f"of{parent}"}}],
            }
        )
    worker = await node.work("theirs", HANG)
    async with ours.working(does(wait, runs=runs, queue="ours")) as app:
        await until(lambda: runs.ids)
        await until(worker.order)

        with pytest.raises(JobLockedError, match='ofP1 of queue "theirs"'):
            await app.queue("p").remove("P1")
        with pytest.raises(NodeError, match="locked"):
            await node.job_call("p", "P2", "remove")

        gate.set()
        await worker.release("ofP1", value=1)
        await until(lambda: both_wait(node))
    assert await node.state("p", "P1") == await node.state("p", "P2") == "waiting"


async def both_wait(node: NodePeer) -> bool:
    return (await node.counts("p", "waiting"))["waiting"] == 2


async def test_a_prioritized_job_is_retried_where_bullmq_6_puts_it(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    worker = await node.work("q", fails())
    for job_id in ("by-us", "by-node"):
        await node.add("q", "n", jobId=job_id, priority=3)
        with pytest.raises(NodeError):
            await node.wait_result("q", job_id)
    await worker.close()
    async with ours.producing() as app:
        await app.queue("q").retry_job("by-us")
    await node.job_call("q", "by-node", "retry", "failed")

    keys = QueueKeys(ours.prefix, "q")
    ranked, wait = await scores_of(store, keys, "prioritized"), await list_of(store, keys, "wait")
    is_6 = node.major == 6
    assert list(ranked) == (["by-us", "by-node"] if is_6 else ["by-us"])
    assert wait == ([] if is_6 else ["by-node"])
    second = await node.work("q", ECHO)
    await until(lambda: all_completed(node, 2))
    ran = [run.jobId for run in await second.order()]
    assert ran == (["by-us", "by-node"] if is_6 else ["by-node", "by-us"])


async def all_completed(node: NodePeer, count: int, queue: str = "q") -> bool:
    return (await node.counts(queue, "completed"))["completed"] == count


async def test_a_job_that_stalled_too_often_runs_after_our_retry(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    worker = await node.work("q", fails())
    job_id = await node.add("q", "n")
    with pytest.raises(NodeError):
        await node.wait_result("q", job_id)
    await worker.close()
    keys = QueueKeys(ours.prefix, "q")
    await store.command("HSET", keys.job(job_id), "stc", 1)

    async with ours.producing() as app:
        await app.queue("q").retry_job(job_id, reset_attempts_made=True)

    assert "stc" not in await hash_of(store, keys, job_id)
    await node.work("q", ECHO)
    await until(lambda: all_completed(node, 1))


async def test_a_retried_child_is_waited_for_again_on_both_sides(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    await node.add_flow(tree("p"))
    await finish_parts(ours, node)
    async with ours.producing() as app:
        await app.queue("c").retry_job("good")
        await node.job_call("c", "bad", "retry", "failed")

        counts = await node.job_call("p", "P1", "getDependenciesCount")
        assert counts["unprocessed"] == 3
        await app.queue("c").promote_job("later")
        worker = await node.work("c", ECHO)
        await until(lambda: all_completed(node, 3, "c"))
        assert await node.state("p", "P1") == "waiting"
        await worker.close()


async def test_both_sides_sweep_up_the_same_orphans(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    kept: list[str] = []
    for queue in ("theirs", "ours"):
        kept = [await node.add(queue, "n"), await node.add(queue, "n", delay=60_000)]
        keys = QueueKeys(ours.prefix, queue)
        for orphan in ("a", "b"):
            await store.command("HSET", keys.job(orphan), "name", "n")
            await store.command("RPUSH", keys.job(orphan) + ":logs", "row")
            await store.command("SET", keys.job(orphan) + ":lock", "t")
    async with ours.producing() as app:
        by_us = await app.queue("ours").remove_orphaned_jobs()
        by_node = await node.call("removeOrphanedJobs", queue="theirs")

    # In a cluster BullMQ looks at the keys of one node alone.
    swept = ["ours"] if store.is_cluster else ["theirs", "ours"]
    assert by_us == 2
    assert by_node == 2 or store.is_cluster
    for queue in swept:
        assert await store.command("KEYS", f"{ours.prefix}:{queue}:[ab]*") == []
        assert [await node.state(queue, job_id) for job_id in kept] == ["waiting", "delayed"]


async def test_an_obliterated_queue_is_gone_and_used_again_by_both(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    worker = await node.work("q", HANG)
    first = await node.add("q", "n")
    await node.add("q", "n", priority=2, deduplication={"id": "x"})
    await until(worker.order)
    runs = Runs()
    async with ours.producing() as app:
        with pytest.raises(ActiveJobsError):
            await app.queue("q").obliterate()
        await app.queue("q").obliterate(force=True)
        left = await store.command("KEYS", f"{ours.prefix}:q:*")
        await worker.release(first, value=1)
        await until(lambda: worker.events("error"), message="its outcome is refused")
        await worker.close()

    assert left == []
    async with ours.working(does(runs=runs)):
        assert await node.wait_result("q", await node.add("q", "n", "again")) == "again"
    assert runs.ids == ["1"]


async def test_what_node_obliterates_while_we_run_it_does_not_come_back(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    gate = anyio.Event()

    async def report(_: Job[Any], ctx: Context) -> None:
        await gate.wait()
        await ctx.progress(50)

    runs = Runs()
    async with ours.working(does(report, runs=runs)):
        await node.add("q", "n", attempts=3)
        await until(lambda: runs.ids)
        await node.call("obliterate", queue="q", opts={"force": True})
        gate.set()
        await node.add("q", "n", jobId="next")
        await until(lambda: runs.ids == ["1", "next"])
        await until(lambda: all_completed(node, 1))

    assert await store.command("EXISTS", f"{ours.prefix}:q:1", f"{ours.prefix}:q:1:lock") == 0
    assert sum((await node.counts("q")).values()) == 1


async def test_node_keeps_the_limits_that_we_set(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        await queue.set_global_concurrency(1)
        await node.add_bulk("q", [{"name": "n"}] * 2)
        worker = await node.work("q", HANG, concurrency=5)
        await until(worker.order)
        assert await node.queue_call("q", "getGlobalConcurrency") == 1
        assert (await node.counts("q", "active"))["active"] == 1
        for job_id in ("1", "2"):
            await worker.release(job_id)
        await until(lambda: all_completed(node, 2))
        await worker.close()
        await queue.remove_global_concurrency()
        await queue.set_global_rate_limit(1, timedelta(seconds=20))
        limited = await node.work("q", ECHO)
        await node.add_bulk("q", [{"name": "n"}] * 2)
        await until(lambda: all_completed(node, 3))
        assert await node.queue_call("q", "getGlobalRateLimit") == {"max": 1, "duration": 20_000}
        assert 0 < await node.queue_call("q", "getRateLimitTtl") <= 20_000
        assert timedelta(0) < await queue.rate_limit_ttl() <= timedelta(seconds=20)
        await limited.close()

        await queue.remove_global_rate_limit()
        await queue.remove_rate_limit_key()

        assert await node.queue_call("q", "getGlobalConcurrency") is None
        await node.work("q", ECHO)
        await until(lambda: all_completed(node, 4))


async def test_we_read_and_lift_the_limits_that_node_set(ours: Ours, node: NodePeer) -> None:
    await node.call("setGlobalConcurrency", queue="q", concurrency=7)
    await node.queue_call("q", "rateLimit", 20_000)
    async with ours.producing() as app:
        queue = app.queue("q")

        assert await queue.global_concurrency() == 7
        assert timedelta(seconds=15) < await queue.rate_limit_ttl() <= timedelta(seconds=20)
        assert await queue.remove_rate_limit_key()
        assert await queue.remove_global_concurrency()

    assert await node.queue_call("q", "getRateLimitTtl") <= 0
    assert await node.queue_call("q", "getGlobalConcurrency") is None


async def test_both_sides_read_the_same_pages_counts_and_settings(
    ours: Ours, node: NodePeer
) -> None:
    job_id = await node.add("q", "n")
    for n in range(7):
        await node.queue_call("q", "addJobLog", job_id, f"row {n}")
    for priority in (1, 1, 5):
        await node.add("q", "n", priority=priority)
    await node.add_bulk("q", [{"name": "n", "data": n} for n in range(5)])
    async with ours.producing() as app:
        queue = app.queue("q")
        for asc in (True, False):
            page = await node.call("getJobLogs", queue="q", jobId=job_id, start=1, end=3, asc=asc)
            assert await queue.logs(job_id, 1, 3, newest_first=not asc) == page["logs"]
            assert await queue.log_count(job_id) == page["count"]
            jobs = await node.jobs("q", "waiting", start=1, end=3, asc=asc)
            seen = await queue.jobs("waiting", 1, 3, newest_first=not asc)
            assert [job.id for job in seen] == [job["id"] for job in jobs]
        counted = await node.queue_call("q", "getCountsPerPriority", [0, 1, 5])
        assert await queue.counts_per_priority(0, 1, 5) == {int(p): n for p, n in counted.items()}
        assert await queue.version() == await node.queue_call("q", "getVersion")


async def test_node_lists_our_workers_and_we_list_its(ours: Ours, node: NodePeer) -> None:
    await node.work("q", ECHO, name="theirs")
    await node.work("other", ECHO)

    async with ours.working(does(), does(queue="q2")) as app:

        async def seen() -> list[WorkerInfo]:
            workers = await app.queue("q").workers()
            return workers if len(workers) == 2 else []

        names = {worker.name for worker in await until(seen)}
        listed = await node.workers("q")
        unnamed = await app.queue("other").workers()

    assert "theirs" in names
    assert {worker["rawname"].partition(":w:")[2] for worker in listed} == names
    assert [worker.name for worker in unnamed] == [""]


async def test_both_sides_count_into_the_same_metrics(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    totals = f"{ours.prefix}:q:metrics:completed"
    settings = {"metrics": timedelta(minutes=10)}
    await node.work("n", ECHO, metrics={"maxDataPoints": 10})
    async with Ours(ours.redis_url, ours.prefix, settings).working(does()) as app:
        queue = app.queue("q")
        await minute_with_time_left()
        for minute in range(3):
            await queue.result(await queue.add("n"))
            # Let the minute pass.
            now = int(await store.command("HGET", totals, "prevTS"))
            await store.command("HSET", totals, "prevTS", now - (minute + 1) * 60_000)
        await queue.result(await queue.add("n"))
        mine = await queue.metrics()
        theirs = await node.queue_call("q", "getMetrics", "completed", 0, -1)

    assert (mine.count, list(mine.points)) == (4, [0, 0, 1, 0, 1, 1])
    assert [int(point) for point in theirs["data"]] == list(mine.points)
    assert (theirs["meta"]["count"], theirs["count"]) == (mine.count, mine.total_points)
    assert theirs["meta"]["prevCount"] == mine.previous_count


async def test_node_counts_what_we_cancel_where_it_waits(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(message="no luck"), metrics={"maxDataPoints": 10})
    async with ours.producing() as app:
        queue = app.queue("q")
        with pytest.raises(JobFailedError):
            await queue.result(await queue.add("n"))
        await worker.close()
        await queue.cancel((await queue.add("n")).id)

        mine = await queue.metrics("failed")
        theirs = await node.queue_call("q", "getMetrics", "failed", 0, -1)

    assert mine.count == theirs["meta"]["count"] == 2
