"""``add``: what stands in Redis afterwards, field by field, and which events say so."""

import json
from datetime import timedelta

from framework.model.job import JobState
from framework.store.queue_meta import open_queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.millis import instant_from_ms
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
)

MINUTE = timedelta(minutes=1)


async def test_a_job_stands_in_its_hash_as_bullmq_writes_it(store: Store, keys: QueueKeys) -> None:
    job = new_job("echo", b'{"a":1}', attempts=3)

    [added] = await add(store, keys, job)

    fields = await hash_of(store, keys, added.id)
    opts = json.loads(fields.pop("opts"))
    assert fields == {
        "name": "echo",
        "data": '{"a":1}',
        "timestamp": str(NOW),
        "delay": "0",
        "priority": "0",
    }
    assert opts == {"attempts": 3, "removeOnComplete": False, "removeOnFail": False}


async def test_ids_are_counted_from_one(store: Store, keys: QueueKeys) -> None:
    added = await add(store, keys, new_job(), new_job())
    more = await add(store, keys, new_job())

    assert [one.id for one in [*added, *more]] == ["1", "2", "3"]


async def test_an_added_job_waits_and_is_announced(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job("echo"))

    assert await state_of(store, keys, "1") is JobState.WAITING
    assert await entries_of(store, keys) == [
        {"event": "added", "jobId": "1", "name": "echo"},
        {"event": "waiting", "jobId": "1"},
    ]
    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_jobs_of_one_call_run_in_their_order(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, *(new_job() for _ in range(4)))

    assert await list_of(store, keys, "wait") == ["4", "3", "2", "1"]


async def test_the_last_of_several_lifo_jobs_runs_first(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(), new_job(lifo=True), new_job(), new_job(lifo=True))

    taken = await trade(store, keys, want=4)

    assert [job.id for job in taken.jobs] == ["4", "2", "1", "3"]


async def test_a_thousand_jobs_fit_into_one_call(store: Store, keys: QueueKeys) -> None:
    added = await add(store, keys, *(new_job() for _ in range(1000)))

    assert len({one.id for one in added}) == 1000
    assert await store.command("LLEN", keys["wait"]) == 1000


async def test_a_prioritized_job_has_the_score_of_the_format(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(priority=5), new_job(priority=5), new_job(priority=2_097_151))

    assert await scores_of(store, keys, "prioritized") == {
        "1": 21474836481,
        "2": 21474836482,
        "3": 2_097_151 * 2**32 + 3,
    }
    assert await store.command("GET", keys["pc"]) == b"3"


async def test_a_prioritized_job_says_waiting(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(priority=5))

    assert await events_of(store, keys) == ["added", "waiting"]
    assert await state_of(store, keys, "1") is JobState.PRIORITIZED
    assert (await hash_of(store, keys, "1"))["priority"] == "5"
    assert await scores_of(store, keys, "marker") == {"0": 0}


async def test_a_delayed_job_has_the_score_of_the_format(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=MINUTE))

    assert await scores_of(store, keys, "delayed") == {"1": (NOW + 60_000) * 4096}
    assert (await hash_of(store, keys, "1"))["delay"] == "60000"


async def test_a_delayed_job_is_announced_with_when_it_is_due(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job("later", delay=MINUTE))

    assert await entries_of(store, keys) == [
        {"event": "added", "jobId": "1", "name": "later"},
        {"event": "delayed", "jobId": "1", "delay": str(NOW + 60_000)},
    ]
    assert await state_of(store, keys, "1") is JobState.DELAYED
    assert await scores_of(store, keys, "marker") == {"1": NOW + 60_000}


async def test_jobs_due_in_one_millisecond_keep_their_order(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, *(new_job(delay=MINUTE) for _ in range(12)))

    ids = list(await scores_of(store, keys, "delayed"))

    assert ids == [str(n) for n in range(1, 13)]


async def test_the_sequence_within_a_millisecond_stops_at_its_end(
    store: Store, keys: QueueKeys
) -> None:
    last = (NOW + 60_000) * 4096 + 4095
    await store.command("ZADD", keys["delayed"], last, "before")

    await add(store, keys, new_job(delay=MINUTE))

    assert (await scores_of(store, keys, "delayed"))["1"] == last


async def test_the_marker_tells_the_earliest_delayed_job(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=2 * MINUTE))
    await add(store, keys, new_job(delay=MINUTE))
    await add(store, keys, new_job(delay=3 * MINUTE))

    assert await scores_of(store, keys, "marker") == {"1": NOW + 60_000}


async def test_a_delayed_job_with_a_priority_is_only_delayed_at_first(
    store: Store, keys: QueueKeys
) -> None:
    await add(store, keys, new_job(delay=MINUTE, priority=3))

    assert await state_of(store, keys, "1") is JobState.DELAYED
    assert await scores_of(store, keys, "prioritized") == {}


async def test_a_timestamp_of_ones_own_counts_for_the_delay(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(delay=MINUTE, timestamp=instant_from_ms(NOW - 1000)))

    assert await scores_of(store, keys, "marker") == {"1": NOW + 59_000}
    assert (await hash_of(store, keys, "1"))["timestamp"] == str(NOW - 1000)


async def test_a_custom_id_uses_up_a_number_too(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(job_id="mine"))

    [added] = await add(store, keys, new_job())

    assert added.id == "2"


async def test_a_custom_id_that_is_there_changes_nothing(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job("first", b"1", job_id="mine"))

    [again] = await add(store, keys, new_job("second", b"2", job_id="mine"))

    assert again.id == "mine"
    assert again.is_duplicate
    assert (await hash_of(store, keys, "mine"))["data"] == "1"
    assert await list_of(store, keys, "wait") == ["mine"]
    assert (await entries_of(store, keys))[-1] == {"event": "duplicated", "jobId": "mine"}
    assert await store.command("GET", keys["id"]) == b"2"


async def test_a_custom_id_twice_in_one_call_is_added_once(store: Store, keys: QueueKeys) -> None:
    added = await add(
        store, keys, new_job(job_id="mine"), new_job(), new_job(data=b"2", job_id="mine")
    )

    assert [one.is_duplicate for one in added] == [False, False, True]
    assert await list_of(store, keys, "wait") == ["2", "mine"]


async def test_a_finished_job_holds_its_custom_id(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job(job_id="mine"))
    taken = await trade(store, keys, want=1)
    await trade(store, keys, complete(taken.jobs[0]))

    [again] = await add(store, keys, new_job(job_id="mine"))

    assert again.is_duplicate
    assert await state_of(store, keys, "mine") is JobState.COMPLETED


async def test_an_add_to_a_paused_queue_wakes_nobody(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys["meta"], "paused", 1)

    await add(store, keys, new_job(), new_job(priority=1))

    assert await scores_of(store, keys, "marker") == {}
    assert await list_of(store, keys, "wait") == ["1"]


async def test_an_add_at_the_global_concurrency_wakes_nobody(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys["meta"], "concurrency", 1)
    await add(store, keys, new_job())
    await trade(store, keys, want=1)

    await add(store, keys, new_job())

    assert await scores_of(store, keys, "marker") == {}


async def test_the_number_of_events_to_keep_is_written_once(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job())

    assert await store.command("HGET", keys["meta"], "opts.maxLenEvents") == b"10000"


async def test_an_operators_number_of_events_is_kept(store: Store, keys: QueueKeys) -> None:
    await store.command("HSET", keys["meta"], "opts.maxLenEvents", 100)

    await open_queue(store, keys)
    for _ in range(2):
        await add(store, keys, *(new_job() for _ in range(500)))

    assert await store.command("HGET", keys["meta"], "opts.maxLenEvents") == b"100"
    assert await store.command("XLEN", keys["events"]) < 400


async def test_any_text_is_kept_to_the_byte(store: Store, keys: QueueKeys) -> None:
    data = '{"text":"žluťoučký 🐎 \\u0000 %s"}'.encode()

    await add(store, keys, new_job("naïve name", data))

    fields = await hash_of(store, keys, "1")
    assert (fields["name"], fields["data"]) == ("naïve name", data.decode())
