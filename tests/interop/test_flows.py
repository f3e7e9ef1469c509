"""Flows: one history made twice; our trees worked by Node, and each side's views of the other's."""

import json
from typing import Any

import pytest

from framework import Context, Flow, FlowProducer, Job, JobState, Queue
from framework.model.job import ChildCounts
from framework.model.options import OnChildFailure
from framework.store.store import Store
from tests.interop.flow_histories import (
    FLOW_HISTORIES,
    LEVELS,
    ONLY_6,
    on_node,
    on_us,
)
from tests.interop.histories import WORK
from tests.interop.shown import OUR_META, dump, events_of
from tests.support.node import Major, NodePeer, both_majors
from tests.support.node_work import CHILDREN_VALUES
from tests.support.ours import Ours, does, job_opts
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

every_history = pytest.mark.parametrize("name", FLOW_HISTORIES)
POLICIES = ["fail", "continue", "ignore", "remove"]


async def both_ways(ours: Ours, node: NodePeer, node_major: Major, name: str) -> None:
    """Make a history by Node alone, and by us."""
    if node_major == 5 and name in ONLY_6:
        pytest.skip("BullMQ 5 does otherwise")
    async with on_node(node, "theirs") as theirs:
        await FLOW_HISTORIES[name](theirs)
    async with on_us(ours, node, "mine") as mine:
        await FLOW_HISTORIES[name](mine)


async def shown(store: Store, prefix: str, side: str) -> dict[str, Any]:
    """Read the queues of all levels, with their own names turned into words."""
    found: dict[str, Any] = {}
    for level in LEVELS:
        queue = f"{side}-{level}"
        found[level] = await dump(store, prefix, queue)
        for field in OUR_META:
            found[level].get("meta", {}).pop(field, None)
        found[level]["id"] = await store.command("GET", f"{prefix}:{queue}:id")
    text = json.dumps(found, default=lambda raw: raw.decode()).replace(f"{prefix}:{side}-", "")
    read: dict[str, Any] = json.loads(text)
    return read


@every_history
async def test_our_flows_have_the_events_that_node_writes(
    ours: Ours, node: NodePeer, node_major: Major, store: Store, name: str
) -> None:
    await both_ways(ours, node, node_major, name)

    for level in LEVELS:
        theirs = await events_of(store, ours.prefix, f"theirs-{level}")
        mine = await events_of(store, ours.prefix, f"mine-{level}")
        spelt = [tuple((f, v.replace("mine-", "theirs-")) for f, v in entry) for entry in mine]
        assert spelt == theirs


@every_history
async def test_our_flows_leave_the_keys_that_node_leaves(
    ours: Ours, node: NodePeer, node_major: Major, store: Store, name: str
) -> None:
    await both_ways(ours, node, node_major, name)

    expected = await shown(store, ours.prefix, "theirs")
    assert await shown(store, ours.prefix, "mine") == expected


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("parents", ["node", "ours"])
async def test_nodes_failed_child_does_to_our_parent_what_was_agreed(
    ours: Ours, node: NodePeer, policy: OnChildFailure, parents: str
) -> None:
    ran: list[str] = []

    async def run(job: Job[Any], _: Context) -> object:
        ran.append(job.id)
        return "ran"

    processors = [does(run, queue="tops")] if parents == "ours" else []
    if parents == "node":
        await node.work("tops", {"kind": "return", "value": "ran"})
    async with ours.working(*processors) as app:
        flows = await app.get(FlowProducer)
        root = await flows.add(
            Flow.named(
                "tops",
                "top",
                children=[Flow.named("kids", "n", 1), Flow.named("kids", "bad", job_id="bad")],
                on_child_failure=policy,
            )
        )
        await node.work("kids", WORK)

        async def has_ended() -> bool:
            return (await app.queue("tops").state(root.id)).is_final

        await until(has_ended, message="the parent has ended")
        tops = app.queue("tops")
        state, counts = await tops.state(root.id), await tops.dependencies_count(root.id)
        job = await tops.job(root.id)

    assert job is not None
    bad = f"{ours.prefix}:kids:bad"
    assert state is (JobState.FAILED if policy == "fail" else JobState.COMPLETED)
    assert job.failed_reason == (f"child {bad} failed" if policy == "fail" else None)
    assert (counts.ignored, counts.failed) == {
        "fail": (0, 1), "continue": (1, 0), "ignore": (1, 0), "remove": (0, 0)
    }[policy]  # fmt: skip


async def test_node_reads_a_child_of_ours(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        flows = await app.get(FlowProducer)
        await flows.add(
            Flow.named("tops", "t", children=[Flow.named("kids", "n", job_id="a")], job_id="top")
        )
        opts = await job_opts(app, "a", "kids")

    child = await node.job("kids", "a")
    assert child is not None
    assert child["parentKey"] == f"{ours.prefix}:tops:top"
    assert child["opts"]["failParentOnFailure"] is True
    assert opts["parent"] == {"id": "top", "queue": f"{ours.prefix}:tops"}
    assert opts["fpof"] is True
    assert await node.state("tops", "top") == "waiting-children"


async def test_both_sides_read_a_family_alike(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(queue="kids")) as app:
        flows = await app.get(FlowProducer)
        nodes = [Flow.named("kids", "n", {"n": n}, job_id=f"k{n}") for n in range(2)]
        idle = Flow.named("idle", "n", None, [Flow.named("idle", "n", job_id="y")], job_id="x")
        await flows.add(Flow.named("tops", "t", None, [*nodes, idle], job_id="top"))
        tops = app.queue("tops")

        async def only_one_is_left() -> bool:
            return (await tops.dependencies_count("top")).unprocessed == 1

        await until(only_one_is_left, message="two children have completed")

        assert await tops.dependencies_count("top") == ChildCounts(2, 1, 0, 0)
        theirs = await node.job_call("tops", "top", "getDependenciesCount")
        assert theirs == {"processed": 2, "unprocessed": 1, "ignored": 0, "failed": 0}
        assert await tops.children_values("top") == await node.job_call(
            "tops", "top", "getChildrenValues"
        )
        whole = await node.job_call("tops", "top", "getDependencies")
        mine = await tops.dependencies("top")
        assert (whole["processed"], whole["unprocessed"]) == (
            mine.processed,
            list(mine.unprocessed),
        )
        tree = await flows.get_flow("tops", "top")
        nodes_tree = await node.flow("tops", "top")

    assert tree is not None
    assert sorted(job.id for job in tree) == sorted(ids_in(nodes_tree))


def ids_in(tree: dict[str, Any]) -> list[str]:
    """List the ids of a tree as Node reads it."""
    return [tree["job"]["id"]] + [
        one for child in tree.get("children", ()) for one in ids_in(child)
    ]


async def test_we_read_the_tree_that_node_added(ours: Ours, node: NodePeer) -> None:
    leaf = {"name": "leaf", "queueName": "leaves"}
    kid = {"name": "kid", "queueName": "kids", "children": [leaf, leaf]}
    added = await node.add_flow({"name": "top", "queueName": "tops", "children": [kid, kid]})

    async with ours.producing() as app:
        flows = await app.get(FlowProducer)
        tree = await flows.get_flow("tops", added["job"]["id"])

    assert tree is not None
    assert sorted(job.name for job in tree) == ["kid", "kid", "leaf", "leaf", "leaf", "leaf", "top"]


async def test_either_side_parts_a_child_from_its_parent(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        flows = await app.get(FlowProducer)
        kids = [Flow.named("kids", "n", job_id=job_id) for job_id in ("a", "b")]
        await flows.add(Flow.named("tops", "t", None, kids, job_id="top"))

        assert await node.job_call("kids", "a", "removeChildDependency")
        assert await node.state("tops", "top") == "waiting-children"
        assert await app.queue("kids").remove_child_dependency("b")

        assert await node.state("tops", "top") == "waiting"
        child = await node.job("kids", "b")

    assert child is not None
    assert "parentKey" not in child


@pytest.mark.parametrize("who", ["ours", "node"])
async def test_either_side_removes_what_is_not_needed_any_more(
    ours: Ours, node: NodePeer, who: str
) -> None:
    async with ours.working(does(queue="kids")) as app:
        flows = await app.get(FlowProducer)
        done = Flow.named("kids", "n", job_id="a")
        idle = Flow.named("idle", "n", None, [Flow.named("idle", "n")], job_id="x")
        await flows.add(Flow.named("tops", "t", None, [done, idle], job_id="top"))
        tops = app.queue("tops")

        async def only_one_is_left() -> bool:
            return (await tops.dependencies_count("top")).unprocessed == 1

        await until(only_one_is_left, message="one child has completed")
        if who == "node":
            await node.job_call("tops", "top", "removeUnprocessedChildren")
        else:
            assert await tops.remove_unprocessed_children("top") == 2

        assert await node.state("tops", "top") == "waiting"
        assert await node.state("kids", "a") == "completed"
        assert await node.job("idle", "x") is None
        assert await app.queue("idle").jobs(JobState.WAITING) == []


async def test_children_that_our_running_job_adds_are_worked_by_node(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.producing() as producing:

        async def parent(job: Job[Any], ctx: Context) -> object:
            for n in range(3):
                kid = f"{job.id}-{n}-kid"
                await producing.queue("kids").add("n", n, parent=job, job_id=kid)
            await ctx.wait_for_children()
            return sorted((await ctx.children_values(int)).values())

        await node.work("kids", WORK)
        async with ours.working(does(parent, queue="tops")) as app:
            job = await app.queue("tops").add("top")

            assert await app.queue("tops").result(job.id) == [0, 1, 2]


async def test_our_running_job_adds_a_whole_flow_that_node_works(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.producing() as producing:
        flows = await producing.get(FlowProducer)

        async def parent(job: Job[Any], ctx: Context) -> object:
            leaf = Flow.named("leaves", "leaf", "leaf", job_id="leaf")
            kid = Flow.named("kids", "kid", None, [leaf], job_id="kid")
            await flows.add(kid, parent=job)
            await ctx.wait_for_children()
            return list((await ctx.children_values()).values())

        await node.work("kids", CHILDREN_VALUES)
        await node.work("leaves", WORK)
        async with ours.working(does(parent, queue="tops")) as app:
            job = await app.queue("tops").add("top")

            [said] = await app.queue("tops").result(job.id)

    assert said == {"processed": {f"{ours.prefix}:leaves:leaf": "leaf"}, "ignored": {}}


async def test_a_parent_that_node_lost_is_mended_by_our_audit(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    kid = {"name": "kid", "queueName": "kids"}
    added = await node.add_flow({"name": "top", "queueName": "tops", "children": [kid]})
    top, gone = added["job"]["id"], added["children"][0]["job"]["id"]
    await store.command("DEL", f"{ours.prefix}:kids:{gone}")
    await store.command("LREM", f"{ours.prefix}:kids:wait", 1, gone)
    await node.work("tops", CHILDREN_VALUES)

    async with ours.producing() as app:
        assert (await app.queue("tops").audit_flows()).repaired == (top,)

    assert await node.wait_result("tops", top) == {"processed": {}, "ignored": {}}


@pytest.mark.parametrize("parents", ["node", "ours"])
async def test_a_parent_that_shall_wait_waits_for_a_failed_child_to_be_retried(
    ours: Ours, node: NodePeer, parents: str
) -> None:
    async def run(job: Job[Any], _: Context) -> object:
        return "ran"

    processors = [does(run, queue="tops")] if parents == "ours" else []
    if parents == "node":
        await node.work("tops", {"kind": "return", "value": "ran"})
    async with ours.working(*processors) as app:
        flows = await app.get(FlowProducer)
        child = Flow.named("kids", "bad", job_id="bad")
        root = await flows.add(Flow.named("tops", "top", children=[child], on_child_failure="wait"))
        failing = await node.work("kids", WORK)
        tops, kids = app.queue("tops"), app.queue("kids")
        await until(lambda: is_in(kids, "bad", JobState.FAILED), message="the child has failed")
        waited = await tops.state(root.id)
        await failing.close()
        await node.work("kids", {"kind": "return", "value": "mended"})
        await kids.retry_job("bad")
        await until(lambda: is_in(tops, root.id, JobState.COMPLETED), message="the parent ended")

    assert waited is JobState.WAITING_CHILDREN


async def is_in(queue: Queue, job_id: str, state: JobState) -> bool:
    return await queue.state(job_id) is state


async def test_node_finds_all_jobs_of_a_tree_that_we_are_told(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        flows = await app.get(FlowProducer)
        kids = [Flow.named("kids", "kid", n) for n in (1, 2)]
        tree = await flows.add_tree(Flow.named("tops", "top", 0, kids))
        (other,) = await flows.add_trees([Flow.named("tops", "other", 3)])

    found = [await node.job(job.queue, job.id) for job in (*tree, *other)]
    assert [job and (job["name"], job["data"]) for job in found] == [
        ("top", 0),
        ("kid", 1),
        ("kid", 2),
        ("other", 3),
    ]
