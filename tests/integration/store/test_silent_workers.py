"""Workers that say nothing any more: keeping their locks, or giving back what they held."""

import pytest

from framework.model.job import JobId, Token
from framework.store.store import Store
from framework.store.transitions.exchange import Taker, exchange
from framework.store.transitions.running import save_data
from framework.store.transitions.silent_workers import extend_locks_of, give_back_dead
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    LOCK_MS,
    NOW,
    add,
    entries_of,
    hash_of,
    list_of,
    new_job,
    scores_of,
)

DEAD, ALIVE = "dead0", "alive"


async def take(store: Store, keys: QueueKeys, worker: str, want: int) -> list[str]:
    """Take jobs as a worker does."""
    taker = Taker(f"{worker}:", LOCK_MS)
    reply = await exchange(
        store.lane(), keys, [], taker, want=want, next_token=0, now_ms=NOW, seconds=5
    )
    return [job.id for job in reply.jobs]


async def test_a_dead_workers_jobs_stand_in_front_as_they_were(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *[new_job()] * 5, new_job(priority=3))
    await take(store, keys, DEAD, 2)
    await take(store, keys, ALIVE, 1)
    await take(store, keys, DEAD, 1)

    back = await give_back_dead(store, keys, DEAD)

    assert sorted(back) == ["1", "2", "4"]
    assert await list_of(store, keys, "wait") == ["5", "4", "2", "1"]
    assert await list_of(store, keys, "active") == ["3"]
    assert await store.command("EXISTS", keys.job("1") + ":lock") == 0
    assert await store.command("GET", keys.job("3") + ":lock") == b"alive:0"
    assert await scores_of(store, keys, "marker") == {"0": 0}
    told = [one for one in await entries_of(store, keys) if one["event"] == "waiting"][-3:]
    assert all(one["prev"] == "active" for one in told)


async def test_it_counts_a_crash_and_no_attempt_until_the_job_gets_further(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job())
    for crashes in ("1", "2"):
        await take(store, keys, DEAD, 1)
        await store.command("DEL", keys.fenced(DEAD))
        await give_back_dead(store, keys, DEAD)
        fields = await hash_of(store, keys, "1")
        assert (fields["fw.crashes"], fields.get("atm"), fields.get("stc")) == (crashes, None, None)
        await store.command("DEL", keys.fenced(DEAD))

    (job_id,) = await take(store, keys, ALIVE, 1)
    await save_data(store, keys, JobId("1"), Token("alive:0"), b"{}")

    assert job_id == "1"
    assert "fw.crashes" not in await hash_of(store, keys, "1")


async def test_a_call_of_a_dead_worker_takes_and_ends_nothing(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job(), new_job())
    await give_back_dead(store, keys, DEAD)
    assert await store.command("PTTL", keys.fenced(DEAD)) > 3_000_000

    with pytest.raises(ValueError, match="unpack"):  # there is no answer for the dead
        await take(store, keys, DEAD, 2)

    assert await list_of(store, keys, "wait") == ["2", "1"]
    assert await take(store, keys, ALIVE, 2) == ["1", "2"]


async def test_a_prioritized_job_is_the_first_of_its_priority_again(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *[new_job(priority=3)] * 3)
    await take(store, keys, DEAD, 2)

    await give_back_dead(store, keys, DEAD)

    assert sorted(await take(store, keys, ALIVE, 2)) == ["1", "2"]


async def test_more_than_one_call_moves_come_back_all_the_same(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *[new_job()] * 7)
    await take(store, keys, DEAD, 7)

    back = await give_back_dead(store, keys, DEAD, most=3)

    assert len(back) == 7
    assert await list_of(store, keys, "wait") == ["7", "6", "5", "4", "3", "2", "1"]


async def test_a_paused_queue_keeps_them_and_wakes_nobody(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job())
    await take(store, keys, DEAD, 1)
    await store.command("HSET", keys["meta"], "paused", 1)
    await store.command("DEL", keys["marker"])

    await give_back_dead(store, keys, DEAD)

    assert await list_of(store, keys, "wait") == ["1"]
    assert await scores_of(store, keys, "marker") == {}


async def test_an_id_without_a_hash_leaves(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job())
    await take(store, keys, DEAD, 1)
    await store.command("DEL", keys.job("1"))

    assert await give_back_dead(store, keys, DEAD) == []
    assert await list_of(store, keys, "active") == []
    assert await list_of(store, keys, "wait") == []


async def test_the_locks_of_one_worker_are_renewed_and_of_no_other(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, *[new_job()] * 3)
    await take(store, keys, DEAD, 2)
    await take(store, keys, ALIVE, 1)
    for job_id in "123":
        await store.command("PEXPIRE", keys.job(job_id) + ":lock", 5_000)
    await store.command("SADD", keys["stalled"], "1", "2", "3")

    assert (await extend_locks_of(store, keys, DEAD, LOCK_MS)).keys() == {"1", "2"}

    left = [await store.command("PTTL", keys.job(job_id) + ":lock") for job_id in "123"]
    assert [ms > 5_000 for ms in left] == [True, True, False]
    assert await store.command("SMEMBERS", keys["stalled"]) == {b"3"}
