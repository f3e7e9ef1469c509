"""Removing a job with all that stands below it."""

import pytest

from framework.errors import JobLockedError
from framework.model.job import JobId, JobState
from framework.store.store import Store
from framework.store.transitions.removal import remove_job
from framework.wire.keys import QueueKeys
from tests.support.builders import NOW, entries_of, list_of, state_of

PARTS = {
    "dependencies": ("SADD", ()),
    "processed": ("HSET", ("1",)),
    "failed": ("HSET", ("boom",)),
    "unsuccessful": ("ZADD", ()),
}


async def put(store: Store, keys: QueueKeys, job_id: str, place: str = "completed") -> str:
    """Write a job where it stands."""
    await store.command("HSET", keys.job(job_id), "name", "n", "data", "{}", "opts", "{}")
    if place in {"wait", "paused", "active"}:
        await store.command("LPUSH", keys[place], job_id)
    else:
        await store.command("ZADD", keys[place], NOW, job_id)
    return keys.job(job_id)


async def hang(
    store: Store, parent: str, child: str, part: str = "dependencies", *, parent_json: str = ""
) -> None:
    """Note a child with its parent."""
    command, value = PARTS[part]
    pair = (NOW, child) if part == "unsuccessful" else (child, *value)
    await store.command(command, f"{parent}:{part}", *pair)
    fields = ("parentKey", parent, *(("parent", parent_json) if parent_json else ()))
    await store.command("HSET", child, *fields)


@pytest.fixture
def others(prefix: str) -> QueueKeys:
    return QueueKeys(prefix, "others")


@pytest.mark.parametrize("part", PARTS)
async def test_children_go_whatever_became_of_them(
    store: Store, keys: QueueKeys, others: QueueKeys, part: str
) -> None:
    parent = await put(store, keys, "P1")
    child = await put(store, others, "C1", "failed")
    grandchild = await put(store, keys, "G1", "delayed")
    await hang(store, parent, child, part)
    await hang(store, child, grandchild)

    assert await remove_job(store, keys, JobId("P1"))

    assert await store.command("EXISTS", parent, child, grandchild, f"{parent}:{part}") == 0
    assert await store.command("EXISTS", keys["completed"], others["failed"], keys["delayed"]) == 0
    removed = [("G1", "delayed"), ("P1", "completed")]
    assert [(it["jobId"], it["prev"]) for it in await entries_of(store, keys)] == removed
    assert await entries_of(store, others) == [
        {"event": "removed", "jobId": "C1", "prev": "failed"}
    ]


async def test_children_stay_if_asked(store: Store, keys: QueueKeys, others: QueueKeys) -> None:
    parent = await put(store, keys, "P1")
    child = await put(store, others, "C1", "wait")
    await hang(store, parent, child)

    await remove_job(store, keys, JobId("P1"), with_children=False)

    assert await state_of(store, others, "C1") is JobState.WAITING
    assert await store.command("EXISTS", child) == 1


async def test_nothing_goes_while_a_child_runs(
    store: Store, keys: QueueKeys, others: QueueKeys
) -> None:
    parent = await put(store, keys, "P1", "waiting_children")
    children = [await put(store, others, f"C{n}", "wait") for n in range(3)]
    for child in children:
        await hang(store, parent, child)
    await store.command("SET", children[1] + ":lock", "token")

    with pytest.raises(JobLockedError, match='C1 of queue "others"'):
        await remove_job(store, keys, JobId("P1"))

    assert await store.command("EXISTS", parent, *children) == 4
    assert await entries_of(store, keys) == await entries_of(store, others) == []


async def test_a_removed_tree_releases_the_parent_above_it(
    store: Store, keys: QueueKeys, others: QueueKeys
) -> None:
    top = await put(store, others, "T1", "waiting_children")
    parent = await put(store, keys, "P1", "waiting_children")
    child = await put(store, keys, "C1", "wait")
    await hang(store, top, parent)
    await hang(store, parent, child)

    await remove_job(store, keys, JobId("P1"))

    assert await list_of(store, others, "wait") == ["T1"]
    assert await list_of(store, keys, "wait") == []
    assert await store.command("EXISTS", parent, child) == 0


async def test_a_child_that_got_another_parent_no_longer_holds_that_one(
    store: Store, keys: QueueKeys, others: QueueKeys
) -> None:
    first = await put(store, keys, "P1")
    second = await put(store, others, "P2", "waiting_children")
    child = await put(store, keys, "C1", "failed")
    await hang(store, first, child, "failed")
    await hang(store, second, child)

    await remove_job(store, keys, JobId("P1"))

    assert await list_of(store, others, "wait") == ["P2"]


async def test_ids_with_colons_are_found_below_and_above(
    store: Store, keys: QueueKeys, others: QueueKeys
) -> None:
    parent = await put(store, others, "repeat:y:z", "waiting_children")
    child = await put(store, keys, f"repeat:s:{NOW}", "completed")
    grandchild = await put(store, others, "a:b:c", "failed")
    await store.command("HSET", others["meta"], "version", "1")
    above = f'{{"id":"repeat:y:z","queueKey":"{others.qualified}"}}'
    await hang(store, parent, child, parent_json=above)
    await hang(store, child, grandchild, "processed")

    await remove_job(store, keys, JobId(f"repeat:s:{NOW}"))

    assert await list_of(store, others, "wait") == ["repeat:y:z"]
    assert await store.command("EXISTS", grandchild, others["failed"]) == 0


async def test_a_large_tree_goes_in_parts_and_runs_no_parent_meanwhile(
    store: Store, keys: QueueKeys, others: QueueKeys
) -> None:
    parent = await put(store, keys, "P1", "waiting_children")
    children = [others.job(f"c{n}") for n in range(2500)]
    await store.pipeline([("HSET", it, "name", "n", "parentKey", parent) for it in children])
    for part, some in (("dependencies", children[:1500]), ("processed", children[1500:])):
        command, value = PARTS[part]
        await store.pipeline([(command, f"{parent}:{part}", it, *value) for it in some])

    assert await remove_job(store, keys, JobId("P1"))

    assert await store.command("KEYS", f"{others.base}c*") == []
    assert await entries_of(store, keys) == [
        {"event": "removed", "jobId": "P1", "prev": "waiting-children"}
    ]
    assert await store.command("KEYS", f"{keys.base}P1*") == []


async def test_a_tree_that_goes_round_ends(store: Store, keys: QueueKeys) -> None:
    first, second = await put(store, keys, "A"), await put(store, keys, "B")
    await hang(store, first, second)
    await hang(store, second, first)

    assert await remove_job(store, keys, JobId("A"))

    assert await store.command("EXISTS", first, second) == 0
