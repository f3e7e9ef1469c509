"""A worker that vanishes or leaves in mid-job: the other side finishes what it had."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from framework import Context, Job
from framework.store.store import Store
from tests.support.doomed import doomed_worker
from tests.support.holds import holds
from tests.support.node import NodePeer, both_majors, node_peer
from tests.support.node_work import ECHO, HANG, delays, rate_limits
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

SECOND = timedelta(seconds=1)
# Lock duration and twice the stalled interval, a second each; and a little for slow machines.
WITHIN = 3.5
HOUR_MS = 3_600_000


async def _active(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "active"


async def test_node_finishes_the_job_of_a_killed_worker_of_ours(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    with doomed_worker(ours.redis_url, ours.prefix, SECOND) as doomed:
        job_id = await node.add("q", "n", {"a": 1})
        await until(lambda: _active(node, job_id), message="our worker has it")
        rescuer = await node.work("q", ECHO, lockDuration=1000, stalledInterval=1000)

        doomed.kill()
        watch = Stopwatch()

        assert await node.wait_result("q", job_id) == {"a": 1}
        assert watch.seconds < WITHIN
    assert await rescuer.runs() == {job_id: 1}
    assert [event.fields for event in await recording.events("stalled")] == [{"jobId": job_id}]
    read = await node.job("q", job_id)
    assert read is not None
    assert (read["attemptsStarted"], read["attemptsMade"], read["stalledCounter"]) == (2, 1, 1)


async def test_we_finish_the_job_of_a_killed_worker_of_node(
    redis_url: str, ours: Ours, node: NodePeer
) -> None:
    runs = Runs()
    recording = await node.record_events("q")
    async with node_peer(redis_url, prefix=ours.prefix, major=node.major) as doomed:
        worker = await doomed.work("q", HANG, lockDuration=1000, stalledInterval=1000)
        job_id = await node.add("q", "n", {"a": 1})
        await until(worker.runs, message="Node's worker has it")
        async with ours.working(does(runs=runs, lock=SECOND, stalled=SECOND)) as app:
            doomed.kill()
            watch = Stopwatch()

            assert await node.wait_result("q", job_id) == {"a": 1}
            assert watch.seconds < WITHIN
            job = await job_hash(app, job_id)
    assert runs.ids == [job_id]
    assert (job["ats"], job["atm"], job["stc"]) == ("2", "1", "1")
    assert [event.fields for event in await recording.events("stalled")] == [{"jobId": job_id}]


async def test_neither_side_takes_a_job_whose_worker_lives(ours: Ours, node: NodePeer) -> None:
    short = SECOND
    often = SECOND * 0.1
    mine = Runs()

    async def hang(_: Job[Any], __: Context) -> None:
        await until(lambda: False, timeout=30)

    async with ours.working(does(hang, runs=mine, lock=short, stalled=often)) as app:
        running = await node.add("q", "n")
        await until(lambda: mine.ids)
        watcher = await node.work("q", HANG, lockDuration=1000, stalledInterval=100)
        held = await node.add("q", "n")
        await until(watcher.order)

        async def never_stalled() -> bool:
            jobs = [await job_hash(app, job_id) for job_id in (running, held)]
            return all(job.get("stc") is None and job["ats"] == "1" for job in jobs)

        await holds(never_stalled, seconds=2.2)  # four renewals of each

        assert (await watcher.runs(), mine.ids) == ({held: 1}, [running])
        await watcher.release(held)


async def test_node_runs_at_once_what_our_stopping_worker_gives_back(
    ours: Ours, node: NodePeer
) -> None:
    runs = Runs()

    async def hang(_: Job[Any], __: Context) -> None:
        await anyio.sleep_forever()

    async with ours.working(does(hang, runs=runs)):
        job_id = await node.add("q", "n", {"a": 1})
        behind = await node.add("q", "n")
        await until(lambda: runs.ids)

    worker = await node.work("q", ECHO)
    assert await node.wait_result("q", job_id) == {"a": 1}
    await node.wait_result("q", behind)
    assert [run.jobId for run in await worker.order()] == [job_id, behind]
    read = await node.job("q", job_id)
    assert read is not None
    assert (read["attemptsStarted"], read["attemptsMade"]) == (2, 1)
    assert "failedReason" not in read


@pytest.mark.parametrize("how", ["delayed", "limited"])
async def test_we_run_what_a_handler_on_node_put_off(
    ours: Ours, node: NodePeer, store: Store, how: str
) -> None:
    is_delayed = how == "delayed"
    # BullMQ's worker may wait out its limit as it closes.
    behaviour = delays(HOUR_MS) if is_delayed else rate_limits(1500)
    runs = Runs()
    worker = await node.work("q", behaviour)
    job_id = await node.add("q", "n", {"a": 1})
    await until(worker.order)
    await worker.close()
    if is_delayed:
        await node.call("changeDelay", queue="q", jobId=job_id, delay=300)
    else:
        await store.command("PEXPIRE", f"{ours.prefix}:q:limiter", 300)

    async with ours.working(does(runs=runs)) as app:

        async def has_completed() -> bool:
            return await node.state("q", job_id) == "completed"

        await until(has_completed)
        job = await job_hash(app, job_id)

    assert runs.ids == [job_id]
    assert (job["ats"], job["atm"]) == ("2", "1")
