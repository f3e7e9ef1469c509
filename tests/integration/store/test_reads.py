"""Looking at queues: counts, pages, states and results, in BullMQ's order."""

import pytest

from framework.model.job import JobId, JobState
from framework.store import reads
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    active_job,
    active_jobs,
    add,
    complete,
    completed_job,
    fail,
    failed_job,
    new_job,
    state_of,
    trade,
    waiting_job,
)


async def page(
    store: Store, keys: QueueKeys, state: JobState, start: int, stop: int, *, newest: bool
) -> list[str]:
    return list(await reads.job_ids(store, keys, state, start, stop, newest_first=newest))


async def test_each_state_is_counted(store: Store, keys: QueueKeys) -> None:
    a, b, _ = await active_jobs(store, keys, 3)
    await trade(store, keys, complete(a), fail(b))
    await add(store, keys, new_job(), new_job(), new_job(priority=1))

    counts = await reads.job_counts(store, keys)

    assert counts == {
        JobState.WAITING: 2,
        JobState.ACTIVE: 1,
        JobState.PRIORITIZED: 1,
        JobState.DELAYED: 0,
        JobState.WAITING_CHILDREN: 0,
        JobState.COMPLETED: 1,
        JobState.FAILED: 1,
    }


async def test_a_queue_that_never_was_is_empty(store: Store, keys: QueueKeys) -> None:
    assert set((await reads.job_counts(store, keys)).values()) == {0}


@pytest.mark.parametrize(
    ("start", "stop", "newest", "ids"),
    [
        (0, -1, False, ["1", "2", "3"]),
        (0, -1, True, ["3", "2", "1"]),
        (0, 1, False, ["1", "2"]),
        (0, 1, True, ["3", "2"]),
        (1, 1, False, ["2"]),
        (2, 9, False, ["3"]),
        (3, 9, False, []),
    ],
)
async def test_a_page_of_waiting_jobs(
    store: Store, keys: QueueKeys, start: int, stop: int, newest: bool, ids: list[str]
) -> None:
    await add(store, keys, new_job(), new_job(), new_job())

    assert await page(store, keys, JobState.WAITING, start, stop, newest=newest) == ids


async def test_a_page_of_finished_jobs(store: Store, keys: QueueKeys) -> None:
    for _ in range(3):
        await completed_job(store, keys)

    assert await page(store, keys, JobState.COMPLETED, 0, 1, newest=True) == ["3", "2"]
    assert await page(store, keys, JobState.COMPLETED, 0, 1, newest=False) == ["1", "2"]


async def test_jobs_that_vanish_meanwhile_are_left_out(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(), new_job())
    await store.command("DEL", keys.job("1"))

    found = await reads.read_jobs(store, keys, [JobId("1"), JobId("2")])

    assert list(found) == ["2"]


async def test_a_job_that_never_was_is_unknown(store: Store, keys: QueueKeys) -> None:
    assert await state_of(store, keys, "77") is JobState.UNKNOWN
    assert await reads.read_job(store, keys, JobId("77")) == {}


async def test_the_results_of_many_jobs_come_in_one_call(store: Store, keys: QueueKeys) -> None:
    done = await completed_job(store, keys, b'{"ok":1}')
    bad = await failed_job(store, keys, "boom")
    active = (await active_job(store, keys)).id
    waits = await waiting_job(store, keys)

    found = await reads.read_results(store, keys, [done, bad, active, waits, JobId("gone")])

    assert found == [
        (1, b'{"ok":1}', b""),
        (2, b"boom", b'["trace"]'),
        (0, b"", b""),
        (0, b"", b""),
        (-1, b"", b""),
    ]
