"""One look at a queue: what waits, for how long, and what keeps workers from it."""

from datetime import timedelta

import pytest

from framework.store.limits import limit_rate, set_meta
from framework.store.line_look import LineLook, look_at_line
from framework.store.store import Store
from framework.store.transitions.admin import pause_queue
from framework.wire.keys import QueueKeys
from tests.support.builders import NOW, active_job, add, complete, new_job, trade, waiting_job

MINUTE = timedelta(minutes=1)
NOTHING = LineLook(waiting=0, is_takeable=False, head="", waits_ms=0, hindrance=None)


async def look(store: Store, keys: QueueKeys, at_ms: int = NOW) -> LineLook:
    return await look_at_line(store, keys, at_ms)


async def test_a_queue_that_never_was_has_nothing_to_take(store: Store, keys: QueueKeys) -> None:
    assert await look(store, keys) == NOTHING


async def test_the_next_job_is_named_and_the_oldest_counts(store: Store, keys: QueueKeys) -> None:
    (first,) = await add(store, keys, new_job())
    await add(store, keys, new_job(), now_ms=NOW + 500)

    found = await look(store, keys, NOW + 2000)

    assert found == LineLook(2, True, first.id, 2000, None)


@pytest.mark.parametrize("options", [{"priority": 3}, {"lifo": True}])
async def test_every_way_to_wait_is_seen(
    store: Store, keys: QueueKeys, options: dict[str, object]
) -> None:
    job_id = await waiting_job(store, keys, **options)

    found = await look(store, keys, NOW + 1000)

    assert (found.waiting, found.is_takeable, found.head) == (1, True, job_id)
    assert found.waits_ms == 1000


async def test_a_delayed_job_waits_from_when_it_is_due(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=MINUTE))

    early, due = await look(store, keys, NOW + 59_000), await look(store, keys, NOW + 61_000)
    await trade(store, keys, now_ms=NOW + 61_000)

    assert (early.waiting, due.waiting, due.is_takeable) == (0, 1, True)


async def test_a_day_of_delay_is_no_day_of_waiting(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(), new_job(delay=MINUTE))
    await trade(store, keys, want=1, now_ms=NOW + 60_500)

    found = await look(store, keys, NOW + 62_000)

    assert (found.waiting, found.waits_ms) == (1, 2000)


async def test_a_paused_queue_gives_nothing_and_says_why(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await pause_queue(store, keys)

    found = await look(store, keys)

    assert (found.waiting, found.is_takeable, found.hindrance) == (1, False, "paused")


async def test_a_full_global_concurrency_is_named(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await waiting_job(store, keys)
    await set_meta(store, keys, concurrency=1)

    full = await look(store, keys)
    await trade(store, keys, complete(job))

    assert (full.is_takeable, full.hindrance) == (False, "global concurrency")
    assert (await look(store, keys)).is_takeable


async def test_a_limit_by_hand_is_named(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await limit_rate(store, keys, 60_000)

    found = await look(store, keys, store.clock.now_ms())

    assert (found.is_takeable, found.hindrance) == (False, "rate limit")


@pytest.mark.parametrize("in_meta", [True, False])
async def test_a_limit_of_the_queue_or_the_worker_is_named(
    store: Store, keys: QueueKeys, *, in_meta: bool
) -> None:
    await add(store, keys, new_job(), new_job())
    if in_meta:
        await set_meta(store, keys, max=1, duration=60_000)
    await trade(store, keys, want=2, limit=None if in_meta else (1, 60_000))

    found = await look_at_line(store, keys, NOW, None if in_meta else 1)
    other = await look_at_line(store, keys, NOW)

    assert (found.waiting, found.is_takeable, found.hindrance) == (1, False, "rate limit")
    assert other.is_takeable is not in_meta


async def test_what_no_job_is_counts_for_nothing(store: Store, keys: QueueKeys) -> None:
    await store.command("RPUSH", keys["wait"], "0:marker of BullMQ 4")

    assert await look(store, keys) == NOTHING
