"""Deleting one job, in every state."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from framework.errors import JobLockedError, SchedulerJobError
from framework.model.job import JobId, JobState
from framework.store.store import Store
from framework.store.transitions.removal import remove_job
from framework.store.transitions.running import add_log
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    completed_job,
    entries_of,
    events_of,
    failed_job,
    list_of,
    state_of,
    waiting_job,
)


async def delayed(store: Store, keys: QueueKeys) -> JobId:
    return await waiting_job(store, keys, delay=timedelta(seconds=9))


async def prioritized(store: Store, keys: QueueKeys) -> JobId:
    return await waiting_job(store, keys, priority=1)


async def parked(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys)
    await store.command("RENAME", keys["wait"], keys["paused"])
    return job_id


async def waiting_for_children(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys)
    await store.command("DEL", keys["wait"])
    await store.command("ZADD", keys["waiting_children"], NOW, job_id)
    return job_id


async def orphaned(store: Store, keys: QueueKeys) -> JobId:
    job = await active_job(store, keys)
    await store.command("DEL", keys.job(job.id) + ":lock")
    return job.id


async def nowhere(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys)
    await store.command("DEL", keys["wait"])
    return job_id


Make = Callable[[Store, QueueKeys], Awaitable[JobId]]
STATES: list[tuple[Make, str]] = [
    (waiting_job, "wait"),
    (delayed, "delayed"),
    (prioritized, "prioritized"),
    (parked, "paused"),
    (waiting_for_children, "waiting-children"),
    (completed_job, "completed"),
    (failed_job, "failed"),
    (orphaned, "active"),
    (nowhere, "unknown"),
]


@pytest.mark.parametrize(("make", "prev"), STATES, ids=[prev for _, prev in STATES])
async def test_a_job_leaves_whatever_state_it_is_in(
    store: Store, keys: QueueKeys, make: Make, prev: str
) -> None:
    job_id = await make(store, keys)
    await add_log(store, keys, job_id, "row")

    removed = await remove_job(store, keys, job_id)

    assert removed
    assert await state_of(store, keys, job_id) is JobState.UNKNOWN
    assert await store.command("EXISTS", keys.job(job_id), keys.job(job_id) + ":logs") == 0
    assert (await entries_of(store, keys))[-1] == {
        "event": "removed",
        "jobId": job_id,
        "prev": prev,
    }


async def test_a_job_that_is_not_there_is_not_removed(store: Store, keys: QueueKeys) -> None:
    assert not await remove_job(store, keys, JobId("gone"))
    assert await events_of(store, keys) == []


async def test_a_running_job_is_not_removed(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    with pytest.raises(JobLockedError, match='job 1 of queue "demo" cannot be removed now'):
        await remove_job(store, keys, job.id)

    assert await state_of(store, keys, job.id) is JobState.ACTIVE


async def test_the_next_run_of_a_schedule_is_not_removed(store: Store, keys: QueueKeys) -> None:
    job_id = f"repeat:tick:{NOW}"
    await store.command("HSET", keys.job(job_id), "name", "tick", "rjk", "tick")
    await store.command("ZADD", keys["repeat_set"], NOW, "tick")
    await store.command("ZADD", keys["delayed"], NOW * 4096, job_id)

    with pytest.raises(SchedulerJobError):
        await remove_job(store, keys, JobId(job_id))

    assert await state_of(store, keys, job_id) is JobState.DELAYED


async def test_an_earlier_run_of_a_schedule_is_removed(store: Store, keys: QueueKeys) -> None:
    job_id = f"repeat:tick:{NOW - 1000}"
    await store.command("HSET", keys.job(job_id), "name", "tick", "rjk", "tick")
    await store.command("ZADD", keys["repeat_set"], NOW, "tick")
    await store.command("ZADD", keys["completed"], NOW, job_id)

    assert await remove_job(store, keys, JobId(job_id))


async def child_of(store: Store, keys: QueueKeys, parents: QueueKeys, *others: str) -> JobId:
    child = await waiting_job(store, keys)
    parent_key = parents.job("P1")
    await store.command("HSET", parent_key, "name", "p", "delay", 5000, "priority", 7)
    await store.command("ZADD", parents["waiting_children"], NOW, "P1")
    await store.command("SADD", parent_key + ":dependencies", keys.job(child), *others)
    await store.command("HSET", keys.job(child), "parentKey", parent_key)
    return child


async def test_a_parent_that_waited_for_it_alone_runs_next(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    parents = QueueKeys(prefix, "parents")
    child = await child_of(store, keys, parents)

    await remove_job(store, keys, child)

    assert await list_of(store, parents, "wait") == ["P1"]
    assert await events_of(store, parents) == ["waiting"]


async def test_a_parent_waits_on_for_its_other_children(
    store: Store, keys: QueueKeys, prefix: str
) -> None:
    parents = QueueKeys(prefix, "parents")
    child = await child_of(store, keys, parents, keys.job("99"))

    await remove_job(store, keys, child)

    assert await state_of(store, parents, "P1") is JobState.WAITING_CHILDREN
