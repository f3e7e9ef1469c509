"""``exchange`` as it takes jobs: whose turn it is, and what an active job looks like."""

from framework.model.job import JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    add,
    complete,
    entries_of,
    events_of,
    hash_of,
    list_of,
    new_job,
    scores_of,
    state_of,
    trade,
    waiting_job,
)

MIB = 1024 * 1024


async def test_a_taken_job_is_active_and_locked(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    taken = await trade(store, keys, want=1, by="worker:", next_token=7, lock_ms=5000)

    assert [(job.id, job.token) for job in taken.jobs] == [("1", "worker:7")]
    assert await state_of(store, keys, "1") is JobState.ACTIVE
    assert await list_of(store, keys, "wait") == []
    assert await store.command("GET", keys.job("1") + ":lock") == b"worker:7"
    assert 4000 < await store.command("PTTL", keys.job("1") + ":lock") <= 5000


async def test_a_taken_job_says_when_and_by_whom(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    await trade(store, keys, want=1, now_ms=NOW + 5, name="host:1")

    fields = await hash_of(store, keys, "1")
    assert fields["processedOn"] == str(NOW + 5)
    assert fields["ats"] == "1"
    assert fields["pb"] == "host:1"


async def test_a_worker_without_a_name_writes_none(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    await trade(store, keys, want=1)

    assert "pb" not in await hash_of(store, keys, "1")


async def test_the_job_comes_as_it_stands_once_it_is_active(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    taken = await trade(store, keys, want=1, name="host:1")

    fetched = {name.decode(): value.decode() for name, value in taken.jobs[0].fields.items()}
    assert fetched == await hash_of(store, keys, "1")


async def test_the_event_says_waiting_was_before(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys, priority=3)

    await trade(store, keys, want=1)

    assert (await entries_of(store, keys))[-1] == {
        "event": "active",
        "jobId": "1",
        "prev": "waiting",
    }


async def test_each_job_of_a_batch_has_its_own_token(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, *(new_job() for _ in range(3)))

    taken = await trade(store, keys, want=3, next_token=10)

    assert [job.token for job in taken.jobs] == ["worker:10", "worker:11", "worker:12"]
    assert await list_of(store, keys, "active") == ["3", "2", "1"]


async def test_no_more_is_taken_than_is_wanted(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, *(new_job() for _ in range(3)))

    taken = await trade(store, keys, want=2)

    assert [job.id for job in taken.jobs] == ["1", "2"]
    assert await list_of(store, keys, "wait") == ["3"]


async def test_jobs_without_priority_go_before_all_others(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(priority=1), new_job(), new_job(priority=1), new_job())

    taken = await trade(store, keys, want=4)

    assert [job.id for job in taken.jobs] == ["2", "4", "1", "3"]


async def test_the_lowest_priority_number_goes_first(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, *(new_job(priority=p) for p in (9, 2_097_151, 1, 9, 1)))

    taken = await trade(store, keys, want=5)

    assert [job.id for job in taken.jobs] == ["3", "5", "1", "4", "2"]


async def test_the_counter_of_priorities_begins_again_on_an_empty_line(
    store: Store, keys: QueueKeys
) -> None:
    await waiting_job(store, keys, priority=1)
    await trade(store, keys, want=1)

    await trade(store, keys, want=1)

    assert await store.command("EXISTS", keys["pc"]) == 0


async def test_jobs_that_are_left_wake_the_next_worker(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(), new_job())
    await store.command("DEL", keys["marker"])

    await trade(store, keys, want=1)

    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_wake_up_for_an_empty_line_is_taken_back(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)

    await trade(store, keys, want=1)

    assert await scores_of(store, keys, "marker") == {}


async def test_an_empty_queue_gives_nothing(store: Store, keys: QueueKeys) -> None:
    taken = await trade(store, keys, want=5)

    assert (taken.jobs, taken.codes, taken.next_due_ms, taken.limited_ms) == ([], [], 0, 0)
    assert not taken.is_blocked
    assert await events_of(store, keys) == []


async def test_an_id_without_a_hash_is_dropped(store: Store, keys: QueueKeys) -> None:
    await store.command("LPUSH", keys["wait"], "ghost")
    await waiting_job(store, keys)

    taken = await trade(store, keys, want=2)

    assert [job.id for job in taken.jobs] == ["1"]
    assert await list_of(store, keys, "active") == ["1"]
    assert await store.command("EXISTS", keys.job("ghost")) == 0


async def test_a_marker_of_bullmq_4_is_no_job(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await store.command("RPUSH", keys["wait"], "0:1795293005740")

    taken = await trade(store, keys, want=2)

    assert [job.id for job in taken.jobs] == ["1"]
    assert await list_of(store, keys, "wait") == []
    assert await list_of(store, keys, "active") == ["1"]


async def test_a_call_stops_at_its_limit_of_bytes(store: Store, keys: QueueKeys) -> None:
    big = b'"' + b"x" * (3 * MIB // 2) + b'"'
    await add(store, keys, *(new_job(data=big) for _ in range(4)))
    await add(store, keys, new_job(priority=2), new_job(priority=1))

    taken = await trade(store, keys, want=6)

    assert [job.id for job in taken.jobs] == ["1", "2"]
    assert await list_of(store, keys, "wait") == ["4", "3"]
    assert list(await scores_of(store, keys, "prioritized")) == ["6", "5"]


async def test_what_a_limit_of_bytes_puts_back_keeps_its_order(
    store: Store, keys: QueueKeys
) -> None:
    big = b'"' + b"x" * (3 * MIB // 2) + b'"'
    jobs = [new_job(data=big), new_job(data=big), new_job(data=big, priority=7), new_job()]
    await add(store, keys, *jobs)

    order = [
        [job.id for job in (await trade(store, keys, want=9)).jobs],
        [job.id for job in (await trade(store, keys, want=9)).jobs],
    ]

    assert order == [["1", "2", "4"], ["3"]]


async def test_a_job_larger_than_the_limit_is_taken_all_the_same(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job(data=b'"' + b"x" * (5 * MIB) + b'"'), new_job())

    taken = await trade(store, keys, want=2)

    assert [job.id for job in taken.jobs] == ["1"]


async def test_a_paused_queue_gives_nothing(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    await store.command("HSET", keys["meta"], "paused", 1)

    taken = await trade(store, keys, want=1)

    assert (taken.jobs, taken.is_blocked) == ([], True)
    assert await state_of(store, keys, "1") is JobState.WAITING


async def test_a_paused_queue_still_takes_endings(store: Store, keys: QueueKeys) -> None:
    await waiting_job(store, keys)
    taken = await trade(store, keys, want=1)
    await store.command("HSET", keys["meta"], "paused", 1)

    ended = await trade(store, keys, complete(taken.jobs[0]), want=1)

    assert ended.codes == [0]
    assert await state_of(store, keys, "1") is JobState.COMPLETED


async def test_the_global_concurrency_holds_for_all_workers(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys["meta"], "concurrency", 3)
    await add(store, keys, *(new_job() for _ in range(5)))
    one = await trade(store, keys, want=2, by="one:")

    other = await trade(store, keys, want=9, by="other:")
    third = await trade(store, keys, want=9, by="third:")

    assert (len(one.jobs), len(other.jobs), len(third.jobs)) == (2, 1, 0)
    assert third.is_blocked


async def test_an_ending_makes_room_under_the_global_concurrency(
    store: Store, keys: QueueKeys
) -> None:
    await store.command("HSET", keys["meta"], "concurrency", 1)
    await add(store, keys, new_job(), new_job())
    first = await trade(store, keys, want=1)

    second = await trade(store, keys, complete(first.jobs[0]), want=5)

    assert [job.id for job in second.jobs] == ["2"]


async def test_a_slot_that_frees_under_the_global_concurrency_wakes_a_worker(
    store: Store, keys: QueueKeys
) -> None:
    await store.command("HSET", keys["meta"], "concurrency", 1)
    await add(store, keys, new_job(), new_job())
    first = await trade(store, keys, want=1)

    await trade(store, keys, complete(first.jobs[0]), want=0)

    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_an_id_whose_key_is_no_hash_costs_no_other_job(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(), new_job(), new_job())
    await store.command("RPUSH", keys.job("1:logs"), "a row")
    await store.command("RPUSH", keys["wait"], "1:logs")

    taken = await trade(store, keys, want=10)

    assert [job.id for job in taken.jobs] == ["1", "2", "3"]
    assert await list_of(store, keys, "active") == ["3", "2", "1"]
