"""The key that holds a deduplication id, as BullMQ's producers set it, when its job ends."""

from collections.abc import Callable

import pytest

from framework.store.store import Store
from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import Fetched
from framework.store.transitions.removal import remove_job
from framework.wire.keys import QueueKeys
from tests.support.builders import active_job, complete, fail, trade, waiting_job

ENDS = [complete, fail]


async def deduplicated(store: Store, keys: QueueKeys) -> Fetched:
    job = await active_job(store, keys)
    await store.command("HSET", keys.job(job.id), "deid", "a:b")
    return job


@pytest.mark.parametrize("end", ENDS)
async def test_a_job_that_ends_frees_its_id(
    store: Store, keys: QueueKeys, end: Callable[[Fetched], Ending]
) -> None:
    job = await deduplicated(store, keys)
    await store.command("SET", keys.base + "de:a:b", job.id)

    await trade(store, keys, end(job))

    assert await store.command("EXISTS", keys.base + "de:a:b") == 0


@pytest.mark.parametrize("end", ENDS)
async def test_the_id_of_another_job_stays_taken(
    store: Store, keys: QueueKeys, end: Callable[[Fetched], Ending]
) -> None:
    job = await deduplicated(store, keys)
    await store.command("SET", keys.base + "de:a:b", "99")

    await trade(store, keys, end(job))

    assert await store.command("GET", keys.base + "de:a:b") == b"99"


@pytest.mark.parametrize("end", ENDS)
async def test_a_window_runs_on_after_its_job(
    store: Store, keys: QueueKeys, end: Callable[[Fetched], Ending]
) -> None:
    job = await deduplicated(store, keys)
    await store.command("SET", keys.base + "de:a:b", job.id, "PX", 60_000)

    await trade(store, keys, end(job))

    assert await store.command("PTTL", keys.base + "de:a:b") > 50_000


async def test_a_removed_job_frees_its_id_and_what_waits_behind_it(
    store: Store, keys: QueueKeys
) -> None:
    job_id = await waiting_job(store, keys)
    await store.command("HSET", keys.job(job_id), "deid", "k")
    await store.command("SET", keys.base + "de:k", job_id, "PX", 60_000)
    await store.command("HSET", keys.base + "dn:k", "name", "next", "data", "{}")

    await remove_job(store, keys, job_id)

    assert await store.command("EXISTS", keys.base + "de:k", keys.base + "dn:k") == 0
