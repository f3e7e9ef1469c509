"""The driver of BullMQ on Node, proved with Node on both sides of the queue."""

import pytest

from framework.store.store import Store
from tests.support.node import (
    Major,
    NodeDiedError,
    NodeError,
    NodeLateError,
    NodePeer,
    NodeRecording,
    both_majors,
    node_peer,
)
from tests.support.node_work import (
    ECHO,
    HANG,
    NONE,
    adds_children,
    by_name,
    delays,
    fails,
    logs,
    progresses,
    rate_limits,
    returns,
    sleeps,
    waits,
)
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


async def test_a_job_travels_from_queue_to_worker_and_back(node: NodePeer) -> None:
    data = {"text": "Grüße, \u4e16\u754c", "numbers": [1, 2.5, None]}
    await node.work("q", ECHO)

    job_id = await node.add("q", "greet", data)

    assert await node.wait_result("q", job_id) == data
    assert await node.state("q", job_id) == "completed"


async def test_a_job_shows_all_its_fields(node: NodePeer, node_major: Major) -> None:
    job_id = await node.add("q", "greet", {"n": 1}, jobId="mine", attempts=3, delay=60_000)

    job = await node.job("q", job_id)

    assert job is not None
    assert (job["id"], job["name"], job["data"], job["delay"]) == ("mine", "greet", {"n": 1}, 60000)
    assert job["opts"]["attempts"] == 3
    assert await node.job("q", "none") is None
    assert (await node.queue_call("q", "getMeta"))["version"].startswith(f"bullmq:{node_major}.")


async def test_bulk_counts_and_order(node: NodePeer) -> None:
    ids = await node.add_bulk("q", [{"name": "n", "data": n} for n in range(50)])

    assert len(set(ids)) == 50
    assert (await node.counts("q", "waiting"))["waiting"] == 50
    worker = await node.work("q", returning="done")
    await until(lambda: _all_completed(node, 50), message="all are completed")
    assert [run.jobId for run in await worker.order()] == ids
    assert await worker.runs() == dict.fromkeys(ids, 1)


async def _all_completed(node: NodePeer, jobs: int) -> bool:
    return (await node.counts("q", "completed"))["completed"] == jobs


async def test_a_failing_job_is_retried_and_tells(node: NodePeer) -> None:
    worker = await node.work("q", fails(2, "boom", value="third"))

    job_id = await node.add("q", "n", attempts=3)

    assert await node.wait_result("q", job_id) == "third"
    assert await worker.runs() == {job_id: 3}
    reasons = [event.fields["reason"] for event in await worker.events("failed")]
    assert reasons == ["boom", "boom"]


async def test_waiting_for_a_failed_job_raises_its_reason(node: NodePeer) -> None:
    await node.work("q", fails(message="no luck", unrecoverable=True))

    job_id = await node.add("q", "n", attempts=5)

    with pytest.raises(NodeError, match="no luck"):
        await node.wait_result("q", job_id)


async def test_events_are_recorded_from_the_first_to_the_last(node: NodePeer) -> None:
    recording = await node.record_events("q")
    await node.work("q", progresses(50, {"pct": 100}))

    await node.wait_result("q", await node.add("q", "n"))

    expected = ["added", "waiting", "active", "progress", "progress", "completed"]
    await until(lambda: _heard(recording, "completed"), message="the job's end is heard")
    assert [name for name in await recording.names() if name != "drained"] == expected
    assert [e.fields["data"] for e in await recording.events("progress")] == [50, {"pct": 100}]
    assert all(event.id for event in await recording.events())


async def _heard(recording: NodeRecording, name: str) -> bool:
    return name in await recording.names()


async def test_behaviours_leave_and_come_back(node: NodePeer) -> None:
    names = {
        "delay": delays(20, "delayed"),
        "wait": waits("waited"),
        "rate": rate_limits(20, "limited"),
        "log": logs("one", "two", value="logged"),
        "sleep": sleeps(1, "slept"),
        "none": returns(None),
    }
    await node.work("q", by_name(**names))

    ids = {name: await node.add("q", name) for name in names}

    results = {name: await node.wait_result("q", job_id) for name, job_id in ids.items()}
    assert list(results.values()) == ["delayed", "waited", "limited", "logged", "slept", None]
    assert await node.logs("q", ids["log"]) == ["one", "two"]


async def test_a_hanging_job_ends_when_it_is_released(node: NodePeer) -> None:
    worker = await node.work("q", HANG, concurrency=2)
    good, bad = await node.add("q", "n"), await node.add("q", "n")
    await until(lambda: _active(node, 2))

    await worker.release(good, value=7)
    await worker.release(bad, error="enough")

    assert await node.wait_result("q", good) == 7
    with pytest.raises(NodeError, match="enough"):
        await node.wait_result("q", bad)


async def _active(node: NodePeer, jobs: int) -> bool:
    return (await node.counts("q", "active"))["active"] == jobs


async def test_a_worker_driven_by_hand(node: NodePeer) -> None:
    worker = await node.work("q", NONE)
    job_id = await node.add("q", "n", 1)

    job = await worker.call("getNextJob", "token")
    await node.job_call("q", job_id, "moveToCompleted", {"by": "hand"}, "token", False)

    assert job["id"] == job_id
    assert await node.wait_result("q", job_id) == {"by": "hand"}


async def test_flows_known_before_and_made_on_the_way(node: NodePeer) -> None:
    child = {"name": "child", "queueName": "children", "data": 1}
    tree = await node.add_flow({"name": "top", "queueName": "parents", "children": [child]})
    await node.work("children", ECHO)
    extra = {"queue": "children", "name": "late", "data": 2, "opts": {"jobId": "late"}}
    await node.work("parents", adds_children(extra))

    values = await node.wait_result("parents", tree["job"]["id"])

    assert sorted(values.values()) == [1, 2]
    found = await node.flow("parents", tree["job"]["id"])
    assert len(found["children"]) == 2


async def test_schedulers_and_administration(node: NodePeer) -> None:
    await node.call("upsertJobScheduler", queue="q", schedulerId="s", repeat={"every": 60_000})
    await node.call("pause", queue="q")
    await node.call("setGlobalConcurrency", queue="q", concurrency=3)

    schedulers = await node.queue_call("q", "getJobSchedulers")

    assert [it["key"] for it in schedulers] == ["s"]
    assert await node.call("isPaused", queue="q")
    assert (await node.call("getMeta", queue="q"))["concurrency"] == 3
    await node.call("obliterate", queue="q", opts={"force": True})
    assert sum((await node.counts("q")).values()) == 0


async def test_workers_are_listed_while_they_run(node: NodePeer) -> None:
    worker = await node.work("q", name="wanda")
    assert [it["rawname"].split(":w:")[-1] for it in await node.workers("q")] == ["wanda"]

    await worker.close()

    assert await node.workers("q") == []


async def test_a_killed_process_leaves_its_words(
    redis_url: str, prefix: str, node: NodePeer, node_major: Major
) -> None:
    async with node_peer(redis_url, prefix=prefix, major=node_major) as doomed:
        worker = await doomed.work("q", HANG, lockDuration=1000, stalledInterval=100)
        job_id = await node.add("q", "n")
        await until(worker.runs, message="the job runs")

        doomed.kill()

        assert await worker.runs() == {job_id: 1}
        with pytest.raises(NodeDiedError, match="exit code -9"):
            await doomed.state("q", job_id)
    rescuer = await node.work("q", ECHO, stalledInterval=100)
    await until(lambda: rescuer.events("completed"), message="the other worker ends the job")
    assert await rescuer.events("stalled")


async def test_a_late_answer_is_an_error_and_harms_no_other(node: NodePeer) -> None:
    job_id = await node.add("q", "n")

    with pytest.raises(NodeLateError, match="waitUntilFinished"):
        await node.call("waitUntilFinished", queue="q", jobId=job_id, ttl=300, timeout=0.05)

    assert await node.call("ping") is None


async def test_a_peer_leaves_at_once_though_a_job_runs(
    redis_url: str, prefix: str, node_major: Major
) -> None:
    async with node_peer(redis_url, prefix=prefix, major=node_major) as peer:
        worker = await peer.work("q", HANG)
        await peer.add("q", "n")
        await until(worker.runs, message="the job runs")

    assert peer.process.exit_code == 0
    assert peer.process.stderr == ""


async def test_an_event_that_bullmq_cannot_read_ends_the_recording(
    store: Store, node: NodePeer
) -> None:
    recording = await node.record_events("q")

    broken = ("event", "completed", "jobId", "1", "returnvalue", "not json")
    await store.command("XADD", f"{node.prefix}:q:events", "*", *broken)

    error = await until(lambda: recording.events("error"), message="the listener fails")
    assert "JSON" in error[0].fields["message"]
