"""``exchange`` as it parks jobs: until later, for their children, for a rate limit."""

import pytest

from framework.model.job import JobState
from framework.store.store import Store
from framework.store.transitions.ending import parked_for_children, parked_for_limit, parked_until
from framework.store.transitions.exchange import Fetched
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    active_jobs,
    add,
    entries_of,
    hash_of,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)

LATER = NOW + 500
MINUTE_MS = 60_000


async def has_children(store: Store, keys: QueueKeys, job: Fetched) -> None:
    await store.command("SADD", f"{keys.job(job.id)}:dependencies", keys.job("77"))


async def is_locked(store: Store, keys: QueueKeys, job: Fetched) -> bool:
    return bool(await store.command("EXISTS", keys.job(job.id) + ":lock"))


async def test_a_job_parked_until_later_is_delayed_and_counts_no_attempt(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    ended = await trade(store, keys, parked_until(job.id, job.token, LATER + 1000), now_ms=LATER)

    assert ended.codes == [0]
    assert await scores_of(store, keys, "delayed") == {"1": (LATER + 1000) * 4096}
    assert await scores_of(store, keys, "marker") == {"1": LATER + 1000}
    fields = await hash_of(store, keys, job.id)
    assert (fields["delay"], fields.get("atm"), fields["ats"]) == ("1000", None, "1")
    assert not await is_locked(store, keys, job)
    assert (await entries_of(store, keys))[-1] == {
        "event": "delayed",
        "jobId": "1",
        "delay": str(LATER + 1000),
    }


async def test_a_job_parked_until_a_time_that_is_past_is_due_now(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    ended = await trade(store, keys, parked_until(job.id, job.token, NOW - 5), want=1)

    assert [one.id for one in ended.jobs] == [job.id]
    assert (await hash_of(store, keys, job.id))["ats"] == "2"


async def test_a_job_with_pending_children_waits_for_them(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await has_children(store, keys, job)

    ended = await trade(store, keys, parked_for_children(job.id, job.token), now_ms=LATER)

    assert ended.codes == [0]
    assert await state_of(store, keys, job.id) is JobState.WAITING_CHILDREN
    assert await scores_of(store, keys, "waiting_children") == {"1": LATER}
    assert "atm" not in await hash_of(store, keys, job.id)
    assert not await is_locked(store, keys, job)
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting-children",
        "jobId": "1",
        "prev": "active",
    }


async def test_a_job_whose_last_child_has_ended_is_the_next(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)

    await trade(store, keys, parked_for_children(job.id, job.token))

    assert await list_of(store, keys, "wait") == ["2", "1"]
    assert await scores_of(store, keys, "marker") == {"0": 0}
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": "1",
        "prev": "active",
    }


async def test_a_job_may_stay_active_if_it_has_nothing_to_wait_for(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys)

    ended = await trade(store, keys, parked_for_children(job.id, job.token, stays=True))

    assert ended.codes == [1]
    assert await state_of(store, keys, job.id) is JobState.ACTIVE
    assert await is_locked(store, keys, job)


async def test_a_job_that_limits_its_queue_is_the_next_then(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)

    ended = await trade(store, keys, parked_for_limit(job.id, job.token, MINUTE_MS), want=2)

    assert ended.jobs == []
    assert 50_000 < ended.limited_ms <= MINUTE_MS
    assert await list_of(store, keys, "wait") == ["2", "1"]
    assert await store.command("GET", keys["limiter"]) == b"9007199254740991"
    assert 50_000 < await store.command("PTTL", keys["limiter"]) <= MINUTE_MS
    fields = await hash_of(store, keys, job.id)
    assert (fields.get("atm"), fields["ats"]) == (None, "1")
    assert (await entries_of(store, keys))[-1] == {
        "event": "waiting",
        "jobId": "1",
        "prev": "active",
    }


async def test_a_prioritized_job_that_limits_its_queue_is_the_first_of_its_priority(
    store: Store, keys: QueueKeys
) -> None:
    job = await active_job(store, keys, priority=3)
    await add(store, keys, new_job(priority=3))

    await trade(store, keys, parked_for_limit(job.id, job.token, MINUTE_MS))

    assert list(await scores_of(store, keys, "prioritized")) == ["1", "2"]


async def test_every_worker_of_ours_heeds_the_limit(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await trade(store, keys, parked_for_limit(job.id, job.token, MINUTE_MS))

    other = await trade(store, keys, want=1, by="another:")

    assert other.jobs == []
    assert other.limited_ms > 50_000


@pytest.mark.parametrize("ended_by", ["time", "hand"])
async def test_a_limit_that_has_ended_holds_nobody(
    store: Store, keys: QueueKeys, ended_by: str
) -> None:
    job = await active_job(store, keys)
    await trade(store, keys, parked_for_limit(job.id, job.token, MINUTE_MS))
    await store.command("DEL", keys["limiter"])
    now = NOW + MINUTE_MS if ended_by == "time" else NOW

    other = await trade(store, keys, want=1, by="another:", now_ms=now)

    assert [one.id for one in other.jobs] == [job.id]
    assert await store.command("EXISTS", keys["limiter"]) == 0


async def test_parked_jobs_hold_up_nobody(store: Store, keys: QueueKeys) -> None:
    first, second, third = await active_jobs(store, keys, 3)
    await has_children(store, keys, second)

    ended = await trade(
        store,
        keys,
        parked_until(first.id, first.token, LATER),
        parked_for_children(second.id, second.token),
        parked_for_limit(third.id, third.token, 1),
    )

    assert ended.codes == [0, 0, 0]
    assert not ended.is_drained
    assert await list_of(store, keys, "active") == []


async def test_a_job_is_taken_with_exactly_the_token_of_who_asks(
    store: Store, keys: QueueKeys
) -> None:
    await waiting_job(store, keys)

    taken = await trade(store, keys, want=1, by="mine", next_token=None)

    assert [(one.id, one.token) for one in taken.jobs] == [("1", "mine")]
    assert await store.command("GET", keys.job("1") + ":lock") == b"mine"
