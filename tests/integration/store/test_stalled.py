"""Bringing back jobs whose worker vanished."""

from framework.model.job import JobState
from framework.store.store import Store
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    complete,
    entries_of,
    events_of,
    hash_of,
    list_of,
    scores_of,
    state_of,
    trade,
    waiting_job,
)


async def check(store: Store, keys: QueueKeys) -> list[str]:
    """Make a check now, whenever the last one was."""
    await store.command("DEL", keys["stalled_check"])
    return list(await recover_stalled(store, keys, now_ms=NOW, interval_ms=30_000))


async def unlock(store: Store, keys: QueueKeys, job_id: str) -> None:
    await store.command("DEL", keys.job(job_id) + ":lock")


async def test_the_first_check_only_marks(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await unlock(store, keys, job.id)

    assert await check(store, keys) == []
    assert await store.command("SMEMBERS", keys["stalled"]) == {job.id.encode()}


async def test_a_job_without_a_lock_at_the_second_check_is_back_in_line(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)
    await check(store, keys)
    await unlock(store, keys, job.id)

    recovered = await check(store, keys)

    assert recovered == [job.id]
    assert await list_of(store, keys, "wait") == ["2", "1"]
    assert await list_of(store, keys, "active") == []
    fields = await hash_of(store, keys, job.id)
    assert (fields["stc"], fields.get("atm")) == ("1", None)
    assert (await entries_of(store, keys))[-2:] == [
        {"event": "waiting", "jobId": "1", "prev": "active"},
        {"event": "stalled", "jobId": "1"},
    ]
    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_job_with_a_lock_is_left_alone(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    recovered = [await check(store, keys) for _ in range(3)]

    assert recovered == [[], [], []]
    assert await state_of(store, keys, job.id) is JobState.ACTIVE


async def test_one_check_an_interval_and_queue(store: Store, keys: QueueKeys) -> None:
    await check(store, keys)
    job = await active_job(store, keys)

    again = await recover_stalled(store, keys, now_ms=NOW, interval_ms=30_000)

    assert again == []
    assert await store.command("SISMEMBER", keys["stalled"], job.id) == 0
    assert 20_000 < await store.command("PTTL", keys["stalled_check"]) <= 30_000


async def test_a_finished_job_does_not_stall(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await check(store, keys)
    await trade(store, keys, complete(job))

    assert await check(store, keys) == []
    assert await state_of(store, keys, job.id) is JobState.COMPLETED


async def test_our_check_fails_no_job_however_often_it_stalls(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    for _ in range(3):
        await check(store, keys)
        await unlock(store, keys, job.id)
        await check(store, keys)
        await trade(store, keys, want=1)

    fields = await hash_of(store, keys, job.id)
    assert fields["stc"] == "3"
    assert "defa" not in fields


async def test_a_check_with_a_limit_lets_a_job_fail_that_stalls_more_often(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    deferred = []
    for _ in range(2):
        await check(store, keys)
        await unlock(store, keys, job.id)
        await store.command("DEL", keys["stalled_check"])
        await recover_stalled(store, keys, now_ms=NOW, interval_ms=1, max_stalled=1)
        deferred.append((await hash_of(store, keys, job.id)).get("defa"))
        await trade(store, keys, want=1)

    assert deferred == [None, "job stalled more than allowable limit"]


async def test_what_was_once_a_job_leaves_active_for_good(store: Store, keys: QueueKeys) -> None:
    await store.command("LPUSH", keys["active"], "ghost", "0:123")
    await check(store, keys)

    recovered = await check(store, keys)

    assert recovered == []
    assert await list_of(store, keys, "active") == []
    assert await store.command("EXISTS", keys.job("ghost")) == 0
    assert await events_of(store, keys) == []


async def test_recovered_jobs_of_a_paused_queue_wake_nobody(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await check(store, keys)
    await unlock(store, keys, job.id)
    await store.command("HSET", keys["meta"], "paused", 1)

    await check(store, keys)

    assert await list_of(store, keys, "wait") == [job.id]
    assert await scores_of(store, keys, "marker") == {}
