"""Adding trees of jobs over HTTP."""

from typing import Any

import httpx2
import pytest

from framework import JobState, Queue
from tests.support.node import NodePeer

LEAF = {"name": "leaf", "queueName": "demo"}


async def test_a_tree_is_added_and_answered_whole(
    http: httpx2.AsyncClient, queue: Queue, prefix: str
) -> None:
    flow = {
        "name": "root",
        "queueName": "demo",
        "data": {"n": 1},
        "opts": {"attempts": 2},
        "children": [
            {**LEAF, "data": 1, "opts": {"jobId": "first", "failParentOnFailure": True}},
            {"name": "middle", "queueName": "other", "children": [{**LEAF, "data": 2}]},
        ],
    }

    answer = await http.post("/flows", json=flow)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    tree = answer.json()
    root, (first, middle) = tree["job"], tree["children"]
    assert (root["name"], root["data"], root["opts"]) == ("root", {"n": 1}, {"attempts": 2})
    assert list(first) == ["job"]
    assert first["job"]["id"] == "first"
    assert first["job"]["parentKey"] == f"{prefix}:demo:{root['id']}"
    assert first["job"]["opts"]["failParentOnFailure"] is True
    assert middle["job"]["queueQualifiedName"] == f"{prefix}:other"
    assert [child["job"]["data"] for child in middle["children"]] == [2]
    assert await queue.state(root["id"]) is JobState.WAITING_CHILDREN
    assert await queue.state("first") is JobState.WAITING


async def test_an_array_of_trees_is_answered_by_an_array(http: httpx2.AsyncClient) -> None:
    several = await http.post("/flows", json=[LEAF, {**LEAF, "name": "second"}])
    none = await http.post("/flows", json=[])

    assert [tree["job"]["name"] for tree in several.json()] == ["leaf", "second"]
    assert (none.status_code, none.text) == (200, "[]")


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (5, "Body must be an object or an array"),
        ([5], "Flow must be an object"),
        ({"queueName": "demo"}, "name is required"),
        ({"name": "n"}, "queueName is required"),
        ({"name": 5, "queueName": "demo"}, "Invalid name 5, must be a string"),
        ({"name": "n", "queueName": "ab"}, "queue name must be at least 3 characters long"),
        ({**LEAF, "foo": 1}, "Unexpected field: foo"),
        ({**LEAF, "opts": {"foo": 1}}, "Unexpected field: opts.foo"),
        ({**LEAF, "opts": {"parent": {}}}, "Unexpected field: opts.parent"),
        ({**LEAF, "opts": {"repeat": {}}}, "Unexpected field: opts.repeat"),
        ({**LEAF, "opts": {"priority": 2097152}}, "Invalid priority 2097152"),
        (
            {**LEAF, "opts": {"failParentOnFailure": True}},
            "Unexpected field: opts.failParentOnFailure",
        ),
        ({**LEAF, "children": 5}, "Invalid children 5, must be an array"),
        (
            {**LEAF, "children": [{**LEAF, "opts": {"failParentOnFailure": 1}}]},
            "Invalid failParentOnFailure 1, must be a boolean",
        ),
        ({**LEAF, "children": [LEAF, {"name": "n"}]}, "queueName is required"),
        ({**LEAF, "children": [LEAF] * 10_000}, "A flow must have at most 10000 jobs"),
    ],
    ids=lambda value: str(value)[:80],
)
async def test_what_is_wrong_with_a_tree_is_said_and_nothing_is_added(
    http: httpx2.AsyncClient, queue: Queue, flow: object, words: str
) -> None:
    answer = await http.post("/flows", json=flow)

    assert (answer.status_code, answer.text) == (400, words)
    assert sum((await queue.counts()).values()) == 0


async def test_a_tree_as_deep_as_json_may_be_is_added_or_refused(
    http: httpx2.AsyncClient,
) -> None:
    deep: dict[str, Any] = LEAF
    for _ in range(95):
        deep = {**LEAF, "children": [deep]}

    taken = await http.post("/flows", json=deep)
    wider = {**LEAF, "children": [{**LEAF, "children": [deep] * 9}]}
    deeper = await http.post("/flows", json=wider)
    too_deep = await http.post("/flows", content=b'{"children":[' * 500)

    assert (taken.status_code, deeper.status_code, too_deep.status_code) == (200, 200, 400)


@pytest.mark.interop
async def test_node_works_a_tree_that_was_added_over_http(
    http: httpx2.AsyncClient, node: NodePeer
) -> None:
    flow = {"name": "root", "queueName": "demo", "children": [{**LEAF, "data": 7}]}
    tree = (await http.post("/flows", json=flow)).json()
    await node.work("demo", returning="done")

    assert await node.wait_result("demo", tree["job"]["id"]) == "done"
