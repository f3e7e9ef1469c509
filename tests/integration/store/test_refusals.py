"""A refused ending stands alone: it has its code, and the others of the call go on."""

import json

import pytest

from framework.model.job import JobState, Token
from framework.model.options import KeepJobs
from framework.store.store import Store
from framework.store.transitions.ending import (
    Ending,
    completed,
    given_back,
    parked_for_children,
    parked_for_limit,
    parked_until,
    retried,
)
from framework.store.transitions.exchange import Fetched
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_jobs,
    complete,
    events_of,
    fail,
    hash_of,
    list_of,
    state_of,
    trade,
)


def in_all_ways(job: Fetched) -> dict[str, Ending]:
    return {
        "complete": complete(job),
        "fail": fail(job),
        "retry": retried(job.id, job.token, "boom", b"[]", 0, lifo=False),
        "back off": retried(job.id, job.token, "boom", b"[]", 1000, lifo=False),
        "give back": given_back(job.id, job.token),
        "park": parked_until(job.id, job.token, NOW + 1000),
        "wait for children": parked_for_children(job.id, job.token),
        "limit": parked_for_limit(job.id, job.token, 1000),
    }


WAYS = [
    "complete", "fail", "retry", "back off", "give back", "park", "wait for children", "limit",
]  # fmt: skip


async def in_a_batch(
    store: Store, keys: QueueKeys, bad: Ending, before: Fetched, after: Fetched
) -> int:
    """Send a refused ending between two good ones, which must go through."""
    ended = await trade(store, keys, complete(before), bad, complete(after))
    assert (ended.codes[0], ended.codes[2]) == (0, 0)
    assert await state_of(store, keys, before.id) is JobState.COMPLETED
    assert await state_of(store, keys, after.id) is JobState.COMPLETED
    return ended.codes[1]


@pytest.mark.parametrize("way", WAYS)
async def test_a_job_that_is_gone_is_refused(store: Store, keys: QueueKeys, way: str) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("DEL", keys.job(job.id))

    assert await in_a_batch(store, keys, in_all_ways(job)[way], a, b) == -1
    assert await store.command("EXISTS", keys.job(job.id)) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_lock_that_ran_out_is_refused(store: Store, keys: QueueKeys, way: str) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("DEL", keys.job(job.id) + ":lock")
    seen = await hash_of(store, keys, job.id)

    assert await in_a_batch(store, keys, in_all_ways(job)[way], a, b) == -2
    assert await hash_of(store, keys, job.id) == seen
    assert await state_of(store, keys, job.id) is JobState.ACTIVE


@pytest.mark.parametrize("way", WAYS)
async def test_a_lock_of_another_worker_is_refused(store: Store, keys: QueueKeys, way: str) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("SET", keys.job(job.id) + ":lock", "another")
    seen = await hash_of(store, keys, job.id)

    assert await in_a_batch(store, keys, in_all_ways(job)[way], a, b) == -6
    assert await hash_of(store, keys, job.id) == seen
    assert await store.command("GET", keys.job(job.id) + ":lock") == b"another"


@pytest.mark.parametrize("way", WAYS)
async def test_a_job_that_is_not_active_is_refused(store: Store, keys: QueueKeys, way: str) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("LREM", keys["active"], 1, job.id)
    seen = await hash_of(store, keys, job.id)

    assert await in_a_batch(store, keys, in_all_ways(job)[way], a, b) == -3
    assert await hash_of(store, keys, job.id) == seen
    assert await state_of(store, keys, job.id) is JobState.UNKNOWN


async def test_a_parent_with_pending_children_cannot_complete(
    store: Store, keys: QueueKeys
) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("SADD", keys.job(job.id) + ":dependencies", keys.job("77"))

    assert await in_a_batch(store, keys, complete(job), a, b) == -4
    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("GET", keys.job(job.id) + ":lock") == job.token.encode()


async def test_a_parent_with_a_failed_child_cannot_complete(store: Store, keys: QueueKeys) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("ZADD", keys.job(job.id) + ":unsuccessful", 1, keys.job("77"))

    assert await in_a_batch(store, keys, complete(job), a, b) == -9
    assert await state_of(store, keys, job.id) is JobState.ACTIVE


async def test_a_parent_with_a_failed_child_cannot_wait_for_others(
    store: Store, keys: QueueKeys
) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await store.command("SADD", keys.job(job.id) + ":dependencies", keys.job("78"))
    await store.command("ZADD", keys.job(job.id) + ":unsuccessful", 1, keys.job("77"))

    waits = parked_for_children(job.id, job.token)

    assert await in_a_batch(store, keys, waits, a, b) == -9
    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("GET", keys.job(job.id) + ":lock") == job.token.encode()


async def test_a_parent_with_pending_children_may_fail(store: Store, keys: QueueKeys) -> None:
    [job] = await active_jobs(store, keys, 1)
    await store.command("SADD", keys.job(job.id) + ":dependencies", keys.job("77"))

    ended = await trade(store, keys, fail(job))

    assert ended.codes == [0]


async def test_a_job_ended_twice_in_one_call_ends_once(store: Store, keys: QueueKeys) -> None:
    [job] = await active_jobs(store, keys, 1)

    ended = await trade(store, keys, complete(job, b"1"), complete(job, b"2"))

    assert ended.codes == [0, -3]
    assert (await hash_of(store, keys, job.id))["returnvalue"] == "1"
    assert (await events_of(store, keys)).count("completed") == 1


async def test_a_second_worker_cannot_end_what_the_first_holds(
    store: Store, keys: QueueKeys
) -> None:
    [job] = await active_jobs(store, keys, 1)
    thief = Fetched(job.id, Token("thief:0"), {})

    ended = await trade(store, keys, complete(thief))

    assert ended.codes == [-6]
    assert await list_of(store, keys, "active") == [job.id]


async def has_odd_parent(store: Store, keys: QueueKeys, job: Fetched) -> None:
    """Give a job a parent one of whose keys is of the wrong type."""
    parent = keys.job("P")
    await store.command("HSET", parent, "name", "p")
    await store.command("SET", f"{parent}:dependencies", "odd")
    text = json.dumps({"id": "P", "queueKey": keys.qualified, "fpof": True})
    await store.command("HSET", keys.job(job.id), "parentKey", parent, "parent", text)


@pytest.mark.parametrize("way", ["complete", "fail"])
async def test_a_job_that_odd_keys_keep_from_ending_stays_active(
    store: Store, keys: QueueKeys, way: str
) -> None:
    a, job, b = await active_jobs(store, keys, 3)
    await has_odd_parent(store, keys, job)

    assert await in_a_batch(store, keys, in_all_ways(job)[way], a, b) == -20
    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("GET", keys.job(job.id) + ":lock") == job.token.encode()


async def test_odd_keys_of_an_old_job_undo_nothing(store: Store, keys: QueueKeys) -> None:
    [old] = await active_jobs(store, keys, 1)
    await trade(store, keys, complete(old))
    await has_odd_parent(store, keys, old)
    [job] = await active_jobs(store, keys, 1)

    ended = await trade(store, keys, completed(job.id, job.token, b"1", KeepJobs(count=1)))

    assert ended.codes == [0]
    assert await state_of(store, keys, job.id) is JobState.COMPLETED
