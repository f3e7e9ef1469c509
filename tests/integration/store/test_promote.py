"""``exchange`` as it moves due delayed jobs in line."""

from datetime import timedelta

from framework.model.job import JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    add,
    entries_of,
    events_of,
    hash_of,
    new_job,
    scores_of,
    state_of,
    trade,
)

SECOND = timedelta(seconds=1)


async def test_a_delayed_job_is_not_taken_before_it_is_due(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=SECOND))

    taken = await trade(store, keys, want=1, now_ms=NOW + 999)

    assert (taken.jobs, taken.next_due_ms) == ([], NOW + 1000)


async def test_a_delayed_job_is_taken_when_it_is_due(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=SECOND))

    taken = await trade(store, keys, want=1, now_ms=NOW + 1000)

    assert [job.id for job in taken.jobs] == ["1"]
    assert (await hash_of(store, keys, "1"))["delay"] == "0"
    assert (await entries_of(store, keys))[-2:] == [
        {"event": "waiting", "jobId": "1", "prev": "delayed"},
        {"event": "active", "jobId": "1", "prev": "waiting"},
    ]


async def test_all_that_are_due_in_a_millisecond_come_in_their_order(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *(new_job(delay=SECOND) for _ in range(12)))

    taken = await trade(store, keys, want=50, now_ms=NOW + 1000)

    assert [job.id for job in taken.jobs] == [str(n) for n in range(1, 13)]


async def test_a_due_job_with_a_priority_takes_its_place_among_those(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job(delay=SECOND, priority=9), new_job(priority=1))

    await trade(store, keys, want=1, now_ms=NOW + 1000)

    assert await state_of(store, keys, "1") is JobState.PRIORITIZED
    assert await scores_of(store, keys, "prioritized") == {"1": 9 * 2**32 + 2}


async def test_due_jobs_of_a_paused_queue_wait_in_line(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=SECOND))
    await store.command("HSET", keys["meta"], "paused", 1)

    await trade(store, keys, want=1, now_ms=NOW + 1000)

    assert await state_of(store, keys, "1") is JobState.WAITING


async def test_a_worker_without_room_promotes_nothing(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=SECOND))

    await trade(store, keys, want=0, now_ms=NOW + 1000)

    assert await state_of(store, keys, "1") is JobState.DELAYED


async def test_due_jobs_beyond_the_wanted_wake_another_worker(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job(delay=SECOND), new_job(delay=SECOND))
    await store.command("DEL", keys["marker"])

    await trade(store, keys, want=1, now_ms=NOW + 1000)

    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_thousand_due_jobs_move_in_a_call_and_the_rest_in_the_next(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *(new_job(delay=SECOND) for _ in range(700)))
    await add(store, keys, *(new_job(delay=SECOND) for _ in range(700)))

    first = await trade(store, keys, want=1, now_ms=NOW + 1000)
    left = await store.command("ZCARD", keys["delayed"])
    await trade(store, keys, want=1, now_ms=NOW + 1000)

    assert len(first.jobs) == 1
    assert left == 400
    assert await store.command("ZCARD", keys["delayed"]) == 0


async def test_an_id_without_a_hash_does_not_come_to_life_when_it_is_due(
    store: Store, keys: QueueKeys
) -> None:
    await store.command("ZADD", keys["delayed"], NOW * 4096, "ghost")

    taken = await trade(store, keys, want=1)

    assert taken.jobs == []
    assert await store.command("EXISTS", keys.job("ghost")) == 0
    assert await events_of(store, keys) == []
