"""What a child that finishes does to its parent, in whatever queue the parent is."""

import json

import pytest

from framework.model.job import JobState
from framework.model.options import KeepJobs
from framework.store.store import Store
from framework.store.transitions.ending import completed, failed
from framework.store.transitions.exchange import Fetched
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_jobs,
    complete,
    entries_of,
    fail,
    hash_of,
    list_of,
    scores_of,
    state_of,
    trade,
)

PARENT = "P1"


@pytest.fixture
def parents(prefix: str) -> QueueKeys:
    """The queue of the parent."""
    return QueueKeys(prefix, "parents")


async def family(
    store: Store,
    keys: QueueKeys,
    parents: QueueKeys,
    count: int = 2,
    *,
    link: str | None = None,
    **flags: object,
) -> list[Fetched]:
    """Running children of a parent that waits for them; `flags` stand in their `parent`."""
    jobs = await active_jobs(store, keys, count)
    parent = {"id": PARENT, "queueKey": parents.qualified, **flags}
    text = json.dumps(parent) if link is None else link
    await store.command("HSET", parents.job(PARENT), "name", "p", "delay", 0, "priority", 0)
    await store.command("ZADD", parents["waiting_children"], NOW, PARENT)
    for job in jobs:
        await store.command("SADD", parents.job(PARENT) + ":dependencies", keys.job(job.id))
        await store.command(
            "HSET", keys.job(job.id), "parentKey", parents.job(PARENT), "parent", text
        )
    return jobs


async def dependencies(store: Store, parents: QueueKeys) -> set[str]:
    found = await store.command("SMEMBERS", parents.job(PARENT) + ":dependencies")
    return {one.decode() for one in found}


async def recorded(store: Store, parents: QueueKeys, part: str) -> dict[str, str]:
    found = await store.command("HGETALL", f"{parents.job(PARENT)}:{part}")
    return {name.decode(): value.decode() for name, value in found.items()}


async def test_a_parent_waits_for_all_its_children(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents)

    await trade(store, keys, complete(a, b'{"v":1}'))

    assert await state_of(store, parents, PARENT) is JobState.WAITING_CHILDREN
    assert await recorded(store, parents, "processed") == {keys.job(a.id): '{"v":1}'}
    assert await dependencies(store, parents) == {keys.job(b.id)}


async def test_the_last_child_releases_the_parent_to_the_front(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents)
    await store.command("LPUSH", parents["wait"], "before")

    await trade(store, keys, complete(a), complete(b))

    assert await list_of(store, parents, "wait") == ["before", PARENT]
    assert await scores_of(store, parents, "marker") == {"0": 0}
    assert await entries_of(store, parents) == [
        {"event": "waiting", "jobId": PARENT, "prev": "waiting-children"}
    ]


async def test_a_released_parent_keeps_its_priority(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)
    await store.command("HSET", parents.job(PARENT), "priority", 4)

    await trade(store, keys, complete(job))

    assert await scores_of(store, parents, "prioritized") == {PARENT: 4 * 2**32 + 1}


async def test_a_released_parent_keeps_its_delay(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)
    await store.command("HSET", parents.job(PARENT), "delay", 5000)

    await trade(store, keys, complete(job))

    assert await scores_of(store, parents, "delayed") == {PARENT: (NOW + 5000) * 4096}
    assert await scores_of(store, parents, "marker") == {"1": NOW + 5000}
    assert await entries_of(store, parents) == [
        {"event": "delayed", "jobId": PARENT, "delay": str(NOW + 5000)}
    ]


async def test_a_parent_of_a_paused_queue_wakes_nobody(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)
    await store.command("HSET", parents["meta"], "paused", 1)

    await trade(store, keys, complete(job))

    assert await list_of(store, parents, "wait") == [PARENT]
    assert await scores_of(store, parents, "marker") == {}


async def test_without_a_flag_a_failed_child_holds_its_parent_back(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents)

    await trade(store, keys, fail(a), complete(b))

    assert await state_of(store, parents, PARENT) is JobState.WAITING_CHILDREN
    assert await dependencies(store, parents) == {keys.job(a.id)}


async def test_fpof_lets_the_parent_fail_at_once(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents, fpof=True)

    await trade(store, keys, fail(a))

    assert await state_of(store, parents, PARENT) is JobState.WAITING
    assert (await hash_of(store, parents, PARENT))["defa"] == f"child {keys.job(a.id)} failed"
    unsuccessful = await store.command(
        "ZRANGE", parents.job(PARENT) + ":unsuccessful", 0, -1, "WITHSCORES"
    )
    assert unsuccessful == [keys.job(a.id).encode(), str(NOW).encode()]
    assert await dependencies(store, parents) == {keys.job(b.id)}


async def test_fpof_reaches_a_delayed_parent(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, fpof=True)
    await store.command("ZREM", parents["waiting_children"], PARENT)
    await store.command("ZADD", parents["delayed"], (NOW + 9000) * 4096, PARENT)
    await store.command("HSET", parents.job(PARENT), "delay", 9000)

    await trade(store, keys, fail(job))

    assert await list_of(store, parents, "wait") == [PARENT]
    assert await scores_of(store, parents, "delayed") == {}
    assert (await hash_of(store, parents, PARENT))["delay"] == "0"


async def test_fpof_marks_a_parent_that_already_waits(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, fpof=True)
    await store.command("ZREM", parents["waiting_children"], PARENT)
    await store.command("LPUSH", parents["wait"], PARENT)

    await trade(store, keys, fail(job))

    assert "defa" in await hash_of(store, parents, PARENT)
    assert await list_of(store, parents, "wait") == [PARENT]


async def test_fpof_leaves_a_failed_parent_alone(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, fpof=True)
    await store.command("ZREM", parents["waiting_children"], PARENT)
    await store.command("ZADD", parents["failed"], NOW, PARENT)

    await trade(store, keys, fail(job))

    assert "defa" not in await hash_of(store, parents, PARENT)


async def test_cpof_lets_the_parent_go_on_without_its_other_children(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents, cpof=True)

    await trade(store, keys, fail(a, "boom"))

    assert await state_of(store, parents, PARENT) is JobState.WAITING
    assert await recorded(store, parents, "failed") == {keys.job(a.id): "boom"}
    assert await dependencies(store, parents) == {keys.job(b.id)}


async def test_idof_counts_a_failed_child_as_done(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    a, b = await family(store, keys, parents, idof=True)

    await trade(store, keys, fail(a, "boom"))
    state = await state_of(store, parents, PARENT)
    await trade(store, keys, complete(b))

    assert state is JobState.WAITING_CHILDREN
    assert await state_of(store, parents, PARENT) is JobState.WAITING
    assert await recorded(store, parents, "failed") == {keys.job(a.id): "boom"}


async def test_rdof_forgets_a_failed_child(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, rdof=True)

    await trade(store, keys, fail(job))

    assert await state_of(store, parents, PARENT) is JobState.WAITING
    assert await recorded(store, parents, "failed") == {}


async def test_a_flag_that_is_null_is_no_flag(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, fpof=None, cpof=None, idof=False, rdof=None)

    await trade(store, keys, fail(job))

    assert await state_of(store, parents, PARENT) is JobState.WAITING_CHILDREN
    assert "defa" not in await hash_of(store, parents, PARENT)


@pytest.mark.parametrize("link", ["no json", "null", "[]", '"x"', "{}", '{"id":null}'])
async def test_a_link_that_cannot_be_read_loses_no_job(
    store: Store, keys: QueueKeys, parents: QueueKeys, link: str
) -> None:
    a, b = await family(store, keys, parents, link=link)

    ended = await trade(store, keys, fail(a), complete(b))

    assert ended.codes == [0, 0]
    assert await state_of(store, keys, a.id) is JobState.FAILED
    assert await state_of(store, keys, b.id) is JobState.COMPLETED


async def test_a_link_that_cannot_be_read_is_taken_from_the_key(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1, link="no json")

    await trade(store, keys, complete(job))

    assert await state_of(store, parents, PARENT) is JobState.WAITING


async def test_a_parent_that_is_gone_is_not_brought_back(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)
    await store.command("DEL", parents.job(PARENT))

    ended = await trade(store, keys, complete(job))

    assert ended.codes == [0]
    assert await list_of(store, parents, "wait") == []


async def test_a_child_that_is_not_kept_releases_its_parent(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)

    await trade(store, keys, completed(job.id, job.token, b"7", KeepJobs.none()))

    assert await recorded(store, parents, "processed") == {keys.job(job.id): "7"}
    assert await list_of(store, parents, "wait") == [PARENT]


async def test_a_failed_child_that_is_not_kept_holds_no_parent_back(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    [job] = await family(store, keys, parents, 1)

    await trade(store, keys, failed(job.id, job.token, "boom", b"[]", 1, KeepJobs.none()))

    assert await list_of(store, parents, "wait") == [PARENT]
