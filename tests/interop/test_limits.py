"""Pauses and limits that one side sets and both keep."""

from datetime import timedelta
from itertools import accumulate, pairwise
from typing import Any

import anyio
import pytest

from framework import Application, Context, Job, JobState, Limiter
from framework.store.store import Store
from tests.support.holds import holds
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import HANG, sleeps
from tests.support.ours import Ours, Runs, does
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

MAX, WINDOW_MS = 3, 200


async def linger(_: Job[Any], __: Context) -> None:
    await anyio.sleep(0.01)


async def entries(store: Store, prefix: str, *events: str) -> list[tuple[int, str]]:
    """Read when which of these events were written, by the server's clock."""
    found = await store.command("XRANGE", f"{prefix}:q:events", "-", "+")
    stamped = [(int(it.split(b"-")[0]), fields[b"event"].decode()) for it, fields in found]
    return [pair for pair in stamped if pair[1] in events]


async def all_completed(node: NodePeer, count: int) -> bool:
    return (await node.counts("q", "completed"))["completed"] == count


async def test_a_queue_that_node_pauses_is_left_alone_by_us(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        await node.call("pause", queue="q")
        ids = [await node.add("q", "n"), await node.add("q", "n", priority=2)]
        queue = app.queue("q")

        assert await queue.is_paused()
        await holds(lambda: _waits(app, 1, 1))
        assert runs.ids == []

        await node.call("resume", queue="q")

        await until(lambda: runs.ids == ids, timeout=1, message="both run, in their order")


async def _waits(app: Application, waiting: int, prioritized: int = 0) -> bool:
    counts = await app.queue("q").counts()
    return (counts[JobState.WAITING], counts[JobState.PRIORITIZED]) == (waiting, prioritized)


async def test_we_resume_a_queue_that_node_paused(ours: Ours, node: NodePeer) -> None:
    before = [await node.add("q", "n") for _ in range(3)]
    await node.call("pause", queue="q")
    late = await node.add("q", "n")
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        queue = app.queue("q")
        last = (await queue.add("n")).id
        await holds(lambda: _waits(app, 5))

        await queue.resume()

        ids = [*before, late, last]
        await until(lambda: runs.ids == ids, timeout=1, message="all run, in their order")
        assert await node.call("isPaused", queue="q") is False


async def test_a_queue_that_we_pause_is_left_alone_by_node(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        await queue.pause()
        ids = [(await queue.add("n")).id, (await queue.add("n", priority=2)).id]

        assert await node.call("isPaused", queue="q") is True
        await holds(lambda: _waits(app, 1, 1))

        await queue.resume()

        async def both_ran() -> bool:
            return [run.jobId for run in await worker.order()] == ids

        await until(both_ran, timeout=1, message="both run, in their order")


async def test_running_jobs_go_on_while_the_other_side_pauses(ours: Ours, node: NodePeer) -> None:
    gate = anyio.Event()

    async def wait(_: Job[Any], __: Context) -> str:
        await gate.wait()
        return "finished"

    runs = Runs()
    theirs = await node.work("theirs", HANG)
    async with ours.working(does(wait, runs=runs)) as app:
        first, second = await node.add("q", "n"), await node.add("q", "n")
        other = await app.queue("theirs").add("n")
        await until(lambda: runs.ids)
        await until(theirs.order)

        await node.call("pause", queue="q")
        await app.queue("theirs").pause()
        gate.set()
        await theirs.release(other.id, value="finished")

        assert await node.wait_result("q", first) == "finished"
        assert await app.queue("theirs").result(other) == "finished"
        await holds(lambda: _waits(app, 1))
        assert await node.state("q", second) == "waiting"


async def test_a_delayed_job_that_falls_due_in_a_pause_runs_after_it(
    ours: Ours, node: NodePeer
) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        await app.queue("q").pause()
        job_id = await node.add("q", "n", delay=50)
        await until(lambda: is_waiting(app, job_id), message="it has fallen due")

        await holds(lambda: _never(runs))

        await app.queue("q").resume()
        await until(lambda: runs.ids == [job_id], timeout=1, message="it runs")


async def is_waiting(app: Application, job_id: str) -> bool:
    return await app.queue("q").state(job_id) is JobState.WAITING


async def _never(runs: Runs) -> bool:
    return runs.ids == []


async def test_both_sides_keep_nodes_global_concurrency(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    await node.call("setGlobalConcurrency", queue="q", concurrency=2)
    runs = Runs()
    await node.add_bulk("q", [{"name": "n"}] * 40)
    worker = await node.work("q", sleeps(10), concurrency=10)
    async with ours.working(does(linger, runs=runs, concurrency=10)):
        await until(lambda: all_completed(node, 40), timeout=8, message="all are completed")

    steps = await entries(store, ours.prefix, "active", "completed")
    busy = list(accumulate(1 if event == "active" else -1 for _, event in steps))
    assert max(busy) == 2
    assert len(runs.ids) + len(await worker.order()) == 40


async def test_we_alone_fill_nodes_global_concurrency(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    await node.call("setGlobalConcurrency", queue="q", concurrency=3)
    await node.add_bulk("q", [{"name": "n"}] * 30)

    async with ours.working(does(linger, concurrency=10)):
        await until(lambda: all_completed(node, 30), timeout=3, message="all are completed")

    steps = await entries(store, ours.prefix, "active", "completed")
    assert max(accumulate(1 if event == "active" else -1 for _, event in steps)) == 3


async def assert_windows(store: Store, prefix: str, count: int, watch: Stopwatch) -> None:
    """See that no window had too many starts, and that each began soon after the one before.

    A window begins with its first start; on a busy machine not all that it allows come in time.
    """
    starts = [at for at, _ in await entries(store, prefix, "active")]
    assert len(starts) == count
    windows: list[list[int]] = []
    for at in starts:
        if windows and at < windows[-1][0] + WINDOW_MS - 2:
            windows[-1].append(at)
        else:
            windows.append([at])
    gaps = [watch.counted(later[0] - earlier[0]) for earlier, later in pairwise(windows)]
    assert max(map(len, windows)) <= MAX, starts
    assert max(gaps) <= WINDOW_MS + 300, starts


async def test_we_keep_the_rate_limit_that_node_set_for_the_queue(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    watch = Stopwatch()
    await node.queue_call("q", "setGlobalRateLimit", MAX, WINDOW_MS)
    await node.add_bulk("q", [{"name": "n"}] * 10)

    async with ours.working(does(concurrency=10)):
        await until(lambda: all_completed(node, 10), message="all are completed")

    await assert_windows(store, ours.prefix, 10, watch)


async def test_both_sides_share_the_rate_limit_of_the_queue(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    watch = Stopwatch()
    await node.queue_call("q", "setGlobalRateLimit", MAX, WINDOW_MS)
    await node.add_bulk("q", [{"name": "n"}] * 10)
    await node.work("q", concurrency=10)

    async with ours.working(does(concurrency=10)):
        await until(lambda: all_completed(node, 10), message="all are completed")

    await assert_windows(store, ours.prefix, 10, watch)


async def test_workers_of_both_sides_share_the_rate_limit_they_were_given(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    limiter, watch = Limiter(MAX, timedelta(milliseconds=WINDOW_MS)), Stopwatch()
    await node.add_bulk("q", [{"name": "n"}] * 10)
    await node.work("q", concurrency=10, limiter={"max": MAX, "duration": WINDOW_MS})

    async with ours.working(does(concurrency=10, limiter=limiter)):
        await until(lambda: all_completed(node, 10), message="all are completed")

    await assert_windows(store, ours.prefix, 10, watch)


async def test_our_limited_worker_waits_out_a_limit_that_node_set_by_hand(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    limiter, watch = Limiter(1000, timedelta(seconds=1)), Stopwatch()
    await node.queue_call("q", "rateLimit", 400)
    left = await store.command("PTTL", f"{ours.prefix}:q:limiter")
    seconds, micros = await store.command("TIME")
    ends = int(seconds) * 1000 + int(micros) // 1000 + left
    runs = Runs()
    async with ours.working(does(runs=runs, limiter=limiter)):
        await node.add("q", "n")

        await until(lambda: runs.ids, message="it runs")

    (added, _), (began, _) = await entries(store, ours.prefix, "added", "active")
    assert began >= ends - 5
    assert watch.counted(began - max(ends, added)) <= 500


async def test_delayed_jobs_are_promoted_while_the_queue_is_limited(
    ours: Ours, node: NodePeer
) -> None:
    limiter = Limiter(1, timedelta(seconds=20))
    runs = Runs()
    async with ours.working(does(runs=runs, limiter=limiter)) as app:
        await node.add("q", "n")
        await until(lambda: runs.ids)
        later = await node.add("q", "n", delay=50)
        await node.add("q", "n")
        await until(lambda: is_waiting(app, later), timeout=6, message="it waits in line")
