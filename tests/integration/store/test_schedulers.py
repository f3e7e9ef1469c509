"""Schedules and their runs, in virtual time."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.errors import RunExistsError, ScheduleError
from framework.model.job import JobState
from framework.model.options import JobOptions
from framework.model.schedule import Cron, Every
from framework.store.store import Store
from framework.store.transitions.exchange import Fetched
from framework.store.transitions.schedulers import (
    UPSERT_SCHEDULER,
    NextRun,
    add_next_run,
    read_many,
    read_one,
    remove_scheduler,
    upsert_args,
    upsert_keys,
    upsert_scheduler,
)
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from framework.wire.scheduler import first_run_of
from framework.wire.scheduler_plan import make_plan
from tests.support.builders import (
    KEEP_ALL,
    NOW,
    complete,
    dump_of,
    entries_of,
    events_of,
    hash_of,
    list_of,
    scores_of,
    state_of,
    trade,
)
from tests.support.clock import StillClock

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def store(redis_url: str, clock: StillClock) -> AsyncIterator[Store]:
    async with Store(redis_url, clock=clock) as store:
        yield store


async def upsert(
    store: Store,
    keys: QueueKeys,
    when: Every | Cron,
    *,
    scheduler_id: str = "s",
    name: str = "tick",
    data: bytes = b'{"a":1}',
    options: JobOptions = KEEP_ALL,
    **more: Any,  # noqa: ANN401 - whatever a plan takes
) -> NextRun:
    plan = make_plan(scheduler_id, when, name, data, options, **more)
    return await upsert_scheduler(store, keys, plan)


async def begin(store: Store, keys: QueueKeys, clock: StillClock) -> Fetched:
    """Take the next job and let it see to the run after it, as a worker does."""
    job = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await add_next_run(store, keys, job.id, job.fields)
    return job


async def run_one(store: Store, keys: QueueKeys, clock: StillClock) -> str:
    job = await begin(store, keys, clock)
    await trade(store, keys, complete(job), now_ms=clock.now_ms())
    return job.id


async def next_due(store: Store, keys: QueueKeys, scheduler_id: str = "s") -> datetime:
    found = await read_one(store, keys, scheduler_id)
    assert found is not None
    return found.next_run


async def test_the_first_run_of_an_interval_is_at_once(store: Store, keys: QueueKeys) -> None:
    run = await upsert(store, keys, Every(MINUTE))

    assert run == (f"repeat:s:{NOW}", 0)
    assert await list_of(store, keys, "wait") == [run.id]
    assert await scores_of(store, keys, "repeat_set") == {"s": NOW}
    assert await hash_of(store, keys, "repeat:s") == {
        "name": "tick", "every": "60000", "offset": str(NOW % 60_000), "data": '{"a":1}',
        "opts": '{"removeOnComplete":false,"removeOnFail":false}', "ic": "1",
    }  # fmt: skip
    job = await hash_of(store, keys, run.id)
    assert (job["name"], job["data"], job["rjk"], job["delay"]) == ("tick", '{"a":1}', "s", "0")
    assert json.loads(job["opts"]) == {
        "removeOnComplete": False, "removeOnFail": False, "timestamp": NOW, "delay": 0,
        "jobId": run.id, "repeatJobKey": "s", "repeat": {"every": 60_000, "count": 1},
    }  # fmt: skip
    assert await events_of(store, keys) == ["added", "waiting"]


async def test_ids_and_times_are_whole_numbers_whatever_their_size(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    clock.set(datetime(2039, 1, 1, 0, 0, 0, 1000, tzinfo=UTC))

    run = await upsert(store, keys, Every(timedelta(days=200)))
    await begin(store, keys, clock)

    assert run.id == f"repeat:s:{clock.now_ms()}"
    due = clock.now_ms() + 200 * 86_400_000
    assert f"repeat:s:{due}" in await scores_of(store, keys, "delayed")
    assert (await hash_of(store, keys, f"repeat:s:{due}"))["delay"] == str(200 * 86_400_000)


async def test_a_run_that_begins_puts_the_next_one_in_line(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))

    ids = []
    for _ in range(4):
        ids.append(await run_one(store, keys, clock))
        clock.advance(MINUTE)

    assert ids == [f"repeat:s:{NOW + n * 60_000}" for n in range(4)]
    assert (await hash_of(store, keys, "repeat:s"))["ic"] == "5"
    opts = json.loads((await hash_of(store, keys, f"repeat:s:{NOW + 240_000}"))["opts"])
    assert opts["repeat"] == {"every": 60_000, "count": 5}
    assert opts["delay"] == 60_000
    entries = await entries_of(store, keys)
    assert {"event": "delayed", "jobId": ids[1], "delay": str(NOW + 60_000)} in entries


async def test_a_run_puts_one_in_line_however_often_it_begins(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    job = await begin(store, keys, clock)
    before = await dump_of(store, keys)

    again = await add_next_run(store, keys, job.id, job.fields)

    assert again is None
    assert await dump_of(store, keys) == before


async def test_a_worker_that_dies_before_it_adds_the_next_run_leaves_that_to_another(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    lost = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await store.command("DEL", f"{keys.job(lost.id)}:lock")
    for _ in range(2):
        await store.command("DEL", keys["stalled_check"])
        await recover_stalled(store, keys, now_ms=clock.now_ms(), interval_ms=1)

    again = await begin(store, keys, clock)

    assert again.id == lost.id
    assert list(await scores_of(store, keys, "delayed")) == [f"repeat:s:{NOW + 60_000}"]


async def test_a_call_sent_again_changes_nothing_more(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    """Its reply was lost, and a worker took the run before the call was sent again."""
    plan = make_plan("s", Every(MINUTE), "tick", b"{}", KEEP_ALL, limit=2)
    script_keys = upsert_keys(keys)
    args = upsert_args(plan, first_run_of(plan, NOW), NOW)
    first = await store.run(UPSERT_SCHEDULER, script_keys, args)
    await run_one(store, keys, clock)
    before = await dump_of(store, keys)

    again = await store.run(UPSERT_SCHEDULER, script_keys, args)

    assert again == first
    assert await dump_of(store, keys) == before


async def test_runs_that_were_missed_are_left_out_and_the_phase_is_kept(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    await run_one(store, keys, clock)
    clock.advance(10 * MINUTE + 7 * SECOND)

    late = await run_one(store, keys, clock)

    assert late == f"repeat:s:{NOW + 60_000}"
    assert await scores_of(store, keys, "repeat_set") == {"s": NOW + 11 * 60_000}


async def test_an_offset_says_where_in_the_interval_runs_are(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    whole = NOW // 60_000 * 60_000

    run = await upsert(store, keys, Every(MINUTE, offset=50 * SECOND))
    clock.advance(MINUTE)
    await run_one(store, keys, clock)

    assert run.id == f"repeat:s:{whole + 50_000}"
    assert await scores_of(store, keys, "repeat_set") == {"s": whole + 110_000}
    opts = json.loads((await hash_of(store, keys, f"repeat:s:{whole + 110_000}"))["opts"])
    assert opts["repeat"]["offset"] == 50_000


async def test_a_schedule_ends_after_its_limit_and_stays_to_be_seen(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE), limit=2)
    for _ in range(2):
        await run_one(store, keys, clock)
        clock.advance(MINUTE)

    assert await scores_of(store, keys, "delayed") == {}
    found = await read_one(store, keys, "s")
    assert found is not None
    assert (found.iterations, found.limit) == (2, 2)


async def test_no_run_begins_before_the_start_or_is_put_in_line_after_the_end(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)
    run = await upsert(store, keys, Every(MINUTE), start=start, end=start + 90 * SECOND)
    clock.set(start)
    await run_one(store, keys, clock)
    clock.advance(MINUTE)
    await run_one(store, keys, clock)
    clock.advance(MINUTE)

    last = await run_one(store, keys, clock)

    assert run.id == f"repeat:s:{int(start.timestamp() * 1000)}"
    assert last == f"repeat:s:{int(start.timestamp() * 1000) + 120_000}"
    assert await scores_of(store, keys, "delayed") == {}


async def test_a_cron_schedule_follows_its_expression_in_its_zone(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    clock.set(datetime(2026, 3, 27, 12, tzinfo=UTC))
    due = []

    await upsert(store, keys, Cron("0 9 * * *", tz="Europe/Rome"))
    for _ in range(3):
        due.append(await next_due(store, keys))
        clock.set(due[-1])
        await run_one(store, keys, clock)

    assert due == [
        datetime(2026, 3, 28, 8, tzinfo=UTC),
        datetime(2026, 3, 29, 7, tzinfo=UTC),
        datetime(2026, 3, 30, 7, tzinfo=UTC),
    ]
    job = await hash_of(store, keys, f"repeat:s:{int(due[-1].timestamp() * 1000)}")
    opts = json.loads(job["opts"])
    assert opts["prevMillis"] == int(due[-1].timestamp() * 1000)
    assert opts["repeat"] == {"pattern": "0 9 * * *", "tz": "Europe/Rome", "count": 3}


async def test_a_zone_is_always_stored(store: Store, keys: QueueKeys) -> None:
    await upsert(store, keys, Cron("0 9 * * *"))

    assert (await hash_of(store, keys, "repeat:s"))["tz"] == "UTC"


async def test_a_cron_schedule_may_begin_at_once(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    run = await upsert(store, keys, Cron("0 9 * * *"), immediately=True)
    await run_one(store, keys, clock)

    assert run == (f"repeat:s:{NOW}", 0)
    assert (await next_due(store, keys)).hour == 9


async def test_a_cron_schedule_has_no_run_after_its_end(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    clock.set(datetime(2026, 5, 1, 8, tzinfo=UTC))
    await upsert(store, keys, Cron("0 9 * * *"), end=datetime(2026, 5, 2, 8, tzinfo=UTC))
    clock.set(datetime(2026, 5, 1, 9, tzinfo=UTC))

    await run_one(store, keys, clock)

    assert await scores_of(store, keys, "delayed") == {}


async def test_changing_the_time_replaces_the_run_in_line(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    clock.set(datetime(2026, 5, 1, 8, tzinfo=UTC))
    first = await upsert(store, keys, Cron("0 15 9 * * *"), limit=3)

    second = await upsert(store, keys, Cron("0 16 9 * * *"))

    assert await state_of(store, keys, first.id) is JobState.UNKNOWN
    assert await hash_of(store, keys, first.id) == {}
    assert list(await scores_of(store, keys, "delayed")) == [second.id]
    stored = await hash_of(store, keys, "repeat:s")
    assert (stored["pattern"], stored["ic"], "limit" in stored) == ("0 16 9 * * *", "1", False)
    assert "removed" not in await events_of(store, keys)


@pytest.mark.parametrize("paused", [False, True])
async def test_changing_only_the_payload_keeps_the_time(
    store: Store, keys: QueueKeys, clock: StillClock, *, paused: bool
) -> None:
    if paused:
        await store.command("HSET", keys["meta"], "paused", 1)
    first = await upsert(store, keys, Every(MINUTE))
    clock.advance(SECOND)

    second = await upsert(store, keys, Every(MINUTE), data=b'{"a":2}')

    assert second.id == first.id
    assert (await hash_of(store, keys, second.id))["data"] == '{"a":2}'
    assert await list_of(store, keys, "wait") == [second.id]


async def test_changing_a_schedule_whose_run_is_on_adds_the_one_after_it(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    running = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]

    run = await upsert(store, keys, Every(MINUTE), data=b"[]")
    late = await add_next_run(store, keys, running.id, running.fields)

    assert run.id == f"repeat:s:{NOW + 60_000}"
    assert late is None
    assert list(await scores_of(store, keys, "delayed")) == [run.id]


async def test_an_interval_looks_for_a_free_slot(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    await run_one(store, keys, clock)
    await remove_scheduler(store, keys, "s")

    run = await upsert(store, keys, Every(MINUTE))

    assert run.id == f"repeat:s:{NOW + 60_000}"


async def test_a_run_that_has_been_is_not_made_again(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Cron("0 9 * * *"), immediately=True)
    await begin(store, keys, clock)
    await remove_scheduler(store, keys, "s")
    before = await dump_of(store, keys)

    with pytest.raises(RunExistsError, match="repeat:s:"):
        await upsert(store, keys, Cron("0 9 * * *"), immediately=True)

    assert await dump_of(store, keys) == before


async def test_thirty_two_slots_are_looked_at(store: Store, keys: QueueKeys) -> None:
    for n in range(33):
        await store.command("HSET", keys.job(f"repeat:s:{NOW + n * 60_000}"), "name", "old")

    with pytest.raises(RunExistsError):
        await upsert(store, keys, Every(MINUTE))

    assert await scores_of(store, keys, "repeat_set") == {}
    await store.command("DEL", keys.job(f"repeat:s:{NOW + 32 * 60_000}"))
    run = await upsert(store, keys, Every(MINUTE))
    assert run.id == f"repeat:s:{NOW + 32 * 60_000}"


async def test_a_schedule_is_removed_with_its_delayed_run(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    running = await begin(store, keys, clock)

    assert await remove_scheduler(store, keys, "s")

    assert not await remove_scheduler(store, keys, "s")
    assert (
        await scores_of(store, keys, "repeat_set") == await scores_of(store, keys, "delayed") == {}
    )
    assert await hash_of(store, keys, "repeat:s") == {}
    assert (await entries_of(store, keys))[-1] == {
        "event": "removed", "jobId": f"repeat:s:{NOW + 60_000}", "prev": "delayed",
    }  # fmt: skip
    assert await state_of(store, keys, running.id) is JobState.ACTIVE


async def test_the_running_job_of_a_removed_schedule_adds_none(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    running = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await remove_scheduler(store, keys, "s")

    assert await add_next_run(store, keys, running.id, running.fields) is None

    assert await scores_of(store, keys, "delayed") == {}


async def test_a_run_that_is_there_already_is_told_of(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await upsert(store, keys, Every(MINUTE))
    running = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    taken = f"repeat:s:{NOW + 60_000}"
    await store.command("HSET", keys.job(taken), "name", "other")

    assert await add_next_run(store, keys, running.id, running.fields) is None

    assert (await entries_of(store, keys))[-1] == {"event": "duplicated", "jobId": taken}


@pytest.mark.parametrize("options", [JobOptions(priority=3), JobOptions(lifo=True)])
async def test_runs_take_the_place_that_their_options_ask_for(
    store: Store, keys: QueueKeys, options: JobOptions
) -> None:
    await upsert(store, keys, Every(MINUTE), scheduler_id="a")

    run = await upsert(store, keys, Every(MINUTE), scheduler_id="b", options=options)

    taken = (await trade(store, keys, want=1)).jobs
    if "priority" in options:
        assert await state_of(store, keys, run.id) is JobState.PRIORITIZED
    else:
        assert [job.id for job in taken] == [run.id]


async def test_a_schedule_of_bullmq_5_keeps_its_payload(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    """Its hash has neither data nor a count; both are in its jobs alone."""
    member = "efaaf2177108ae2cd4800399c374ad19"
    opts = {"repeat": {"every": 60_000, "count": 4, "jobId": "x"}, "jobId": "x", "attempts": 2}
    await store.command("ZADD", keys["repeat_set"], NOW, member)
    await store.command("HSET", keys.job(f"repeat:{member}"), "name", "old", "every", 60_000)
    job_id = f"repeat:{member}:{NOW}"
    await store.command(
        "HSET", keys.job(job_id), "name", "old", "data", '{"kept":true}',
        "opts", json.dumps(opts), "rjk", member,
    )  # fmt: skip
    await store.command("LPUSH", keys["wait"], job_id)

    await run_one(store, keys, clock)

    job = await hash_of(store, keys, f"repeat:{member}:{NOW + 60_000}")
    assert job["data"] == '{"kept":true}'
    told = json.loads(job["opts"])
    assert (told["repeat"]["count"], told["attempts"]) == (5, 2)
    assert (await hash_of(store, keys, f"repeat:{member}"))["data"] == '{"kept":true}'


async def test_schedules_are_listed_by_their_next_run(store: Store, keys: QueueKeys) -> None:
    for minutes in (3, 1, 2):
        start = datetime(2030, 1, 1, 0, minutes, tzinfo=UTC)
        await upsert(store, keys, Every(MINUTE), scheduler_id=f"s{minutes}", start=start)

    found = await read_many(store, keys, 0, 1, latest_first=False)

    assert [one.id for one in found] == ["s1", "s2"]
    assert [one.id for one in await read_many(store, keys, 0, -1, latest_first=True)] == [
        "s3", "s2", "s1",
    ]  # fmt: skip


@pytest.mark.parametrize("when", [Every(MINUTE), Cron("* * * * *")])
async def test_a_schedule_that_ends_in_the_past_is_refused(
    store: Store, keys: QueueKeys, when: Every | Cron
) -> None:
    with pytest.raises(ScheduleError, match="ends in the past"):
        await upsert(store, keys, when, end=datetime(2026, 1, 1, tzinfo=UTC))

    assert await scores_of(store, keys, "repeat_set") == {}


async def test_an_expression_that_falls_due_after_its_end_is_refused(
    store: Store, keys: QueueKeys
) -> None:
    with pytest.raises(ScheduleError, match="before the end"):
        await upsert(store, keys, Cron("0 0 1 1 *"), end=datetime(2026, 12, 24, tzinfo=UTC))
