"""Rate limits: of the queue (``meta``) and of a worker; both count in one key."""

from framework.store.store import Store
from framework.store.transitions.exchange import Fetched
from framework.wire.keys import QueueKeys
from tests.support.builders import active_job, add, complete, new_job, scores_of, trade

MINUTE_MS = 60_000


async def fill(store: Store, keys: QueueKeys, count: int = 9) -> None:
    await add(store, keys, *(new_job() for _ in range(count)))


def ids(jobs: list[Fetched]) -> list[str]:
    return [job.id for job in jobs]


async def test_a_workers_limit_caps_what_it_takes(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)

    taken = await trade(store, keys, want=9, limit=(3, MINUTE_MS))

    assert ids(taken.jobs) == ["1", "2", "3"]
    assert await store.command("GET", keys["limiter"]) == b"3"
    assert 50_000 < await store.command("PTTL", keys["limiter"]) <= MINUTE_MS


async def test_a_limited_worker_learns_for_how_long(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await trade(store, keys, want=3, limit=(3, MINUTE_MS))

    taken = await trade(store, keys, want=9, limit=(3, MINUTE_MS))

    assert taken.jobs == []
    assert 50_000 < taken.limited_ms <= MINUTE_MS
    assert not taken.is_blocked


async def test_the_window_begins_with_its_first_job(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await trade(store, keys, want=1, limit=(3, MINUTE_MS))
    await store.command("PEXPIRE", keys["limiter"], 30_000)

    await trade(store, keys, want=1, limit=(3, MINUTE_MS))

    assert await store.command("PTTL", keys["limiter"]) <= 30_000
    assert await store.command("GET", keys["limiter"]) == b"2"


async def test_the_queues_limit_goes_before_the_workers(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await store.command("HSET", keys["meta"], "max", 2, "duration", 5000)

    taken = await trade(store, keys, want=9, limit=(3, MINUTE_MS))

    assert ids(taken.jobs) == ["1", "2"]


async def test_the_workers_window_goes_before_the_queues(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await store.command("HSET", keys["meta"], "max", 2, "duration", 5000)

    await trade(store, keys, want=9, limit=(3, MINUTE_MS))

    assert await store.command("PTTL", keys["limiter"]) > 50_000


async def test_the_queues_window_holds_for_a_worker_without_a_limit(
    store: Store, keys: QueueKeys
) -> None:
    await fill(store, keys)
    await store.command("HSET", keys["meta"], "max", 2, "duration", 5000)

    await trade(store, keys, want=9)

    assert 4000 < await store.command("PTTL", keys["limiter"]) <= 5000


async def test_a_worker_without_any_limit_ignores_the_key(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await store.command("SET", keys["limiter"], 9007199254740991, "PX", MINUTE_MS)

    taken = await trade(store, keys, want=2)

    assert ids(taken.jobs) == ["1", "2"]


async def test_a_manual_limit_stops_a_limited_worker(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await store.command("SET", keys["limiter"], 9007199254740991, "PX", MINUTE_MS)

    taken = await trade(store, keys, want=2, limit=(3, 1000))

    assert taken.jobs == []
    assert taken.limited_ms > 50_000


async def test_a_deferred_failure_uses_up_no_place(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys, 3)
    await store.command("HSET", keys.job("1"), "defa", "child x failed")

    await trade(store, keys, want=2, limit=(2, MINUTE_MS))

    assert await store.command("GET", keys["limiter"]) == b"1"


async def test_a_limited_queue_wakes_nobody(store: Store, keys: QueueKeys) -> None:
    await fill(store, keys)
    await trade(store, keys, want=3, limit=(3, MINUTE_MS))
    await store.command("DEL", keys["marker"])

    await trade(store, keys, want=9, limit=(3, MINUTE_MS))

    assert await scores_of(store, keys, "marker") == {}


async def test_a_limited_worker_still_delivers_its_endings(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)
    await fill(store, keys)
    await store.command("SET", keys["limiter"], 99, "PX", MINUTE_MS)

    ended = await trade(store, keys, complete(job), want=1, limit=(3, MINUTE_MS))

    assert (ended.codes, ended.jobs) == ([0], [])
