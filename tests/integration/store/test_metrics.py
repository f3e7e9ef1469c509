"""How many jobs ended in each minute, for workers that count."""

import pytest

from framework.store.reads import read_metrics
from framework.store.store import Store
from framework.store.transitions.asking import cancel_job
from framework.store.transitions.ending import KEEP_ALL
from framework.store.transitions.exchange import Taker, exchange
from framework.wire.keys import QueueKeys
from tests.support.builders import LOCK_MS, NOW, active_jobs, complete, fail, waiting_job

MINUTE = 60_000


async def end(
    store: Store,
    keys: QueueKeys,
    at: int,
    completed: int = 0,
    failed: int = 0,
    most: int = 5,
) -> None:
    """End jobs at a time, in one call of a worker that keeps `most` minutes."""
    jobs = await active_jobs(store, keys, completed + failed)
    endings = [complete(job) for job in jobs[:completed]] + [fail(job) for job in jobs[completed:]]
    taker = Taker("worker:", LOCK_MS, metrics=most)
    await exchange(store.lane(), keys, endings, taker, want=0, next_token=0, now_ms=at, seconds=5)


async def test_the_first_minute_is_counted_once_it_is_over(store: Store, keys: QueueKeys) -> None:
    await end(store, keys, NOW, completed=3)
    first = await read_metrics(store, keys, "completed", 0, -1)
    await end(store, keys, NOW + MINUTE, completed=2)
    second = await read_metrics(store, keys, "completed", 0, -1)

    assert first == ([3, NOW, 0], [], 0)
    assert second == ([5, NOW + MINUTE, 3], [3], 1)


async def test_minutes_without_a_job_are_zero(store: Store, keys: QueueKeys) -> None:
    await end(store, keys, NOW, completed=2)
    await end(store, keys, NOW, completed=5)
    await end(store, keys, NOW + 3 * MINUTE, completed=1)

    assert await read_metrics(store, keys, "completed", 0, -1) == (
        [8, NOW + 3 * MINUTE, 7],
        [0, 0, 7],
        3,
    )


async def test_so_many_minutes_are_kept_as_the_worker_asks(store: Store, keys: QueueKeys) -> None:
    for minute in range(8):
        await end(store, keys, NOW + minute * MINUTE, completed=minute + 1)
    await end(store, keys, NOW + 100 * MINUTE, completed=1)

    counts, points, length = await read_metrics(store, keys, "completed", 0, -1)

    assert (counts[0], points, length) == (37, [0, 0, 0, 0, 8], 5)


async def test_what_failed_is_counted_apart(store: Store, keys: QueueKeys) -> None:
    await end(store, keys, NOW, completed=2, failed=1)
    await end(store, keys, NOW + MINUTE, failed=4)

    assert (await read_metrics(store, keys, "failed", 0, -1))[:2] == ([5, NOW + MINUTE, 1], [1])
    assert (await read_metrics(store, keys, "completed", 0, -1))[:2] == ([2, NOW, 0], [])


@pytest.mark.parametrize("most", [0, 5])
async def test_a_worker_counts_only_if_asked(store: Store, keys: QueueKeys, most: int) -> None:
    await end(store, keys, NOW, completed=1, failed=1, most=most)

    found = await store.command("KEYS", f"{keys.base}metrics:*")

    assert len(found) == (2 if most else 0)


async def test_a_page_of_minutes(store: Store, keys: QueueKeys) -> None:
    for minute in range(5):
        await end(store, keys, NOW + minute * MINUTE, completed=minute + 1)

    assert (await read_metrics(store, keys, "completed", 1, 2))[1:] == ([3, 2], 4)


async def cancel_where_it_waits(store: Store, keys: QueueKeys) -> None:
    job_id = await waiting_job(store, keys)
    await cancel_job(store, keys, job_id, "cancelled", KEEP_ALL)


@pytest.mark.parametrize("kind", ["completed", "failed"])
async def test_what_is_cancelled_where_it_waits_has_failed_too(
    store: Store, keys: QueueKeys, kind: str
) -> None:
    await end(store, keys, NOW, **{kind: 1})

    await cancel_where_it_waits(store, keys)

    counts, _, _ = await read_metrics(store, keys, "failed", 0, -1)
    assert counts[0] == (1 if kind == "completed" else 2)


class StillClock:
    """Does not go from one minute to the next meanwhile."""

    def now_ms(self) -> int:
        return NOW


async def test_its_minute_is_shown_once_a_later_one_counts(
    store: Store, keys: QueueKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "clock", StillClock())
    await end(store, keys, NOW - 3 * MINUTE, completed=1, failed=2)
    await cancel_where_it_waits(store, keys)

    await end(store, keys, NOW + 1 * MINUTE, failed=1)

    counts, points, _ = await read_metrics(store, keys, "failed", 0, -1)
    assert (counts[0], points) == (4, [1, 0, 0, 2])


async def test_nothing_is_counted_where_no_worker_counts(store: Store, keys: QueueKeys) -> None:
    await cancel_where_it_waits(store, keys)

    assert await store.command("KEYS", f"{keys.base}metrics:*") == []


async def test_odd_metrics_keep_nobody_from_cancelling(store: Store, keys: QueueKeys) -> None:
    await store.command("SET", f"{keys.base}metrics:failed", "odd")
    job_id = await waiting_job(store, keys)

    await cancel_job(store, keys, job_id, "cancelled", KEEP_ALL)

    assert await store.command("ZCARD", keys["failed"]) == 1
