"""Retrying, promoting, and other delays and priorities."""

from datetime import timedelta

import pytest

from framework.errors import JobNotFoundError, WrongStateError
from framework.model.job import JobId, JobState
from framework.store.store import Store
from framework.store.transitions import standing
from framework.store.transitions.admin import pause_queue
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    add,
    completed_job,
    entries_of,
    events_of,
    failed_job,
    hash_of,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)

GONE = JobId("gone")
STEP = 2**32


async def delayed_job(store: Store, keys: QueueKeys, seconds: int = 9, **options: object) -> JobId:
    return await waiting_job(store, keys, delay=timedelta(seconds=seconds), **options)


async def failed_again(store: Store, keys: QueueKeys, priority: int = 0) -> JobId:
    """A job that failed, after a stall and crashes."""
    job_id = await failed_job(store, keys)
    counted = ("stc", 2, "defa", "too often", "fw.crashes", 1, "priority", priority)
    await store.command("HSET", keys.job(job_id), *counted)
    return job_id


async def test_a_failed_job_waits_again_without_what_its_run_left(
    store: Store, keys: QueueKeys
) -> None:
    job_id = await failed_again(store, keys)

    await standing.retry_job(store, keys, job_id)

    assert await list_of(store, keys, "wait") == [job_id]
    assert await scores_of(store, keys, "failed") == {}
    left = await hash_of(store, keys, job_id)
    assert left.keys() == {
        "name", "data", "opts", "timestamp", "delay", "priority", "atm", "ats", "stacktrace",
    }  # fmt: skip
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": job_id,
        "prev": "failed",
    }
    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_completed_job_waits_again_without_its_result(
    store: Store, keys: QueueKeys
) -> None:
    job_id = await completed_job(store, keys)

    await standing.retry_job(store, keys, job_id)

    assert "returnvalue" not in await hash_of(store, keys, job_id)
    assert (await entries_of(store, keys))[-1]["prev"] == "completed"
    assert await state_of(store, keys, job_id) is JobState.WAITING


@pytest.mark.parametrize(("made", "started"), [(True, False), (False, True), (True, True)])
async def test_a_retry_resets_the_attempts_it_is_asked_to(
    store: Store, keys: QueueKeys, made: bool, started: bool
) -> None:
    job_id = await failed_job(store, keys)

    await standing.retry_job(
        store, keys, job_id, reset_attempts_made=made, reset_attempts_started=started
    )

    left = await hash_of(store, keys, job_id)
    assert ("atm" not in left, "ats" not in left) == (made, started)


async def test_a_retried_job_stands_where_its_options_say(store: Store, keys: QueueKeys) -> None:
    first = await failed_job(store, keys)
    await store.command("HSET", keys.job(first), "priority", 3)
    second = await failed_job(store, keys)
    await store.command("HSET", keys.job(second), "opts", '{"lifo":true}')
    await waiting_job(store, keys)

    await standing.retry_job(store, keys, first)
    await standing.retry_job(store, keys, second)

    assert await scores_of(store, keys, "prioritized") == {first: 3 * STEP + 1}
    assert (await list_of(store, keys, "wait"))[-1] == second


async def test_a_job_whose_options_cannot_be_read_is_retried(store: Store, keys: QueueKeys) -> None:
    job_id = await failed_job(store, keys)
    await store.command("HSET", keys.job(job_id), "opts", "{", "priority", "high")

    await standing.retry_job(store, keys, job_id)

    assert await list_of(store, keys, "wait") == [job_id]


async def test_only_a_finished_job_is_retried(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    with pytest.raises(JobNotFoundError):
        await standing.retry_job(store, keys, GONE)
    with pytest.raises(WrongStateError):
        await standing.retry_job(store, keys, job.id)

    assert await state_of(store, keys, job.id) is JobState.ACTIVE


async def test_a_retry_in_a_pause_wakes_nobody(store: Store, keys: QueueKeys) -> None:
    job_id = await failed_job(store, keys)
    await pause_queue(store, keys)

    await standing.retry_job(store, keys, job_id)

    assert await scores_of(store, keys, "marker") == {}
    assert await list_of(store, keys, "wait") == [job_id]


@pytest.mark.parametrize("part", ["unsuccessful", "failed", "processed"])
async def test_a_parent_depends_again_on_a_child_that_is_retried(
    store: Store, keys: QueueKeys, part: str
) -> None:
    made = completed_job if part == "processed" else failed_job
    for retry in (standing.retry_job, None):
        child = await made(store, keys)
        parent, key = keys.job("P1"), keys.job(child)
        await store.command("HSET", parent, "name", "p")
        await store.command("HSET", key, "parentKey", parent)
        if part == "unsuccessful":
            await store.command("ZADD", f"{parent}:{part}", NOW, key)
        else:
            await store.command("HSET", f"{parent}:{part}", key, "1")

        if retry is None:
            state = JobState.COMPLETED if part == "processed" else JobState.FAILED
            await standing.retry_jobs(store, keys, state, NOW)
        else:
            await retry(store, keys, child)
            await store.command("DEL", keys["wait"])

        assert await store.command("EXISTS", f"{parent}:{part}") == 0
        assert key.encode() in await store.command("SMEMBERS", f"{parent}:dependencies")


async def test_all_failed_jobs_are_retried_in_their_order_until_a_moment(
    store: Store, keys: QueueKeys
) -> None:
    ids = [await failed_again(store, keys, priority=n) for n in range(3)]
    late = await failed_job(store, keys)
    for place, job_id in enumerate([*ids, late]):
        await store.command("ZADD", keys["failed"], NOW + place, job_id)

    count = await standing.retry_jobs(store, keys, JobState.FAILED, NOW + 2)

    assert count == 3
    assert await list_of(store, keys, "wait") == ids[::-1]
    assert await scores_of(store, keys, "failed") == {late: NOW + 3}
    assert (await entries_of(store, keys))[-3:] == [
        {"event": "waiting", "jobId": job_id, "prev": "failed"} for job_id in ids
    ]
    for job_id in ids:
        assert (
            not {"finishedOn", "failedReason", "stc", "defa"}
            & (await hash_of(store, keys, job_id)).keys()
        )


async def test_thousands_are_retried_and_ids_without_a_job_are_dropped(
    store: Store, keys: QueueKeys
) -> None:
    jobs = await add(store, keys, *[new_job() for _ in range(1000)])
    ids = [job.id for job in jobs]
    ghosts = [f"ghost{n}" for n in range(600)]
    for some in (ids, ghosts):
        await store.command("ZADD", keys["completed"], *[p for i in some for p in (NOW, i)])
    await store.command("DEL", keys["wait"])

    count = await standing.retry_jobs(store, keys, JobState.COMPLETED, NOW)

    assert count == 1000
    assert set(await list_of(store, keys, "wait")) == set(ids)
    assert await store.command("EXISTS", keys["completed"], keys.job("ghost0")) == 0


async def test_a_promoted_job_waits_by_its_priority(store: Store, keys: QueueKeys) -> None:
    first = await delayed_job(store, keys)
    second = await delayed_job(store, keys, priority=2)

    await standing.promote_job(store, keys, first)
    await standing.promote_job(store, keys, second)

    assert await list_of(store, keys, "wait") == [first]
    assert await scores_of(store, keys, "prioritized") == {second: 2 * STEP + 1}
    assert (await hash_of(store, keys, first))["delay"] == "0"
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": second,
        "prev": "delayed",
    }
    assert "0" in await scores_of(store, keys, "marker")


async def test_only_a_delayed_job_is_promoted(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await store.command("ZADD", keys["delayed"], NOW * 4096, GONE)

    with pytest.raises(JobNotFoundError):
        await standing.promote_job(store, keys, GONE)
    with pytest.raises(WrongStateError):
        await standing.promote_job(store, keys, job_id)

    assert await store.command("EXISTS", keys.job(GONE)) == 0


async def test_all_delayed_jobs_are_promoted_the_next_due_first(
    store: Store, keys: QueueKeys
) -> None:
    late, soon = await delayed_job(store, keys, 9), await delayed_job(store, keys, 5, priority=4)
    await store.command("ZADD", keys["delayed"], NOW * 4096, GONE)

    count = await standing.promote_jobs(store, keys)

    assert count == 2
    assert await list_of(store, keys, "wait") == [late, soon]
    assert await events_of(store, keys, soon) == ["added", "delayed", "waiting"]
    assert await store.command("EXISTS", keys["delayed"], keys.job(GONE)) == 0


async def test_another_delay_counts_from_now_and_wakes_the_workers(
    store: Store, keys: QueueKeys
) -> None:
    job_id = await delayed_job(store, keys, 60)
    other = await delayed_job(store, keys, 3)
    now = store.clock.now_ms()

    await standing.change_delay(store, keys, job_id, 0)
    await standing.change_delay(store, keys, other, 7000)

    scores = await scores_of(store, keys, "delayed")
    assert now <= scores[job_id] / 4096 < now + 1000
    assert (await hash_of(store, keys, other))["delay"] == "7000"
    last = (await entries_of(store, keys))[-1]
    assert (last["event"], last["jobId"]) == ("delayed", other)
    assert int(last["delay"]) == scores[other] // 4096
    assert (await scores_of(store, keys, "marker"))["1"] == scores[job_id] / 4096


async def test_only_a_delayed_job_gets_another_delay(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)

    with pytest.raises(JobNotFoundError):
        await standing.change_delay(store, keys, GONE, 5)
    with pytest.raises(WrongStateError):
        await standing.change_delay(store, keys, job_id, 5)

    assert await scores_of(store, keys, "delayed") == {}


@pytest.mark.parametrize("lifo", [False, True])
async def test_another_priority_moves_a_waiting_job(
    store: Store, keys: QueueKeys, lifo: bool
) -> None:
    job_id = await waiting_job(store, keys)

    await standing.change_priority(store, keys, job_id, 3, lifo=lifo)
    moved = await scores_of(store, keys, "prioritized")
    other = await waiting_job(store, keys)
    await standing.change_priority(store, keys, job_id, 0, lifo=lifo)

    assert moved == {job_id: 3 * STEP + (0 if lifo else 1)}
    assert await list_of(store, keys, "wait") == ([other, job_id] if lifo else [job_id, other])
    assert await scores_of(store, keys, "prioritized") == {}
    assert (await hash_of(store, keys, job_id))["priority"] == "0"


async def test_another_priority_of_a_job_that_does_not_wait_is_noted(
    store: Store, keys: QueueKeys
) -> None:
    job_id = await delayed_job(store, keys)

    await standing.change_priority(store, keys, job_id, 5, lifo=False)

    assert (await hash_of(store, keys, job_id))["priority"] == "5"
    assert await state_of(store, keys, job_id) is JobState.DELAYED
    await trade(store, keys, now_ms=NOW + 10_000, want=0)
    with pytest.raises(JobNotFoundError):
        await standing.change_priority(store, keys, GONE, 5, lifo=False)
