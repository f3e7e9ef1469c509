"""Pause mode ``v5``: while a queue is paused, what waits stands in the list ``paused``."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from framework.model.job import JobId
from framework.store.queue_meta import open_queue, write_pause_mode
from framework.store.store import Store
from framework.store.transitions import removal, standing
from framework.store.transitions.admin import pause_queue, resume_queue
from framework.store.transitions.ending import given_back, retried
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from tests.integration.store.test_trees import hang, put
from tests.support.builders import (
    NOW,
    active_job,
    complete,
    completed_job,
    failed_job,
    list_of,
    scores_of,
    trade,
    waiting_job,
)


@pytest.fixture(autouse=True)
async def _beside_bullmq_5(store: Store, keys: QueueKeys) -> None:
    await open_queue(store, keys, "v5")


async def lines(store: Store, keys: QueueKeys) -> tuple[list[str], list[str]]:
    """The lists of waiting jobs: while it runs, while it is paused."""
    return await list_of(store, keys, "wait"), await list_of(store, keys, "paused")


async def test_a_pause_parks_what_waits_behind_what_is_parked(
    store: Store, keys: QueueKeys
) -> None:
    first = await waiting_job(store, keys)
    await pause_queue(store, keys)
    # As BullMQ 6 beside it would.
    await store.command("LPUSH", keys["wait"], "late", "later")

    await pause_queue(store, keys)

    assert await lines(store, keys) == ([], ["later", "late", first])


async def test_any_number_of_jobs_is_parked_and_brought_back(store: Store, keys: QueueKeys) -> None:
    ids = [f"j{n}" for n in range(15_000)]
    for first in range(0, len(ids), 1000):
        await store.command("LPUSH", keys["wait"], *ids[first : first + 1000])

    await pause_queue(store, keys)
    parked = await lines(store, keys)
    await resume_queue(store, keys)

    assert parked == ([], ids[::-1])
    assert await lines(store, keys) == (ids[::-1], [])


async def retried_by_hand(store: Store, keys: QueueKeys) -> JobId:
    job_id = await failed_job(store, keys)
    await pause_queue(store, keys)
    await standing.retry_job(store, keys, job_id)
    return job_id


async def retried_in_bulk(store: Store, keys: QueueKeys) -> JobId:
    job_id = await completed_job(store, keys)
    await pause_queue(store, keys)
    await standing.retry_jobs(store, keys, "completed", NOW)  # type: ignore[arg-type]  # its text
    return job_id


async def promoted(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys, delay=timedelta(seconds=9))
    await pause_queue(store, keys)
    await standing.promote_job(store, keys, job_id)
    return job_id


async def promoted_in_bulk(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys, delay=timedelta(seconds=9))
    await pause_queue(store, keys)
    await standing.promote_jobs(store, keys)
    return job_id


async def fallen_due(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys, delay=timedelta(seconds=9))
    await pause_queue(store, keys)
    assert (await trade(store, keys, want=1, now_ms=NOW + 10_000)).jobs == []
    return job_id


async def added(store: Store, keys: QueueKeys) -> JobId:
    await pause_queue(store, keys)
    return await waiting_job(store, keys)


async def retried_at_once(store: Store, keys: QueueKeys) -> JobId:
    job = await active_job(store, keys)
    await pause_queue(store, keys)
    await trade(store, keys, retried(job.id, job.token, "boom", b"[]", 0, lifo=False))
    return job.id


async def returned(store: Store, keys: QueueKeys) -> JobId:
    job = await active_job(store, keys)
    await pause_queue(store, keys)
    await trade(store, keys, given_back(job.id, job.token))
    return job.id


async def stalled(store: Store, keys: QueueKeys) -> JobId:
    job = await active_job(store, keys)
    await recover_stalled(store, keys, now_ms=NOW, interval_ms=1000)
    await store.command("DEL", keys.job(job.id) + ":lock", keys["stalled_check"])
    await pause_queue(store, keys)
    assert await recover_stalled(store, keys, now_ms=NOW, interval_ms=1000) == [job.id]
    return job.id


async def without_its_priority(store: Store, keys: QueueKeys) -> JobId:
    job_id = await waiting_job(store, keys, priority=3)
    await pause_queue(store, keys)
    await standing.change_priority(store, keys, job_id, 0, lifo=False)
    return job_id


async def parent_of_the_completed(store: Store, keys: QueueKeys) -> JobId:
    job = await active_job(store, keys)
    await hang(store, await put(store, keys, "P1", "waiting_children"), keys.job(job.id))
    await pause_queue(store, keys)
    await trade(store, keys, complete(job))
    return JobId("P1")


async def parent_of_the_removed(store: Store, keys: QueueKeys) -> JobId:
    job_id = await completed_job(store, keys)
    await hang(store, await put(store, keys, "P1", "waiting_children"), keys.job(job_id))
    await pause_queue(store, keys)
    await removal.remove_job(store, keys, job_id)
    return JobId("P1")


Line = Callable[[Store, QueueKeys], Awaitable[JobId]]
WAYS: list[Line] = [
    added, retried_by_hand, retried_in_bulk, promoted, promoted_in_bulk, fallen_due,
    retried_at_once, returned, stalled, without_its_priority, parent_of_the_completed,
    parent_of_the_removed,
]  # fmt: skip


@pytest.mark.parametrize("line_up", WAYS, ids=lambda way: way.__name__)
async def test_what_lines_up_in_a_pause_is_parked_and_runs_after_it(
    store: Store, keys: QueueKeys, line_up: Line
) -> None:
    job_id = await line_up(store, keys)

    parked = await lines(store, keys)
    marked = await scores_of(store, keys, "marker")
    await resume_queue(store, keys)
    jobs = (await trade(store, keys, want=5, now_ms=NOW)).jobs

    assert parked == ([], [job_id])
    assert "0" not in marked
    assert [job.id for job in jobs] == [job_id]


async def test_a_parked_job_gets_another_priority_and_is_cleaned_and_drained(
    store: Store, keys: QueueKeys
) -> None:
    ids = [await waiting_job(store, keys) for _ in range(3)]
    await pause_queue(store, keys)

    await standing.change_priority(store, keys, ids[0], 5, lifo=False)
    cleaned = await removal.clean(store, keys, ("wait", "paused"), NOW, 1)
    drained = await removal.drain(store, keys, ("wait", "paused"))

    assert [*await scores_of(store, keys, "prioritized")] == [ids[0]]
    assert (cleaned, drained) == ([ids[1]], 1)
    assert await lines(store, keys) == ([], [])


async def test_another_mode_is_written_only_where_somebody_decided(
    store: Store, keys: QueueKeys
) -> None:
    await open_queue(store, keys)
    kept = await store.command("HGET", keys["meta"], "x-fw.pause")
    await write_pause_mode(store, keys, "v6")
    first = await waiting_job(store, keys)
    await pause_queue(store, keys)

    assert kept == b"v5"
    assert await lines(store, keys) == ([first], [])
