"""`job_json` beside BullMQ's own ``Job.toJSON``, of the same jobs."""

import json
from datetime import timedelta
from typing import Any

import pytest

from framework import Context, Exponential, Job, JobOptions, KeepJobs, job_json
from tests.interop.test_views import by_its_name
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

BACKOFF = {"type": "exponential", "delay": 10}
# Shown by BullMQ 5 alone, beside the deduplication that it is an older word for.
OLD = "debounceId"


def shown(job: dict[str, Any]) -> dict[str, Any]:
    """What JSON makes of a job of Node's."""
    return {name: value for name, value in job.items() if name != OLD}


def worded(job: Job[Any, Any]) -> dict[str, Any]:
    """What we make of a job."""
    read: dict[str, Any] = json.loads(job_json(job))
    return read


def without_times(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in {"timestamp", "id"}}


@pytest.mark.parametrize(
    ("opts", "options"),
    [
        ({}, JobOptions()),
        (
            {"attempts": 3, "delay": 0, "backoff": BACKOFF},
            JobOptions(
                attempts=3, delay=timedelta(0), backoff=Exponential(timedelta(milliseconds=10))
            ),
        ),
        ({"delay": 60_000, "lifo": True}, JobOptions(delay=timedelta(minutes=1), lifo=True)),
        ({"priority": 4, "keepLogs": 2}, JobOptions(priority=4, keep_logs=2)),
    ],
    ids=["plain", "retried", "delayed", "prioritized"],
)
async def test_a_job_just_added_is_shown_as_node_shows_its_own(
    ours: Ours, node: NodePeer, opts: dict[str, Any], options: JobOptions
) -> None:
    asked = JobOptions(remove_on_complete=None, remove_on_fail=None)
    asked.update(options)
    theirs = await node.queue_call("q", "add", "paint", {"a": 1}, opts)

    async with ours.producing() as app:
        job = await app.queue("q").add("paint", {"a": 1}, **asked)

    assert without_times(worded(job)) == without_times(shown(theirs))
    assert worded(job)["timestamp"] > 0


async def test_the_members_come_in_nodes_order(ours: Ours, node: NodePeer) -> None:
    theirs = await node.queue_call("q", "add", "paint", {"a": 1}, {"attempts": 2})

    async with ours.producing() as app:
        job = await app.queue("q").add(
            "paint", {"a": 1}, attempts=2, remove_on_complete=None, remove_on_fail=None
        )

    assert list(worded(job)) == list(theirs)


async def test_jobs_in_all_states_are_shown_as_node_shows_them(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(by_its_name)) as app:
        queue = app.queue("q")
        ids = [
            await node.add("q", "n", {"x": [1, None, "ü"]}, attempts=2, backoff=5),
            await node.add("q", "fail", removeOnFail={"age": 60}, attempts=1),
            await node.add("q", "progress", [1, {"half": True}], deduplication={"id": "one"}),
            await node.add("q", "hang", removeOnComplete=True),
            (await queue.add("n", 3, priority=2, remove_on_complete=KeepJobs(count=3))).id,
            await node.add("q", "n", None, delay=60_000, keepLogs=3),
        ]
        await until(lambda: is_active(node, ids[3]))

        for job_id in ids:
            ours_now = await queue.job(job_id)
            assert ours_now is not None
            theirs = await node.job("q", job_id)
            assert theirs is not None
            assert worded(ours_now) == shown(theirs)


async def test_a_family_is_shown_as_node_shows_it(ours: Ours, node: NodePeer) -> None:
    tree = await node.add_flow(
        {
            "name": "parent",
            "queueName": "q",
            "children": [
                {"name": "child", "queueName": "q", "opts": {"failParentOnFailure": True}},
                {"name": "child", "queueName": "q", "opts": {"ignoreDependencyOnFailure": True}},
            ],
        }
    )
    ids = [tree["job"]["id"], *(child["job"]["id"] for child in tree["children"])]

    async with ours.producing() as app:
        for job_id in ids:
            job = await app.queue("q").job(job_id)
            assert job is not None
            assert worded(job) == shown(await node.job("q", job_id) or {})


async def is_active(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "active"


async def test_a_run_shows_its_job_as_node_does(ours: Ours, node: NodePeer) -> None:
    told: list[dict[str, Any]] = []

    async def tell(job: Job[Any], _: Context) -> None:
        told.append(worded(job))

    async with ours.working(does(tell)):
        job_id = await node.add("q", "n", 1)
        await node.wait_result("q", job_id)

    (run,) = told
    after = await node.job("q", job_id)
    assert after is not None
    assert {**run, "finishedOn": after["finishedOn"], "attemptsMade": 1} == shown(after)
    assert run["stacktrace"] == []
