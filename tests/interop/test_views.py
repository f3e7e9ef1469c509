"""What each side shows of the other's jobs: counts, states, pages, logs, progress."""

from typing import Any

import pytest

from framework import Context, Job, JobState
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import HANG, fails, logs, progresses, updates
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

STATES = ("waiting", "prioritized", "delayed", "active", "completed", "failed")


async def by_its_name(job: Job[Any], ctx: Context) -> object:
    """Do what the job's name says."""
    if job.name == "fail":
        raise ValueError("on purpose")
    if job.name == "hang":
        await until(lambda: False, timeout=30)
    if job.name == "log":
        for row in ("one", "Grüße, 世界", "three"):
            await ctx.log(row)
    if job.name == "progress":
        for step in job.data:
            await ctx.progress(step)
    return job.data


async def add_one_for_each_state(node: NodePeer) -> dict[str, str]:
    """Add jobs that end up one in each state, the last ones behind a job that hangs."""
    return {
        "completed": await node.add("q", "n"),
        "failed": await node.add("q", "fail"),
        "active": await node.add("q", "hang"),
        "waiting": await node.add("q", "n"),
        "prioritized": await node.add("q", "n", priority=3),
        "delayed": await node.add("q", "n", delay=60_000),
    }


async def test_both_sides_count_and_name_the_states_alike(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(by_its_name)) as app:
        queue = app.queue("q")
        ids = await add_one_for_each_state(node)

        await until(lambda: _is_active(node, ids["active"]))

        assert await node.counts("q", *STATES, "waiting-children") == {
            **dict.fromkeys(STATES, 1),
            "waiting-children": 0,
            **({"paused": 0} if node.major == 5 else {}),
        }
        ours_counts = await queue.counts()
        assert {state.value: count for state, count in ours_counts.items()} == {
            **dict.fromkeys(STATES, 1),
            "waiting-children": 0,
        }
        assert {state: await node.state("q", job_id) for state, job_id in ids.items()} == {
            state: state for state in STATES
        }
        assert {state: await queue.state(job_id) for state, job_id in ids.items()} == {
            state: JobState(state) for state in STATES
        }
        assert (await node.state("q", "none"), await queue.state("none")) == ("unknown", "unknown")


async def _is_active(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "active"


async def test_node_lists_what_we_finished_as_it_lists_its_own(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(by_its_name)) as app:
        queue = app.queue("q")
        good = await node.add_bulk("q", [{"name": "n", "data": n} for n in range(5)])
        bad = await node.add_bulk("q", [{"name": "fail"} for _ in range(3)])
        await until(lambda: _count(node, "failed", 3))

        listed = await node.jobs("q", "completed")
        assert [job["id"] for job in listed] == good[::-1]
        assert [job["returnvalue"] for job in listed] == [4, 3, 2, 1, 0]
        assert [job["id"] for job in await node.jobs("q", "completed", start=1, end=2)] == [
            good[3],
            good[2],
        ]
        assert [job["id"] for job in await node.jobs("q", "failed", asc=True)] == bad
        assert [job.id for job in await queue.jobs("completed")] == good[::-1]
        assert [job.id for job in await queue.jobs("completed", 1, 2)] == [good[3], good[2]]
        assert [job.id for job in await queue.jobs("failed", newest_first=False)] == bad


async def _count(node: NodePeer, state: str, count: int) -> bool:
    return (await node.counts("q", state))[state] == count


async def test_both_sides_page_through_waiting_jobs_alike(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        ids: list[str] = []
        for n in range(3):
            ids += [(await queue.add("n", n)).id, await node.add("q", "n", n)]

        for start, end in ((0, -1), (0, 1), (2, 3), (4, 9)):
            for asc in (True, False):
                theirs = await node.jobs("q", "waiting", start=start, end=end, asc=asc)
                mine = await queue.jobs("waiting", start, end, newest_first=not asc)
                assert [job["id"] for job in theirs] == [job.id for job in mine]
        assert [job.id for job in await queue.jobs("waiting")] == ids
        assert [job.data for job in await queue.jobs("waiting")] == [0, 0, 1, 1, 2, 2]


async def test_node_reads_the_log_we_wrote(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(by_its_name)) as app:
        all_rows = await node.add("q", "log")
        two_rows = await node.add("q", "log", keepLogs=2)
        await node.wait_result("q", two_rows)

        assert await node.logs("q", all_rows) == ["one", "Grüße, 世界", "three"]
        assert await node.logs("q", two_rows) == ["Grüße, 世界", "three"]
        await node.call("addLog", queue="q", jobId=all_rows, row="four")
        assert (await app.queue("q").logs(all_rows))[-1] == "four"


async def test_we_read_the_log_that_node_wrote(ours: Ours, node: NodePeer) -> None:
    await node.work("q", logs("one", "Grüße, 世界", "three"))
    async with ours.producing() as app:
        queue = app.queue("q")
        all_rows, two_rows = await queue.add("n"), await queue.add("n", keep_logs=2)
        await queue.result(two_rows)

        assert await queue.logs(all_rows.id) == ["one", "Grüße, 世界", "three"]
        assert await queue.logs(all_rows.id, 1, 1) == ["Grüße, 世界"]
        assert await queue.logs(two_rows.id) == ["Grüße, 世界", "three"]


STEPS: list[object] = [25, 50.5, "half", True, {"percentage": 75, "message": "Grüße"}, [1, None]]


async def test_node_hears_and_reads_the_progress_we_report(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    async with ours.working(does(by_its_name)):
        job_id = await node.add("q", "progress", STEPS)
        await node.wait_result("q", job_id)

    await until(lambda: recording.events("completed"))
    heard = await recording.events("progress")
    assert [event.fields for event in heard] == [{"jobId": job_id, "data": it} for it in STEPS]
    read = await node.job("q", job_id)
    assert read is not None
    assert read["progress"] == STEPS[-1]


async def test_we_hear_and_read_the_progress_that_node_reports(ours: Ours, node: NodePeer) -> None:
    await node.work("q", progresses(*STEPS, value="done"))
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n")
        heard: list[object] = []

        async for event in queue.events(after="0-0"):
            if event.event == "progress":
                assert event.job_id == job.id
                heard.append(event.progress)
            if event.event == "completed":
                assert event.result == "done"
                break

        assert heard == STEPS
        read = await queue.job(job.id)
        assert read is not None
        assert read.progress == STEPS[-1]


async def test_we_read_all_fields_of_a_job_that_node_finished(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(1, "not yet", value={"n": 2}), name="wanda")
    async with ours.producing() as app:
        queue = app.queue("q")
        added = await queue.add("n", {"a": 1}, attempts=2, priority=3)
        assert await queue.result(added) == {"n": 2}

        job = await queue.job(added.id)

    assert job is not None
    read = await node.job("q", added.id)
    assert read is not None
    assert (job.name, job.data, job.priority, job.attempts) == ("n", {"a": 1}, 3, 2)
    assert (job.attempts_made, job.attempts_started, job.stalled_counter) == (2, 2, 0)
    assert (job.result, job.failed_reason, len(job.stacktrace)) == ({"n": 2}, "not yet", 1)
    assert job.processed_by == "wanda"
    assert job.processed_on is not None
    assert job.finished_on is not None
    assert round(job.timestamp.timestamp() * 1000) == read["timestamp"]
    assert round(job.processed_on.timestamp() * 1000) == read["processedOn"]
    assert round(job.finished_on.timestamp() * 1000) == read["finishedOn"]
    assert [run.attemptsMade for run in await worker.order()] == [0, 1]


async def test_node_reads_the_data_that_an_attempt_of_ours_saved(
    ours: Ours, node: NodePeer
) -> None:
    async def save(job: Job[Any], ctx: Context) -> object:
        if job.data["step"] == 1:
            await ctx.save(job, {"step": 2})
            raise ValueError("after saving")
        return job.data

    async with ours.working(does(save)):
        job_id = await node.add("q", "n", {"step": 1}, attempts=2)

        assert await node.wait_result("q", job_id) == {"step": 2}
    read = await node.job("q", job_id)
    assert read is not None
    assert read["data"] == {"step": 2}


async def test_we_read_the_data_that_node_saved(ours: Ours, node: NodePeer) -> None:
    await node.work("q", updates({"step": 2}, "saved"))
    async with ours.producing() as app:
        queue = app.queue("q")
        added = await queue.add("n", {"step": 1})
        await queue.result(added)

        job = await queue.job(added.id)

    assert job is not None
    assert job.data == {"step": 2}


async def test_a_job_removed_on_one_side_is_gone_on_the_other(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        first, second = await node.add("q", "n"), (await queue.add("n", priority=2)).id

        assert await queue.remove(first)
        await node.call("remove", queue="q", jobId=second)

        assert await node.job("q", first) is None
        assert await queue.job(second) is None
        assert await queue.remove(second) is False

    async def both() -> bool:
        return len(await recording.events("removed")) == 2

    await until(both)
    told = [event.fields for event in await recording.events("removed")]
    assert told == [{"jobId": first, "prev": "wait"}, {"jobId": second, "prev": "prioritized"}]


async def test_neither_side_removes_what_the_other_runs(ours: Ours, node: NodePeer) -> None:
    theirs = await node.work("theirs", HANG)
    runs = Runs()
    async with ours.working(does(by_its_name, runs=runs)) as app:
        mine = await node.add("q", "hang")
        running = (await app.queue("theirs").add("n")).id
        await until(lambda: runs.ids)
        await until(theirs.order)

        with pytest.raises(Exception, match="runs"):
            await app.queue("theirs").remove(running)
        assert await node.call("remove", queue="q", jobId=mine) == 0

        assert await node.state("q", mine) == "active"
        assert await node.state("theirs", running) == "active"
        await theirs.release(running)


async def test_after_a_look_we_hear_all_that_node_does_with_the_job(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        job_id = await node.add("q", "n", {"a": 1}, delay=60_000)
        look = await queue.look(job_id)
        assert look is not None
        assert (look.state, look.job.data) == (JobState.DELAYED, {"a": 1})
        assert look.due == look.job.timestamp + look.job.delay

        await node.work("q", progresses(7, value="done"))
        await node.job_call("q", job_id, "promote")

        told: list[str] = []
        async with queue.listen(after=look.event_id, job_id=job_id) as listener:
            while "completed" not in told:
                told += [event.event for event in await listener.receive()]
        again: list[str] = []
        async with queue.listen_to_job(job_id, after=look.event_id) as job_listener:
            while "completed" not in again:
                again += [event.event for event in await job_listener.receive()]
        ended = await queue.look(job_id)

    assert told == again == ["waiting", "active", "progress", "completed"]
    assert ended is not None
    assert (ended.state, ended.due, ended.job.result) == (JobState.COMPLETED, None, "done")


async def test_node_hears_an_event_of_our_own(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")

    async with ours.producing() as app:
        await app.queue("q").publish_event("moved", {"to": "Rome"})

    (event,) = await until(lambda: recording.events("moved"), message="Node hears it")
    assert event.fields["to"] == "Rome"
