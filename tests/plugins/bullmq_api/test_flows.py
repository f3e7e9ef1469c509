"""Flows as BullMQ's dictionaries describe them."""

import json
from typing import Any

import pytest

from framework import OptionsError
from framework.store.store import Store
from framework_bullmq import FlowProducer, Job
from tests.plugins.bullmq_api.bull import Bull, state_is

TREE: dict[str, Any] = {
    "name": "house",
    "queueName": "q",
    "data": {"place": "Rome"},
    "children": [
        {"name": "wall", "queueName": "kids", "data": 1, "opts": {"failParentOnFailure": True}},
        {"name": "roof", "queue_name": "kids", "children": [{"name": "tile", "queueName": "kids"}]},
    ],
}


async def test_a_flow_is_added_and_told_whole(bull: Bull, store: Store) -> None:
    told = await bull.flows().add(TREE)

    assert told is not None
    wall, roof = told["children"]
    assert (told["job"].name, told["job"].data) == ("house", {"place": "Rome"})
    assert [wall["job"].name, roof["job"].name, roof["children"][0]["job"].name] == [
        "wall",
        "roof",
        "tile",
    ]
    assert "children" not in wall
    assert wall["job"].parentKey == f"{bull.prefix}:q:{told['job'].id}"
    assert await told["job"].getState() == "waiting-children"
    assert await roof["children"][0]["job"].getState() == "waiting"
    opts = await store.command("HGET", wall["job"].queue.toKey(wall["job"].id), "opts")
    assert json.loads(opts)["fpof"] is True


async def test_a_parent_gets_what_its_children_returned(bull: Bull) -> None:
    async def names(job: Job, token: str) -> list[Any]:
        values = await job.getChildrenValues()
        return [job.name, *sorted(values.values(), key=str)]

    bull.worker(names)
    bull.worker(names, "kids", concurrency=3)
    told = await bull.flows().add(TREE)
    assert told is not None

    result = await told["job"].waitUntilFinished(None, 5000)
    assert result == ["house", ["roof", ["tile"]], ["wall"]]


async def test_a_flow_may_hang_on_a_job(bull: Bull) -> None:
    outer = await bull.queue().add("outer")
    above = {"parent": {"id": outer.id, "queue": outer.queueQualifiedName}}

    told = await bull.flows().add({"name": "inner", "queueName": "q", "opts": above})

    assert told is not None
    assert told["job"].parent == {"id": outer.id, "queueKey": outer.queueQualifiedName}
    assert told["job"].opts["parent"] == above["parent"]


async def test_queues_have_options_of_their_own(bull: Bull) -> None:
    usual = {"queuesOptions": {"kids": {"defaultJobOptions": {"attempts": 7, "priority": 2}}}}

    told = await bull.flows().add(TREE, usual)

    assert told is not None
    wall = told["children"][0]["job"]
    assert (told["job"].attempts, wall.attempts, wall.priority) == (1, 7, 2)
    assert wall.opts["failParentOnFailure"] is True


async def test_several_flows_are_added_at_once(bull: Bull) -> None:
    flows = [{"name": name, "queueName": "q"} for name in ("a", "b")]

    told = await bull.flows().addBulk(flows)

    assert told is not None
    assert [one["job"].name for one in told] == ["a", "b"]
    assert await bull.queue().getWaitingCount() == 2


async def test_ids_of_ones_own_name_the_jobs(bull: Bull) -> None:
    flow = {
        "name": "top",
        "queueName": "q",
        "opts": {"jobId": "top"},
        "children": [{"name": "kid", "queueName": "kids", "opts": {"jobId": "kid"}}],
    }

    told = await bull.flows().add(flow)

    assert told is not None
    assert (told["job"].id, told["children"][0]["job"].id) == ("top", "kid")


async def test_a_closed_producer_adds_no_more(bull: Bull) -> None:
    flows = FlowProducer(bull.url, {"prefix": bull.prefix})
    await flows.close()

    assert await flows.add(TREE) is None
    assert await flows.addBulk([TREE]) is None


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        ({"name": "n"}, "queueName: each job of a flow has one"),
        ({"queueName": "q"}, "name: each job of a flow has one"),
        ({**TREE, "prefix": "other"}, "have the prefix of its FlowProducer"),
        ({**TREE, "opts": {"failParentOnFailure": True}}, "nobody to tell"),
        ({**TREE, "kids": []}, "no such option"),
        (
            {
                "name": "n",
                "queueName": "q",
                "children": [
                    {"name": "n", "queueName": "q", "opts": {"parent": {"id": "1", "queue": "q"}}}
                ],
            },
            "the job above it",
        ),
    ],
)
async def test_a_flow_that_cannot_be_is_refused(
    bull: Bull, flow: dict[str, Any], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        await bull.flows().add(flow)

    assert await bull.queue().getJobCountByTypes() == 0


async def test_without_its_parent_no_flow_is_added(bull: Bull) -> None:
    above = {"parent": {"id": "nobody", "queue": f"{bull.prefix}:q"}}

    with pytest.raises(TypeError, match=f"Missing key for parent job {bull.prefix}:q:nobody"):
        await bull.flows().add({"name": "n", "queueName": "q", "opts": above})


async def test_a_parent_goes_on_without_a_child_that_may_fail(bull: Bull) -> None:
    async def fail(job: Job, token: str) -> None:
        raise ValueError("no")

    bull.worker(fail, "kids")
    bull.worker(lambda job, token: "ran")
    child = {"name": "n", "queueName": "kids", "opts": {"removeDependencyOnFailure": True}}
    told = await bull.flows().add({"name": "n", "queueName": "q", "children": [child]})
    assert told is not None

    await state_is(told["job"], "completed")
