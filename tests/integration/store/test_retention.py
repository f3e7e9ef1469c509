"""How many finished jobs stay, and for how long."""

from datetime import timedelta

from framework.model.job import JobState
from framework.model.options import KeepJobs
from framework.store.store import Store
from framework.store.transitions.ending import completed, failed
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_jobs,
    entries_of,
    fail,
    hash_of,
    scores_of,
    state_of,
    trade,
)

SECOND = timedelta(seconds=1)


async def finish(
    store: Store, keys: QueueKeys, keep: KeepJobs, count: int = 1, now_ms: int = NOW
) -> list[str]:
    """Complete new jobs in one call; return the ids of all completed ones, oldest first."""
    jobs = await active_jobs(store, keys, count)
    ended = (completed(job.id, job.token, b"1", keep, was_new=job.is_new) for job in jobs)
    await trade(store, keys, *ended, now_ms=now_ms)
    return list(await scores_of(store, keys, "completed"))


async def test_without_a_limit_all_stay(store: Store, keys: QueueKeys) -> None:
    assert len(await finish(store, keys, KeepJobs.all(), 20)) == 20


async def test_the_newest_stay(store: Store, keys: QueueKeys) -> None:
    for n in range(4):
        await finish(store, keys, KeepJobs.all(), now_ms=NOW + n)

    left = await finish(store, keys, KeepJobs(count=2), now_ms=NOW + 9)

    assert left == ["4", "5"]
    assert await hash_of(store, keys, "3") == {}
    assert await hash_of(store, keys, "4") != {}


async def test_none_stays(store: Store, keys: QueueKeys) -> None:
    left = await finish(store, keys, KeepJobs.none(), 3)

    assert left == []
    assert await store.command("EXISTS", keys["completed"], *(keys.job(n) for n in "123")) == 0
    assert await state_of(store, keys, "1") is JobState.UNKNOWN


async def test_the_event_of_a_job_that_goes_at_once_carries_its_result(
    store: Store, keys: QueueKeys
) -> None:
    await finish(store, keys, KeepJobs.none())

    assert {
        "event": "completed",
        "jobId": "1",
        "returnvalue": "1",
        "prev": "active",
    } in await entries_of(store, keys)


async def test_a_failed_job_that_goes_at_once_is_announced(store: Store, keys: QueueKeys) -> None:
    [job] = await active_jobs(store, keys, 1)

    await trade(store, keys, failed(job.id, job.token, "boom", b"[]", 1, KeepJobs.none()))

    assert {
        "event": "failed",
        "jobId": "1",
        "failedReason": "boom",
        "prev": "active",
    } in await entries_of(store, keys)
    assert await hash_of(store, keys, "1") == {}


async def test_all_keys_of_a_job_go_with_it(store: Store, keys: QueueKeys) -> None:
    [job] = await active_jobs(store, keys, 1)
    await store.command("RPUSH", keys.job("1") + ":logs", "row")
    await store.command("HSET", keys.job("1") + ":processed", "x", "1")
    await store.command("HSET", keys.job("1") + ":failed", "x", "1")

    await trade(store, keys, completed(job.id, job.token, b"1", KeepJobs.none()))

    assert await store.command("KEYS", keys.job("1") + "*") == []


async def test_the_old_go(store: Store, keys: QueueKeys) -> None:
    await finish(store, keys, KeepJobs.all(), now_ms=NOW)
    await finish(store, keys, KeepJobs.all(), now_ms=NOW + 1)

    left = await finish(store, keys, KeepJobs(age=10 * SECOND), now_ms=NOW + 10_000)

    assert left == ["2", "3"]


async def test_age_removes_no_more_than_its_limit(store: Store, keys: QueueKeys) -> None:
    await finish(store, keys, KeepJobs.all(), 5)

    left = await finish(store, keys, KeepJobs(age=SECOND, limit=2), now_ms=NOW + 10_000)

    assert len(left) == 4


async def test_the_young_stay_whatever_their_number(store: Store, keys: QueueKeys) -> None:
    keep = KeepJobs(count=1, at_least=60 * SECOND)
    await finish(store, keys, keep, now_ms=NOW)
    await finish(store, keys, keep, now_ms=NOW + 30_000)

    left = await finish(store, keys, keep, now_ms=NOW + 60_000)

    assert left == ["2", "3"]


async def test_a_number_above_the_most_young_ones_is_kept(store: Store, keys: QueueKeys) -> None:
    members = [part for n in range(20_500) for part in (NOW - 1000, f"old-{n}")]
    await store.command("ZADD", keys["completed"], *members)

    left = await finish(store, keys, KeepJobs(count=20_400, at_least=60 * SECOND))

    assert len(left) == 20_400


async def test_so_many_young_ones_go_that_memory_stays_bounded(
    store: Store, keys: QueueKeys
) -> None:
    members = [part for n in range(20_500) for part in (NOW - 1000, f"old-{n}")]
    await store.command("ZADD", keys["completed"], *members)

    left = await finish(store, keys, KeepJobs(count=10, at_least=60 * SECOND))

    assert len(left) == 20_000


async def test_each_job_brings_its_own_retention(store: Store, keys: QueueKeys) -> None:
    a, b = await active_jobs(store, keys, 2)

    await trade(
        store,
        keys,
        completed(a.id, a.token, b"1", KeepJobs.none()),
        completed(b.id, b.token, b"1", KeepJobs.all()),
    )

    assert list(await scores_of(store, keys, "completed")) == ["2"]


async def test_completed_and_failed_are_counted_apart(store: Store, keys: QueueKeys) -> None:
    [job] = await active_jobs(store, keys, 1)
    await trade(store, keys, fail(job))

    await finish(store, keys, KeepJobs(count=1))

    assert list(await scores_of(store, keys, "failed")) == ["1"]
