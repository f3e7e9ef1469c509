"""Cancelling one job: it fails where it waits, and whoever runs it cannot end it otherwise."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from framework.errors import JobNotFoundError, WrongStateError
from framework.model.job import Effect, JobId, JobState
from framework.model.options import Deduplication, KeepJobs
from framework.store.single_call import SingleCall
from framework.store.store import Store
from framework.store.transitions.asking import cancel_job, read_asks
from framework.store.transitions.ending import Ending, given_back, parked_until, retried
from framework.store.transitions.exchange import Fetched, Taker, exchange
from framework.store.transitions.standing import retry_job
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    active_jobs,
    add_tied,
    complete,
    completed_job,
    entries_of,
    events_of,
    fail,
    failed_job,
    hash_of,
    list_of,
    state_of,
    tied,
    trade,
    waiting_job,
)

REASON = "cancelled: enough"
KEPT = KeepJobs()
UUID = "0123456789abcdef0123456789abcdef"
OURS = f"{UUID}:"
WAITS: dict[str, tuple[dict[str, object], str]] = {
    "waiting": ({}, "waiting"),
    "prioritized": ({"priority": 5}, "prioritized"),
    "delayed": ({"delay": timedelta(minutes=1)}, "delayed"),
}


async def cancel(
    store: Store, keys: QueueKeys, job_id: str, keep: KeepJobs = KEPT, reason: str = REASON
) -> Effect:
    return await cancel_job(store, keys, JobId(job_id), reason, keep)


@pytest.mark.parametrize("place", WAITS)
async def test_a_job_that_waits_fails_at_once(store: Store, keys: QueueKeys, place: str) -> None:
    options, prev = WAITS[place]
    job_id = await waiting_job(store, keys, attempts=3, **options)

    assert await cancel(store, keys, job_id) is Effect.DONE

    assert await state_of(store, keys, job_id) is JobState.FAILED
    told = await hash_of(store, keys, job_id)
    assert told["failedReason"] == REASON
    assert int(told["finishedOn"]) > NOW - 10**9
    assert {"atm", "fw.cancelled", "defa"}.isdisjoint(told)
    assert (await entries_of(store, keys))[-1] == {
        "event": "failed", "jobId": job_id, "failedReason": REASON, "prev": prev,
    }  # fmt: skip
    assert (await trade(store, keys, want=5)).jobs == []


async def test_a_job_of_a_queue_paused_by_bullmq_5_is_found(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await store.command("RENAME", keys["wait"], keys["paused"])
    await store.command("HSET", keys["meta"], "paused", 1)

    assert await cancel(store, keys, job_id) is Effect.DONE

    assert await list_of(store, keys, "paused") == []


async def test_what_is_not_there_or_has_finished_is_not_cancelled(
    store: Store, keys: QueueKeys
) -> None:
    done, failed = await completed_job(store, keys), await failed_job(store, keys)

    with pytest.raises(JobNotFoundError):
        await cancel(store, keys, "gone")
    for job_id in (done, failed):
        with pytest.raises(WrongStateError):
            await cancel(store, keys, job_id)

    assert (await hash_of(store, keys, failed))["failedReason"] == "boom"


async def test_a_hash_that_stands_nowhere_is_left_alone(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys.job("7"), "name", "echo")

    with pytest.raises(WrongStateError):
        await cancel(store, keys, "7")

    assert await hash_of(store, keys, "7") == {"name": "echo"}


async def test_retention_is_honoured(store: Store, keys: QueueKeys) -> None:
    first, second, third = [await waiting_job(store, keys) for _ in range(3)]

    await cancel(store, keys, first)
    await cancel(store, keys, second, KeepJobs(count=1))
    await cancel(store, keys, third, KeepJobs(count=0))

    assert await state_of(store, keys, first) is JobState.UNKNOWN
    assert await state_of(store, keys, second) is JobState.FAILED
    assert await hash_of(store, keys, third) == {}
    assert (await events_of(store, keys, third))[-1] == "failed"


async def test_its_deduplication_is_free_again(store: Store, keys: QueueKeys) -> None:
    once = Deduplication(id="once")
    await add_tied(store, keys, [tied(keys, deduplication=once)])

    await cancel(store, keys, "1")

    again = await add_tied(store, keys, [tied(keys, deduplication=once)])
    assert await state_of(store, keys, "2") is JobState.WAITING, again


@pytest.mark.parametrize(
    ("on_failure", "state", "told"),
    [
        ("fail", JobState.WAITING, "defa"),
        ("continue", JobState.WAITING, ":failed"),
        ("ignore", JobState.WAITING, ":failed"),
    ],
)
async def test_its_parent_is_told_as_by_any_child_that_fails(
    store: Store, keys: QueueKeys, on_failure: str, state: JobState, told: str
) -> None:
    parent = tied(keys, "parent", waits=True, job_id="p", in_flow=True)
    flags = {"fail": "fpof", "continue": "cpof", "ignore": "idof"}
    await add_tied(store, keys, [parent])
    child = await waiting_job(store, keys)
    link = json.dumps({"id": "p", "queueKey": keys.qualified, flags[on_failure]: True})
    await store.command("SADD", keys.job("p") + ":dependencies", keys.job(child))
    await store.command("HSET", keys.job(child), "parentKey", keys.job("p"), "parent", link)

    await cancel(store, keys, child)

    assert await state_of(store, keys, "p") is state
    if told == "defa":
        assert (await hash_of(store, keys, "p"))["defa"] == f"child {keys.job(child)} failed"
    else:
        reason = await store.command("HGET", keys.job("p") + told, keys.job(child))
        assert reason == REASON.encode()


async def test_a_parent_that_waits_for_children_fails_at_once(
    store: Store, keys: QueueKeys
) -> None:
    await add_tied(store, keys, [tied(keys, "parent", waits=True, job_id="p", in_flow=True)])
    assert await state_of(store, keys, "p") is JobState.WAITING_CHILDREN

    assert await cancel(store, keys, "p") is Effect.DONE

    assert await state_of(store, keys, "p") is JobState.FAILED


async def test_the_worker_that_runs_it_is_called(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys, by=OURS)

    assert await cancel(store, keys, job.id) is Effect.ASKED

    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("ZRANGE", keys.calls(UUID), 0, -1) == [b"0"]
    assert 0 < await store.command("PTTL", keys.calls(UUID)) <= 60_000
    asks = await read_asks(store, keys, UUID, [job.id])
    assert [(ask.job_id, ask.cancelled, ask.is_pausing) for ask in asks] == [
        (job.id, REASON, False)
    ]
    assert await store.command("EXISTS", keys.calls(UUID)) == 0


@pytest.mark.parametrize("token", ["mine", "7dbad5e0-7aa6-4a5b-9f4f-1f0e4f0d3c11:3"])
async def test_who_cannot_be_called_is_not(store: Store, keys: QueueKeys, token: str) -> None:
    job = await active_job(store, keys)
    await store.command("SET", keys.job(job.id) + ":lock", token)

    assert await cancel(store, keys, job.id) is Effect.LATER

    told = await hash_of(store, keys, job.id)
    assert (told["fw.cancelled"], told["defa"]) == (REASON, REASON)
    assert await store.command("KEYS", f"{keys.base}meta:fw:calls:*") == []


async def test_a_job_whose_worker_vanished_fails_when_it_starts(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await store.command("DEL", keys.job(job.id) + ":lock")

    assert await cancel(store, keys, job.id) is Effect.LATER

    assert (await hash_of(store, keys, job.id))["defa"] == REASON


async def test_nothing_is_asked_of_jobs_where_nobody_ever_asked(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    assert await read_asks(store, keys, UUID, [job.id]) == []


WAYS: dict[str, Callable[[Fetched], Ending]] = {
    "complete": complete,
    "retry": lambda job: retried(job.id, job.token, "boom", b"[]", 0, lifo=False),
    "back off": lambda job: retried(job.id, job.token, "boom", b"[]", 1000, lifo=False),
    "give back": lambda job: given_back(job.id, job.token),
    "park": lambda job: parked_until(job.id, job.token, NOW + 1000),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_run_cannot_end_otherwise_once_it_is_cancelled(
    store: Store, keys: QueueKeys, way: str
) -> None:
    job, other = await active_jobs(store, keys, 2)
    await cancel(store, keys, job.id)
    ending = WAYS[way](job)

    reply = await trade(store, keys, ending, complete(other))

    assert (reply.codes, dict(reply.cancelled)) == ([-22, 0], {0: REASON.encode()})
    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await store.command("EXISTS", keys.job(job.id) + ":lock") == 1
    reply = await trade(store, keys, fail(job, REASON))
    assert reply.codes == [0]
    assert await state_of(store, keys, job.id) is JobState.FAILED
    assert {"fw.cancelled", "defa"}.isdisjoint(await hash_of(store, keys, job.id))


async def test_who_ended_it_first_wins(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, complete(job))

    with pytest.raises(WrongStateError):
        await cancel(store, keys, job.id)
    assert await state_of(store, keys, job.id) is JobState.COMPLETED


async def test_another_workers_ending_is_refused_for_its_lock(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await cancel(store, keys, job.id)
    await store.command("SET", keys.job(job.id) + ":lock", "another")

    assert (await trade(store, keys, complete(job))).codes == [-6]


async def test_the_same_call_sent_twice_says_the_same(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await cancel(store, keys, job.id)
    call = SingleCall(store)

    replies = [
        await exchange(
            call,
            keys,
            [complete(job)],
            Taker(OURS, lock_ms=1000),
            want=0,
            next_token=0,
            now_ms=NOW,
        )
        for _ in range(2)
    ]

    assert [reply.codes for reply in replies] == [[-22], [-22]]
    assert [dict(reply.cancelled) for reply in replies] == [{0: REASON.encode()}] * 2


async def test_a_cancelled_job_that_is_retried_runs_again(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await cancel(store, keys, job.id)
    await trade(store, keys, fail(job, REASON))

    await retry_job(store, keys, job.id)

    fetched = (await trade(store, keys, want=1)).jobs[0]
    assert {b"defa", b"fw.cancelled"}.isdisjoint(fetched.fields)


async def test_the_next_run_of_a_schedule_fails_once_it_starts(
    store: Store, keys: QueueKeys
) -> None:
    job_id = f"repeat:tick:{NOW}"
    await store.command("HSET", keys.job(job_id), "name", "tick", "rjk", "tick")
    await store.command("ZADD", keys["repeat_set"], NOW, "tick")
    await store.command("ZADD", keys["delayed"], NOW * 4096, job_id)

    assert await cancel(store, keys, job_id) is Effect.LATER

    assert await state_of(store, keys, job_id) is JobState.DELAYED
    assert (await hash_of(store, keys, job_id))["fw.cancelled"] == REASON
