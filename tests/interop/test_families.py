"""Node's flows and deduplication keys, while our workers finish the jobs."""

from typing import Any

import pytest

from framework import Context, Job, JobState, UnrecoverableError
from framework.store.store import Store
from tests.support.holds import holds
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import CHILDREN_VALUES, ECHO, adds_children, by_name
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


async def by_its_name(job: Job[Any], _: Context) -> object:
    if job.name == "bad":
        raise UnrecoverableError("no luck")
    return job.data


def flow(*children: dict[str, object], **opts: object) -> dict[str, object]:
    """Describe a parent on the queue ``parents`` with children on ``q``."""
    return {
        "name": "top",
        "queueName": "parents",
        "data": "top",
        "opts": opts,
        "children": [{"queueName": "q", **child} for child in children],
    }


def child(name: str, data: object = None, **opts: object) -> dict[str, object]:
    return {"name": name, "data": data, "opts": opts}


async def ended(node: NodePeer, queue: str, job_id: str) -> dict[str, Any]:
    async def has() -> bool:
        return await node.state(queue, job_id) in {"completed", "failed"}

    await until(has, message=f"job {job_id} of {queue} has finished")
    job = await node.job(queue, job_id)
    assert job is not None
    return job


async def test_our_completed_child_releases_its_node_parent(ours: Ours, node: NodePeer) -> None:
    await node.work("parents", CHILDREN_VALUES)
    tree = await node.add_flow(flow(child("n", {"a": 1}), child("n", "two"), child("n", None)))
    parent, keys = (
        tree["job"]["id"],
        [f"{ours.prefix}:q:{it['job']['id']}" for it in tree["children"]],
    )
    assert await node.state("parents", parent) == "waiting-children"

    async with ours.working(does(by_its_name)):
        result = await node.wait_result("parents", parent)

    assert result["processed"] == dict(zip(keys, [{"a": 1}, "two", None], strict=True))


async def test_nodes_completed_child_releases_its_parent_for_our_worker(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("q", ECHO)
    runs = Runs()
    async with ours.working(does(runs=runs, queue="parents")):
        tree = await node.add_flow(flow(child("n", 1), child("n", 2)))

        assert await node.wait_result("parents", tree["job"]["id"]) == "top"

    assert runs.ids == [tree["job"]["id"]]


async def test_our_workers_carry_three_levels(ours: Ours, node: NodePeer) -> None:
    leaf = {"name": "leaf", "queueName": "leaves", "data": "leaf"}
    middle = {**child("middle", "middle"), "children": [leaf, leaf]}
    order: list[str] = []

    async def note(job: Job[Any], _: Context) -> object:
        order.append(job.name)
        return job.data

    tree = await node.add_flow(flow(middle, child("n")))
    async with ours.working(
        does(note, queue="parents"), does(note), does(note, queue="leaves", concurrency=2)
    ):
        assert await node.wait_result("parents", tree["job"]["id"]) == "top"

    assert sorted(order) == ["leaf", "leaf", "middle", "n", "top"]
    assert order[-1] == "top"
    assert order.index("middle") > max(place for place, it in enumerate(order) if it == "leaf")


@pytest.mark.parametrize("who", ["ours", "node"])
async def test_our_failed_child_fails_its_node_parent(ours: Ours, node: NodePeer, who: str) -> None:
    tree = await node.add_flow(
        flow(child("bad", failParentOnFailure=True), child("n", delay=60_000))
    )
    parent, bad = tree["job"]["id"], tree["children"][0]["job"]["id"]
    processors = [does(by_its_name)]
    runs = Runs()
    if who == "node":
        await node.work("parents", ECHO)
    else:
        processors.append(does(runs=runs, queue="parents"))

    async with ours.working(*processors):
        job = await ended(node, "parents", parent)

    assert job["failedReason"] == f"child {ours.prefix}:q:{bad} failed"
    assert runs.ids == []
    assert await node.job_call("parents", parent, "getDependenciesCount") == {
        "processed": 0,
        "unprocessed": 1,
        "ignored": 0,
        "failed": 1,
    }


async def test_our_failed_child_fails_parents_all_the_way_up(ours: Ours, node: NodePeer) -> None:
    middle = {
        **child("middle", failParentOnFailure=True),
        "children": [{**child("bad", failParentOnFailure=True), "queueName": "leaves"}],
    }
    tree = await node.add_flow(flow(middle))
    async with ours.working(
        does(by_its_name, queue="parents"), does(by_its_name), does(by_its_name, queue="leaves")
    ):
        top = await ended(node, "parents", tree["job"]["id"])

    assert top["failedReason"] == f"child {ours.prefix}:q:{tree['children'][0]['job']['id']} failed"


async def test_our_failed_child_that_may_be_passed_over_releases_its_parent_at_once(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("parents", by_name(top={"kind": "return", "value": "went on"}))
    tree = await node.add_flow(
        flow(child("bad", continueParentOnFailure=True), child("n", delay=60_000))
    )
    async with ours.working(does(by_its_name)):

        async def released() -> bool:
            return await node.state("parents", tree["job"]["id"]) != "waiting-children"

        await until(released, message="the parent is released")


async def test_our_failed_child_that_is_ignored_is_told_to_its_parent(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("parents", CHILDREN_VALUES)
    tree = await node.add_flow(
        flow(child("bad", ignoreDependencyOnFailure=True), child("n", "good"))
    )
    keys = [f"{ours.prefix}:q:{it['job']['id']}" for it in tree["children"]]

    async with ours.working(does(by_its_name)):
        result = await node.wait_result("parents", tree["job"]["id"])

    assert result == {"processed": {keys[1]: "good"}, "ignored": {keys[0]: "no luck"}}


async def test_our_failed_child_that_is_removed_from_its_parent_holds_nothing(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("parents", CHILDREN_VALUES)
    tree = await node.add_flow(flow(child("bad", removeDependencyOnFailure=True)))

    async with ours.working(does(by_its_name)):
        result = await node.wait_result("parents", tree["job"]["id"])

    assert result == {"processed": {}, "ignored": {}}


async def test_our_failed_child_without_a_policy_holds_its_parent_until_it_completes(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("parents", CHILDREN_VALUES)
    tree = await node.add_flow(flow(child("n", "good")))
    parent, child_id = tree["job"]["id"], tree["children"][0]["job"]["id"]
    is_mended = False

    async def fail_until_mended(job: Job[Any], _: Context) -> object:
        if not is_mended:
            raise UnrecoverableError("no luck")
        return job.data

    async with ours.working(does(fail_until_mended)):
        await ended(node, "q", child_id)

        async def waits() -> bool:
            return await node.state("parents", parent) == "waiting-children"

        await holds(waits)

        is_mended = True
        await node.call("retry", queue="q", jobId=child_id, state="failed")
        result = await node.wait_result("parents", parent)

    assert result["processed"] == {f"{ours.prefix}:q:{child_id}": "good"}


async def test_a_parent_keeps_its_priority_when_we_release_it(ours: Ours, node: NodePeer) -> None:
    tree = await node.add_flow(flow(child("n"), priority=7))

    async with ours.working(does(by_its_name)) as app:
        queue = app.queue("parents")

        async def is_prioritized() -> bool:
            return await queue.state(tree["job"]["id"]) is JobState.PRIORITIZED

        await until(is_prioritized, message="the parent waits by its priority")


async def test_a_child_that_we_remove_releases_its_parent(ours: Ours, node: NodePeer) -> None:
    tree = await node.add_flow(flow(child("n")))
    parent = tree["job"]["id"]

    async with ours.producing() as app:
        assert await app.queue("q").remove(tree["children"][0]["job"]["id"])

    assert await node.state("parents", parent) == "waiting"


async def test_children_that_are_removed_as_they_complete_release_their_parent(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("parents", CHILDREN_VALUES)
    tree = await node.add_flow(flow(*(child("n", n, removeOnComplete=True) for n in range(3))))

    async with ours.working(does(by_its_name, concurrency=3)):
        result = await node.wait_result("parents", tree["job"]["id"])

    assert sorted(result["processed"].values()) == [0, 1, 2]


async def test_we_complete_children_that_a_running_job_of_node_added(
    ours: Ours, node: NodePeer
) -> None:
    added = [{"queue": "q", "name": "n", "data": n} for n in range(3)]
    await node.work("parents", adds_children(*added))
    async with ours.working(does(by_its_name)):
        parent = await node.add("parents", "top")

        values = await node.wait_result("parents", parent)

    assert sorted(values.values()) == [0, 1, 2]


@pytest.mark.parametrize("parent", [b"", b"{nope", b"null", b"[]", b"5", b'{"id":"1"}'], ids=str)
@pytest.mark.parametrize("name", ["n", "bad"])
async def test_a_parent_that_cannot_be_read_never_stops_the_queue(
    ours: Ours, node: NodePeer, store: Store, name: str, parent: bytes
) -> None:
    tree = await node.add_flow(flow(child(name, "data", failParentOnFailure=True)))
    odd = tree["children"][0]["job"]["id"]
    await store.command("HSET", f"{ours.prefix}:q:{odd}", "parent", parent)
    good = await node.add("q", "n", "good")

    async with ours.working(does(by_its_name)) as app:
        assert await node.wait_result("q", good) == "good"

        async def has_ended() -> bool:
            return (await app.queue("q").state(odd)).is_final

        await until(has_ended, message="the odd child has finished")


async def test_our_worker_sets_nodes_deduplication_id_free(ours: Ours, node: NodePeer) -> None:
    same = {"deduplication": {"id": "once"}}
    first = await node.add("q", "n", 1, **same)
    assert await node.add("q", "n", 2, **same) == first

    async with ours.working(does(by_its_name)):
        await ended(node, "q", first)
        second = await node.add("q", "bad", 3, **same)
        assert second != first
        await ended(node, "q", second)
        third = await node.add("q", "n", 4, **same)

        assert third not in {first, second}
        await ended(node, "q", third)
    assert await node.queue_call("q", "getDeduplicationJobId", "once") is None


async def test_a_time_of_deduplication_outlasts_the_job_we_finish(
    ours: Ours, node: NodePeer
) -> None:
    same = {"deduplication": {"id": "once", "ttl": 60_000}}
    first = await node.add("q", "n", **same)

    async with ours.working(does(by_its_name)):
        await ended(node, "q", first)

        assert await node.add("q", "n", **same) == first


async def test_a_job_we_remove_sets_its_deduplication_id_free(ours: Ours, node: NodePeer) -> None:
    same = {"deduplication": {"id": "once"}}
    first = await node.add("q", "n", delay=60_000, **same)

    async with ours.producing() as app:
        assert await app.queue("q").remove(first)

    assert await node.add("q", "n", **same) != first


async def is_delayed(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "delayed"


async def test_a_retry_by_us_keeps_the_deduplication_id(ours: Ours, node: NodePeer) -> None:
    same = {"deduplication": {"id": "once"}}

    async def fail_once(job: Job[Any], ctx: Context) -> object:
        if ctx.attempt == 1:
            raise ValueError("once")
        return job.data

    first = await node.add("q", "n", attempts=2, backoff=3_600_000, **same)
    async with ours.working(does(fail_once)):
        await until(lambda: is_delayed(node, first), message="the retry waits")

        assert await node.add("q", "n", **same) == first

        await node.call("promote", queue="q", jobId=first)
        await ended(node, "q", first)
    assert await node.add("q", "n", **same) != first
