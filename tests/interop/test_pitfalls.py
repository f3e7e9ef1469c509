"""What peers stumble over that no other test shows; see `docs/reference/pitfalls.md`."""

import re
from datetime import timedelta

import pytest

from framework import Flow, FlowProducer, JobState, KeepJobs
from framework.model.clock import SystemClock
from framework.store.store import Store
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, does, job_hash
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

HOUR = timedelta(hours=1)
EMPTIES = [[], {}, "", 0, False, {"list": [], "map": {}, "nested": [[], {}]}]


async def test_each_time_and_number_we_write_is_a_plain_whole_one(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.working(does()) as app:
        job = await app.queue("q").add("n", priority=3, attempts=2)
        later = await app.queue("q").add("n", delay=HOUR)
        await app.queue("q").result(job)
        written = {**await job_hash(app, later.id), **await job_hash(app, job.id)}
        shown = await node.job("q", job.id)

    numbers = {"timestamp", "processedOn", "finishedOn", "delay", "priority", "atm", "ats"}
    assert all(re.fullmatch(r"\d+", written[name]) for name in numbers)
    assert shown is not None
    assert shown["timestamp"] <= shown["processedOn"] <= shown["finishedOn"]


@pytest.mark.parametrize("data", EMPTIES, ids=repr)
async def test_what_is_empty_stays_what_it_was_on_both_ways(
    ours: Ours, node: NodePeer, data: object
) -> None:
    await node.work("theirs", ECHO)
    async with ours.working(does()) as app:
        to_node = await app.queue("theirs").add("n", data)
        to_us = await node.add("q", "n", data)

        assert await app.queue("theirs").result(to_node) == data
        assert await node.wait_result("q", to_us) == data


async def test_the_delayed_event_of_our_job_tells_when_it_is_due(
    ours: Ours, node: NodePeer
) -> None:
    heard = await node.record_events("q")
    async with ours.producing() as app:
        before = SystemClock().now_ms()
        await app.queue("q").add("n", delay=HOUR)
        after = SystemClock().now_ms()

        (event,) = await until(lambda: heard.events("delayed"))

    assert before <= event.fields["delay"] - 3_600_000 <= after


async def test_a_parent_that_we_release_runs_before_what_waits(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(queue="leaves")) as app:
        await app.queue("tops").add_bulk([("waits", n) for n in range(3)])
        flows = await app.get(FlowProducer)
        parent = await flows.add(Flow.named("tops", "top", 0, [Flow.named("leaves", "leaf", 0)]))

        async def is_released() -> bool:
            return await app.queue("tops").state(parent.id) is JobState.WAITING

        await until(is_released)
        worker = await node.work("tops", ECHO)
        await until(lambda: worker.events("completed"))

        assert (await worker.order())[0].jobId == parent.id


async def test_node_removes_a_job_added_again_under_an_id_that_we_finished(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.working(does()) as app:
        job = await app.queue("q").add("n", 1, job_id="mine", remove_on_complete=KeepJobs.none())
        await app.queue("q").result(job)
    async with ours.producing() as app:
        await app.queue("q").add("n", 2, job_id="mine")

    assert await node.call("remove", queue="q", jobId="mine") == 1
    assert await node.job("q", "mine") is None


async def test_the_events_of_a_queue_that_we_alone_use_stay_near_their_number(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    await node.call("openQueue", queue="q", opts={"streams": {"events": {"maxLen": 50}}})
    async with ours.working(does(concurrency=10)) as app:
        jobs = await app.queue("q").add_bulk([("n", n) for n in range(400)])
        await app.queue("q").result(jobs[-1])

        # "About": Redis drops whole nodes of a hundred or so.
        assert await store.command("XLEN", f"{ours.prefix}:q:events") < 300


async def test_a_worker_of_ours_that_waits_holds_up_nobody_else(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(queue="empty")) as app:
        await until(lambda: node.queue_call("empty", "getWorkers"))

        # On a connection that waits for jobs this would take seconds.
        watch = Stopwatch()
        for _ in range(20):
            await app.queue("empty").counts()

        assert watch.seconds < 2
