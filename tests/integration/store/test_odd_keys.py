"""Keys that no peer should have written: they harm nothing but themselves."""

from contextlib import suppress

import pytest

from framework.errors import FrameworkError, KeyTypeError
from framework.model.job import JobState
from framework.model.options import ParentJob
from framework.store.store import Store
from framework.store.transitions.exchange import Taker, exchange
from framework.store.transitions.flows import audit_flows
from framework.store.transitions.stalled import recover_stalled
from framework.store.transitions.standing import retry_job, retry_jobs
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    active_jobs,
    add_tied,
    complete,
    fail,
    failed_job,
    list_of,
    scores_of,
    tied,
    trade,
    waiting_job,
)


async def test_a_delayed_id_whose_key_is_no_hash_takes_no_others_along(
    store: Store, keys: QueueKeys
) -> None:
    await store.command("SET", keys.job("odd"), "text")
    await store.command("HSET", keys.job("good"), "name", "n")
    await store.command("ZADD", keys["delayed"], 1, "odd", 2, "good")

    fetched = await trade(store, keys, want=5)

    assert [job.id for job in fetched.jobs] == ["good"]
    assert await scores_of(store, keys, "delayed") == {}


@pytest.mark.parametrize("field", ["stc", None])
async def test_an_odd_stalled_job_keeps_no_other_from_recovery(
    store: Store, keys: QueueKeys, field: str | None
) -> None:
    first, second = await active_jobs(store, keys, 2)
    for job in (first, second):
        await store.command("DEL", keys.job(job.id) + ":lock")
        await store.command("SADD", keys["stalled"], job.id)
    if field is None:
        await store.command("SET", keys.job(first.id), "text")
    else:
        await store.command("HSET", keys.job(first.id), field, "many")

    recovered = await recover_stalled(store, keys, now_ms=NOW, interval_ms=1)

    assert set(recovered) == {first.id, second.id}
    assert set(await list_of(store, keys, "wait")) == {first.id, second.id}


@pytest.mark.parametrize(
    "fields", [["count", "many"], ["count", 1, "prevTS", "then"], ["count", 1, "prevTS", 1]]
)
async def test_odd_metrics_lose_no_job_that_ends(
    store: Store, keys: QueueKeys, fields: list[str | int]
) -> None:
    job = await active_job(store, keys)
    await store.command("HSET", f"{keys.base}metrics:completed", *fields)

    taker = Taker("worker:", 30_000, metrics=10)
    await exchange(
        store.lane(), keys, [complete(job)], taker, want=0, next_token=0, now_ms=NOW, seconds=1
    )

    assert list(await scores_of(store, keys, "completed")) == [job.id]


@pytest.mark.parametrize("field", ["opts.maxLenEvents", "concurrency", "max", "duration"])
@pytest.mark.parametrize("value", ["Infinity", "lots", "", "1.5"])
async def test_odd_settings_of_a_queue_stop_no_worker(
    store: Store, keys: QueueKeys, field: str, value: str
) -> None:
    if field == "duration":
        await store.command("HSET", keys["meta"], "max", 9)
    await store.command("HSET", keys["meta"], field, value)
    first = await active_job(store, keys)
    await waiting_job(store, keys)

    ended = await trade(store, keys, complete(first), want=1)

    assert ended.codes == [0]
    assert len(ended.jobs) == 1


async def test_an_odd_parent_keeps_no_other_from_being_looked_after(
    store: Store, keys: QueueKeys
) -> None:
    for parent in ("odd", "stuck"):
        await add_tied(
            store,
            keys,
            [
                tied(keys, job_id=parent, waits=True, in_flow=True),
                tied(keys, job_id=f"{parent}-c", parent=ParentJob(parent, "demo"), in_flow=True),
            ],
        )
    await store.command("DEL", keys.job("odd") + ":dependencies", keys.job("stuck-c"))
    await store.command("SET", keys.job("odd") + ":dependencies", "text")

    page = await audit_flows(store, keys, longest_ms=-1, skip=0, turn_ms=None)

    assert (page.looked_at, page.repaired) == (2, ["stuck"])


@pytest.mark.parametrize("together", [True, False])
async def test_odd_keys_of_a_parent_lose_no_child_that_is_retried(
    store: Store, keys: QueueKeys, together: bool
) -> None:
    parent, child = await waiting_job(store, keys), await failed_job(store, keys)
    await store.command("HSET", keys.job(child), "parentKey", keys.job(parent))
    await store.command("SET", keys.job(parent) + ":unsuccessful", "text")

    if together:
        await retry_jobs(store, keys, JobState.FAILED, NOW)
    else:
        await retry_job(store, keys, child)

    assert child in await list_of(store, keys, "wait")


PLACES = {"wait": "LRANGE", "prioritized": "ZRANGE", "delayed": "ZRANGE", "active": "LRANGE"}


@pytest.mark.parametrize("word", ["events", "active", "marker", "prioritized", "wait", "pc"])
@pytest.mark.parametrize("place", ["wait", "prioritized", "delayed"])
async def test_odd_keys_of_a_queue_lose_no_job_that_waits(
    store: Store, keys: QueueKeys, word: str, place: str
) -> None:
    names = ["one", "two", "three"]
    for score, name in enumerate(names):
        priority = 0 if name == "one" else 3
        await store.command("HSET", keys.job(name), "name", "n", "priority", priority)
        if place == "wait":
            await store.command("LPUSH", keys["wait"], name)
        else:
            await store.command("ZADD", keys[place], score, name)
    await store.command("DEL", keys["marker"])
    if word != place:
        await store.command("SET", keys[word], "odd")

    with suppress(FrameworkError):
        await trade(store, keys, want=5)

    found = [job_id for one in PLACES for job_id in await ids_in(store, keys, one)]
    assert sorted(found) == sorted(names)
    locked = await store.command("EXISTS", *(keys.job(name) + ":lock" for name in names))
    assert locked == len(await ids_in(store, keys, "active"))
    if word != place:
        await store.command("DEL", keys[word])
    await trade(store, keys, want=5)
    assert sorted(await ids_in(store, keys, "active")) == sorted(names)


async def ids_in(store: Store, keys: QueueKeys, place: str) -> list[str]:
    """The ids in a list or sorted set; none where the key is neither."""
    try:
        return [raw.decode() for raw in await store.command(PLACES[place], keys[place], 0, -1)]
    except KeyTypeError:
        return []


async def test_an_odd_set_of_ended_jobs_undoes_no_other_end(store: Store, keys: QueueKeys) -> None:
    first, second = await active_jobs(store, keys, 2)
    await store.command("SET", keys["completed"], "odd")

    ended = await trade(store, keys, complete(first), fail(second))

    assert ended.codes == [0, 0]
    assert list(await scores_of(store, keys, "failed")) == [second.id]
