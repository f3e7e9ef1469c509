"""Pausing and resuming a queue, also one that BullMQ 5 paused."""

from datetime import timedelta

from framework.model.job import JobState
from framework.store.reads import is_paused, job_counts
from framework.store.store import Store
from framework.store.transitions.admin import pause_queue, resume_queue
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    add,
    entries_of,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)


async def parked(store: Store, keys: QueueKeys, count: int) -> list[str]:
    """Jobs in the list that BullMQ 5 keeps while a queue is paused; the oldest first."""
    ids = [f"p{n}" for n in range(count)]
    for first in range(0, count, 1000):
        await store.command("LPUSH", keys["paused"], *ids[first : first + 1000])
    return ids


async def test_a_pause_is_noted_and_announced(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    await pause_queue(store, keys)

    assert await is_paused(store, keys)
    assert await store.command("HGET", keys["meta"], "paused") == b"1"
    assert await store.command("EXISTS", keys["marker"]) == 0
    assert (await entries_of(store, keys))[-1] == {"event": "paused"}
    assert await list_of(store, keys, "wait") == ["1"]


async def test_a_resume_wakes_the_workers(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await pause_queue(store, keys)

    await resume_queue(store, keys)

    assert not await is_paused(store, keys)
    assert await scores_of(store, keys, "marker") == {"0": 0}
    assert (await entries_of(store, keys))[-1] == {"event": "resumed"}


async def test_a_resume_tells_of_the_next_delayed_job(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=timedelta(seconds=9)))
    await pause_queue(store, keys)

    await resume_queue(store, keys)

    assert await scores_of(store, keys, "marker") == {"1": NOW + 9000}


async def test_pausing_twice_and_resuming_twice_does_no_harm(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    for act in (pause_queue, pause_queue, resume_queue, resume_queue):
        await act(store, keys)

    assert not await is_paused(store, keys)
    assert await list_of(store, keys, "wait") == ["1"]


async def test_what_bullmq_5_parked_runs_first_and_in_its_order(
    store: Store, keys: QueueKeys
) -> None:
    await waiting_job(store, keys)
    await parked(store, keys, 3)

    await resume_queue(store, keys)

    assert await list_of(store, keys, "wait") == ["1", "p2", "p1", "p0"]
    assert await store.command("EXISTS", keys["paused"]) == 0


async def test_any_number_of_parked_jobs_is_merged_with_one_event(
    store: Store, keys: QueueKeys
) -> None:
    ids = await parked(store, keys, 15_000)

    await resume_queue(store, keys)

    assert await list_of(store, keys, "wait") == ids[::-1]
    assert await entries_of(store, keys) == [{"event": "resumed"}]


async def test_parked_jobs_are_seen_as_waiting(store: Store, keys: QueueKeys) -> None:
    await parked(store, keys, 2)
    await waiting_job(store, keys)

    assert await state_of(store, keys, "p0") is JobState.WAITING
    assert (await job_counts(store, keys))[JobState.WAITING] == 3


async def test_a_resumed_queue_gives_jobs_again(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await pause_queue(store, keys)
    await resume_queue(store, keys)

    assert len((await trade(store, keys, want=1)).jobs) == 1
