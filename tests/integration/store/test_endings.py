"""``exchange`` as it takes endings: completed, failed, tried again, given back."""

import json
from datetime import timedelta

from framework.model.job import JobState
from framework.store.store import Store
from framework.store.transitions.ending import Ending, given_back, retried
from framework.store.transitions.exchange import Fetched
from framework.store.transitions.running import update_progress
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    active_jobs,
    add,
    complete,
    entries_of,
    events_of,
    fail,
    hash_of,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)

LATER = NOW + 500


def retry(job: Fetched, delay_ms: int = 0, *, lifo: bool = False) -> Ending:
    return retried(job.id, job.token, "boom", b'["trace"]', delay_ms, lifo=lifo)


def give_back(job: Fetched) -> Ending:
    return given_back(job.id, job.token)


async def is_locked(store: Store, keys: QueueKeys, job_id: str) -> bool:
    return bool(await store.command("EXISTS", keys.job(job_id) + ":lock"))


async def test_a_completed_job_keeps_its_result(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    ended = await trade(store, keys, complete(job, b'{"ok":true}'), now_ms=LATER)

    assert ended.codes == [0]
    fields = await hash_of(store, keys, job.id)
    assert fields["returnvalue"] == '{"ok":true}'
    assert fields["finishedOn"] == str(LATER)
    assert (fields["atm"], fields["ats"]) == ("1", "1")
    assert await scores_of(store, keys, "completed") == {"1": LATER}


async def test_a_completed_job_is_announced_with_its_result(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, complete(job, b'"x"'))

    assert (await entries_of(store, keys))[3:] == [
        {"event": "completed", "jobId": "1", "returnvalue": '"x"', "prev": "active"},
        {"event": "drained"},
    ]


async def test_a_finished_job_is_neither_active_nor_locked_nor_suspected(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await store.command("SADD", keys["stalled"], job.id)

    await trade(store, keys, complete(job))

    assert await list_of(store, keys, "active") == []
    assert not await is_locked(store, keys, job.id)
    assert await store.command("EXISTS", keys["stalled"]) == 0


async def test_a_failed_job_keeps_its_reason_and_traces(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, fail(job, 'no "quotes" added'), now_ms=LATER)

    fields = await hash_of(store, keys, job.id)
    assert fields["failedReason"] == 'no "quotes" added'
    assert json.loads(fields["stacktrace"]) == ["trace"]
    assert (fields["atm"], fields["finishedOn"]) == ("1", str(LATER))
    assert await scores_of(store, keys, "failed") == {"1": LATER}


async def test_the_last_attempt_says_that_retries_are_exhausted(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, fail(job, attempts=0))

    assert (await entries_of(store, keys))[3:] == [
        {"event": "failed", "jobId": "1", "failedReason": "boom", "prev": "active"},
        {"event": "retries-exhausted", "jobId": "1", "attemptsMade": "1"},
        {"event": "drained"},
    ]


async def test_a_failure_before_the_last_attempt_exhausts_nothing(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, fail(job, attempts=2))

    assert await events_of(store, keys, job.id) == ["added", "waiting", "active", "failed"]


async def test_a_deferred_failure_is_done_with_once_it_is_recorded(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await store.command("HSET", keys.job(job.id), "defa", "child x failed")

    await trade(store, keys, fail(job))

    assert "defa" not in await hash_of(store, keys, job.id)


async def test_a_retried_job_waits_at_the_end_of_the_line(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)

    await trade(store, keys, retry(job))

    assert await list_of(store, keys, "wait") == ["1", "2"]
    fields = await hash_of(store, keys, job.id)
    assert (fields["atm"], fields["failedReason"]) == ("1", "boom")
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": "1",
        "prev": "active",
    }
    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_retried_lifo_job_runs_next(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)

    await trade(store, keys, retry(job, lifo=True))

    assert await list_of(store, keys, "wait") == ["2", "1"]


async def test_a_retried_job_keeps_the_priority_it_has_now(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys, priority=5)
    await store.command("HSET", keys.job(job.id), "priority", 2)

    await trade(store, keys, retry(job))

    assert await scores_of(store, keys, "prioritized") == {"1": 2 * 2**32 + 2}


async def test_a_retried_job_may_be_taken_by_the_same_call(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    again = await trade(store, keys, retry(job), want=1, next_token=1)

    assert [one.token for one in again.jobs] == ["worker:1"]
    assert again.jobs[0].fields[b"atm"] == b"1"
    assert again.jobs[0].fields[b"ats"] == b"2"


async def test_a_job_that_backs_off_is_delayed(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, retry(job, 1000))

    fields = await hash_of(store, keys, job.id)
    assert (fields["delay"], fields["atm"]) == ("1000", "1")
    assert (fields["failedReason"], fields["stacktrace"]) == ("boom", '["trace"]')
    assert await scores_of(store, keys, "delayed") == {"1": (NOW + 1000) * 4096}
    assert await scores_of(store, keys, "marker") == {"1": NOW + 1000}
    assert (await entries_of(store, keys))[-1] == {
        "event": "delayed",
        "jobId": "1",
        "delay": str(NOW + 1000),
    }


async def test_a_retry_is_no_failure_to_those_who_listen(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, retry(job, 1000))

    assert "failed" not in await events_of(store, keys)


async def test_a_job_given_back_runs_next_and_counts_no_attempt(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)

    ended = await trade(store, keys, give_back(job))

    assert ended.codes == [0]
    assert await list_of(store, keys, "wait") == ["2", "1"]
    fields = await hash_of(store, keys, job.id)
    assert "atm" not in fields
    assert "failedReason" not in fields
    assert not await is_locked(store, keys, job.id)
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": "1",
        "prev": "active",
    }


async def test_a_job_given_back_stands_first_of_its_priority(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys, priority=5)
    await add(store, keys, new_job(priority=5), new_job(priority=4))

    await trade(store, keys, give_back(job))

    assert list(await scores_of(store, keys, "prioritized")) == ["3", "1", "2"]
    assert (await scores_of(store, keys, "prioritized"))["1"] == 5 * 2**32


async def test_a_job_given_back_wakes_another_worker(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, give_back(job))

    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_many_endings_of_all_kinds_go_in_one_call(store: Store, keys: QueueKeys) -> None:
    a, b, c, d, e = await active_jobs(store, keys, 5)

    ended = await trade(store, keys, complete(a), fail(b), retry(c), retry(d, 1000), give_back(e))

    assert ended.codes == [0, 0, 0, 0, 0]
    assert [await state_of(store, keys, job.id) for job in (a, b, c, d, e)] == [
        JobState.COMPLETED,
        JobState.FAILED,
        JobState.WAITING,
        JobState.DELAYED,
        JobState.WAITING,
    ]


async def test_the_queue_is_drained_once_with_the_last_job(store: Store, keys: QueueKeys) -> None:
    a, b, c = await active_jobs(store, keys, 3)

    await trade(store, keys, complete(a), want=1)
    await trade(store, keys, complete(b), complete(c), want=2)
    await trade(store, keys, want=3)

    assert (await events_of(store, keys)).count("drained") == 1
    assert (await events_of(store, keys))[-1] == "drained"


async def test_a_queue_with_a_delayed_job_is_not_drained(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await add(store, keys, new_job(delay=timedelta(minutes=1)))

    await trade(store, keys, complete(job), want=1)

    assert "drained" not in await events_of(store, keys)


async def test_a_paused_queue_is_not_drained(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await store.command("HSET", keys["meta"], "paused", 1)

    await trade(store, keys, complete(job), want=1)

    assert "drained" not in await events_of(store, keys)


async def test_a_refused_ending_drains_nothing(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await trade(store, keys, complete(job))
    seen = await events_of(store, keys)

    await trade(store, keys, complete(job), want=1)

    assert await events_of(store, keys) == seen


async def test_a_job_that_backs_off_drains_nothing(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    await trade(store, keys, retry(job, 1000), want=0)

    assert "drained" not in await events_of(store, keys)


async def test_the_stream_is_cut_to_the_wanted_length(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys["meta"], "opts.maxLenEvents", 50)

    for _ in range(4):
        jobs = await active_jobs(store, keys, 100)
        await trade(store, keys, *(complete(job) for job in jobs))

    assert await store.command("XLEN", keys["events"]) < 300


async def test_a_new_job_that_wrote_something_as_it_ran_ends_like_any(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)
    await update_progress(store, keys, job.id, b"50")

    await trade(store, keys, complete(job))

    fields = await hash_of(store, keys, job.id)
    assert job.is_new
    assert (fields["atm"], fields["progress"], fields["returnvalue"]) == ("1", "50", "1")
