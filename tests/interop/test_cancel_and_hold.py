"""One job that is cancelled or held by us, whichever side added it, runs it or looks at it."""

from typing import Any

import pytest

from framework import Application, Context, Effect, Job, JobFailedError, JobState
from tests.support.holds import holds
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO, HANG
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.until import until

pytestmark = both_majors

REASON = "cancelled: enough"
PLACES: dict[str, tuple[dict[str, int], JobState]] = {
    "waiting": ({}, JobState.WAITING),
    "prioritized": ({"priority": 5}, JobState.PRIORITIZED),
    "delayed": ({"delay": 60_000}, JobState.DELAYED),
}


async def reaches(app: Application, job_id: str, state: JobState) -> None:
    async def is_there() -> bool:
        return await app.queue("q").state(job_id) is state

    await until(is_there, message=f"job {job_id} is {state}")


@pytest.mark.parametrize("place", PLACES)
async def test_node_sees_a_job_that_we_cancel_as_failed(
    ours: Ours, node: NodePeer, place: str
) -> None:
    options, _ = PLACES[place]
    recording = await node.record_events("q")
    async with ours.producing() as app:
        job_id = await node.add("q", "n", **options, attempts=3)

        assert await app.queue("q").cancel(job_id, "enough") is Effect.DONE

        with pytest.raises(NodeError, match=REASON):
            await node.wait_result("q", job_id)
    read = await node.job("q", job_id)
    assert read is not None
    assert read["failedReason"] == REASON
    assert await node.state("q", job_id) == "failed"
    await until(lambda: recording.events("failed"), message="the event was heard")
    (event,) = await recording.events("failed")
    assert event.fields == {"jobId": job_id, "failedReason": REASON, "prev": place}


async def test_node_hears_that_what_we_run_was_cancelled(ours: Ours, node: NodePeer) -> None:
    async def hang(_: Job[Any], __: Context) -> None:
        await until(lambda: False, timeout=30)

    runs = Runs()
    async with ours.working(does(hang, runs=runs)) as app:
        job_id = await node.add("q", "n", attempts=3)
        await until(lambda: runs.ids, message="our worker has it")

        assert await app.queue("q").cancel(job_id, "enough") is Effect.ASKED

        with pytest.raises(NodeError, match=REASON):
            await node.wait_result("q", job_id)
        await node.job_call("q", job_id, "retry")
        await until(lambda: runs.ids == [job_id, job_id], message="Node's retry runs it again")


async def test_what_runs_on_node_goes_on_and_fails_where_it_would_start_again(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", HANG, concurrency=2)
    async with ours.producing() as app:
        queue = app.queue("q")
        done, again = await queue.add("n"), await queue.add("n", attempts=3)

        async def has_both() -> bool:
            return len(await worker.order()) == 2

        await until(has_both, message="Node has them")

        for job in (done, again):
            assert await queue.cancel(job.id, "enough") is Effect.LATER
        await worker.release(done.id, value="done")
        await worker.release(again.id, error="once")

        assert await queue.result(done) == "done"
        with pytest.raises(JobFailedError) as caught:
            await queue.result(again)
    assert (caught.value.reason, caught.value.is_cancelled) == (REASON, True)
    assert await worker.runs() == {done.id: 1, again.id: 1}


async def test_what_node_gives_back_fails_when_we_start_it(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    worker = await node.work("q", HANG)
    async with ours.producing() as app:
        job = await app.queue("q").add("n", attempts=3)
        await until(worker.order, message="Node has it")
        await app.queue("q").cancel(job.id, "enough")
        await app.queue("q").pause()
        await worker.release(job.id, error="once")
        await reaches(app, job.id, JobState.WAITING)
        await worker.close()
    async with ours.working(does(runs=runs)) as app:
        await app.queue("q").resume()
        with pytest.raises(JobFailedError, match=REASON):
            await app.queue("q").result(job.id)
    assert runs.ids == []


async def test_nodes_parent_is_told_of_the_child_that_we_cancel(ours: Ours, node: NodePeer) -> None:
    tree = {
        "name": "p",
        "queueName": "parents",
        "children": [{"name": "c", "queueName": "q", "opts": {"failParentOnFailure": True}}],
    }
    await node.add_flow(tree)
    (child,) = await node.jobs("q", "waiting")
    async with ours.producing() as app:
        await app.queue("q").cancel(str(child["id"]), "enough")

        await node.work("parents", ECHO)

        (parent,) = await node.jobs("parents", "failed", "waiting", "waiting-children", "active")
        with pytest.raises(NodeError, match="failed"):
            await node.wait_result("parents", str(parent["id"]))


@pytest.mark.parametrize("place", PLACES)
async def test_node_runs_no_job_that_we_hold_and_runs_it_once_resumed(
    ours: Ours, node: NodePeer, place: str
) -> None:
    options, state = PLACES[place]
    async with ours.producing() as app:
        queue = app.queue("q")
        held = await node.add(
            "q", "held", {"a": 1}, **{**options, "delay": options.get("delay", 0)}
        )
        assert await queue.pause_job(held) is Effect.DONE
        assert await node.state("q", held) == "delayed"
        other = await node.add("q", "other", 2)
        worker = await node.work("q", ECHO)
        assert await node.wait_result("q", other) == 2

        async def is_left_alone() -> bool:
            return held not in await worker.runs()

        await holds(is_left_alone, seconds=0.3)
        await queue.resume_job(held)
        if state is JobState.DELAYED:
            assert await node.state("q", held) == "delayed"
            await node.job_call("q", held, "promote")

        assert await node.wait_result("q", held) == {"a": 1}


async def test_nodes_sweep_and_its_other_calls_leave_a_held_job_held(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n", {"a": 1})
        await queue.pause_job(job.id)

        await node.call("removeOrphanedJobs", queue="q")
        await node.queue_call("q", "pause")
        await node.queue_call("q", "resume")
        await node.job_call("q", job.id, "changePriority", {"priority": 3})

        found = await queue.job(job.id)
        assert found is not None
        assert (found.is_held, await queue.state(job.id)) == (True, JobState.DELAYED)
        await queue.resume_job(job.id)
        assert await node.state("q", job.id) == "prioritized"


async def test_a_promotion_by_node_lets_a_held_job_go(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        queue = app.queue("q")
        await queue.pause()
        one, other = await queue.add("n"), await queue.add("n")
        for job in (one, other):
            await queue.pause_job(job.id)
        await queue.resume()

        await node.job_call("q", one.id, "promote")
        await queue.result(one)
        await node.queue_call("q", "promoteJobs")
        await queue.result(other)

        assert "fw.held" not in await job_hash(app, one.id)
        assert "fw.held" not in await job_hash(app, other.id)
    assert runs.ids == [one.id, other.id]


async def test_nodes_job_leaves_our_worker_at_its_checkpoint(ours: Ours, node: NodePeer) -> None:
    runs = Runs()

    async def work(_: Job[Any], ctx: Context) -> str:
        if len(runs.ids) == 1:
            await until(lambda: ctx.pausing, message="it is asked to leave")
        await ctx.checkpoint()
        return "done"

    recording = await node.record_events("q")
    async with ours.working(does(work, runs=runs)) as app:
        queue = app.queue("q")
        job_id = await node.add("q", "n")
        await until(lambda: runs.ids, message="our worker has it")

        assert await queue.pause_job(job_id) is Effect.ASKED
        await reaches(app, job_id, JobState.DELAYED)
        assert await node.state("q", job_id) == "delayed"
        await queue.resume_job(job_id)

        assert await node.wait_result("q", job_id) == "done"
    names = [event.event for event in await recording.events("delayed", "waiting", "active")]
    assert names == ["waiting", "active", "waiting", "delayed", "waiting", "active"]


async def test_what_we_hold_on_node_is_held_where_we_would_start_it(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", HANG)
    async with ours.producing() as app:
        job = await app.queue("q").add("n", attempts=3)
        await until(worker.order, message="Node has it")
        assert await app.queue("q").pause_job(job.id) is Effect.LATER
        await app.queue("q").pause()
        await worker.release(job.id, error="once")
        await reaches(app, job.id, JobState.WAITING)
        await worker.close()
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        await app.queue("q").resume()
        await reaches(app, job.id, JobState.DELAYED)
        assert runs.ids == []
        await app.queue("q").resume_job(job.id)
        await app.queue("q").result(job.id)
