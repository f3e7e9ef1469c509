"""Declared schedules: added, changed, repaired and removed by the workers of an application."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from framework import Cron, Every, Job, Schedule, cron, handles, processor
from framework.app.discovery import Declarations
from framework.app.routes import Routes
from framework.app.schedules import care_for, resolve_schedules
from framework.declare.schedule import Missed
from framework.declare.spec import resolve
from framework.model.clock import SystemClock
from framework.model.job import JobId
from framework.store.store import Store
from framework.store.transitions.schedulers import add_next_run, read_one, upsert_scheduler
from framework.wire.keys import QueueKeys
from framework.wire.millis import instant_from_ms
from framework.wire.scheduler_plan import make_plan
from framework.worker.schedules import ScheduleCare
from tests.support.builders import (
    NOW,
    complete,
    dump_of,
    events_of,
    hash_of,
    list_of,
    scores_of,
    trade,
)
from tests.support.clock import StillClock

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Digest(BaseModel):
    to: str = "all"


@processor("demo")
async def digests(job: Job[Digest]) -> None:
    """Send one."""


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def store(redis_url: str, clock: StillClock) -> AsyncIterator[Store]:
    async with Store(redis_url, clock=clock) as store:
        yield store


def care_of(
    store: Store,
    keys: QueueKeys,
    *schedules: Schedule[Any],
    package: str = "shop",
    is_whole: bool = True,
    target: Any = digests,  # noqa: ANN401 - a class or a function
) -> ScheduleCare:
    """What looks after schedules in one process of an application."""
    processors = (resolve(target),)
    declared = Declarations(package, processors, schedules=schedules, is_whole=is_whole)
    specs = resolve_schedules(schedules, processors, Routes(processors))
    return care_for(declared, specs, store, keys.prefix)


async def test_a_declared_schedule_is_added_once(store: Store, keys: QueueKeys) -> None:
    care = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest(to="staff")))

    await care.look()
    before = await dump_of(store, keys)
    await care.look()

    found = await read_one(store, keys, "nightly")
    assert found is not None
    assert (found.name, found.data, found.tz) == ("digest", {"to": "staff"}, "UTC")
    assert found.next_run == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert await dump_of(store, keys) == before
    assert care.repaired == 0


async def test_processes_that_look_at_once_leave_one_run(store: Store, keys: QueueKeys) -> None:
    schedule = Schedule("nightly", Cron("0 3 * * *"), Digest())

    for _ in range(3):
        await care_of(store, keys, schedule).look()

    assert len(await scores_of(store, keys, "delayed")) == 1
    assert (await events_of(store, keys)).count("added") == 1


async def test_a_schedule_that_was_changed_is_changed_back(store: Store, keys: QueueKeys) -> None:
    care = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest()))
    await care.look()
    other = make_plan("nightly", Cron("0 4 * * *"), "digest", b"{}", {})
    await upsert_scheduler(store, keys, other)

    await care.look()

    assert (await hash_of(store, keys, "repeat:nightly"))["pattern"] == "0 3 * * *"
    assert len(await scores_of(store, keys, "delayed")) == 1


async def test_the_process_that_started_last_decides(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    old = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest()))
    await old.look()
    clock.advance(MINUTE)
    new = care_of(store, keys, Schedule("nightly", Cron("0 4 * * *"), Digest()))

    for _ in range(3):
        await new.look()
        await old.look()

    assert (await hash_of(store, keys, "repeat:nightly"))["pattern"] == "0 4 * * *"
    assert (await events_of(store, keys)).count("added") == 2


async def test_another_process_takes_over_when_that_one_is_gone(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    schedule = Schedule("often", Every(HOUR), Digest())
    old = care_of(store, keys, schedule)
    await old.look()
    clock.advance(timedelta(seconds=1))
    await care_of(store, keys, schedule).look()
    await lose_the_run(store, keys, "often")

    await old.look()
    assert old.repaired == 0
    clock.advance(MINUTE)
    await old.look()

    assert old.repaired == 1


async def lose_the_run(store: Store, keys: QueueKeys, scheduler_id: str) -> str:
    """Delete the current run behind the schedule's back."""
    score = (await scores_of(store, keys, "repeat_set"))[scheduler_id]
    job_id = f"repeat:{scheduler_id}:{score:.0f}"
    await store.command("DEL", keys.job(job_id))
    for name in ("delayed", "prioritized"):
        await store.command("ZREM", keys[name], job_id)
    await store.command("LREM", keys["wait"], 0, job_id)
    return job_id


async def test_a_run_that_is_missing_is_put_back(store: Store, keys: QueueKeys) -> None:
    care = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest(), limit=3))
    await care.look()
    lost = await lose_the_run(store, keys, "nightly")

    await care.look()
    await care.look()

    assert list(await scores_of(store, keys, "delayed")) == [lost]
    assert care.repaired == 1
    stored = await hash_of(store, keys, "repeat:nightly")
    opts = json.loads((await hash_of(store, keys, lost))["opts"])
    assert (stored["ic"], opts["repeat"]["count"]) == ("1", 1)


async def test_a_run_that_fell_out_of_its_list_is_put_back(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    """As BullMQ 5 may drop jobs when it resumes a queue."""
    care = care_of(store, keys, Schedule("often", Every(HOUR), Digest()))
    await care.look()
    clock.advance(MINUTE)
    await care.look()
    assert care.repaired == 0
    await store.command("DEL", keys["wait"])

    await care.look()
    await care.look()

    assert await list_of(store, keys, "wait") == [f"repeat:often:{NOW}"]
    assert care.repaired == 1


@pytest.mark.parametrize(("missed", "due"), [("skip", HOUR * 3), ("run_once", HOUR * 0)])
async def test_a_missing_run_whose_time_passed_waits_or_is_made_up_for(
    store: Store, keys: QueueKeys, clock: StillClock, missed: Missed, due: timedelta
) -> None:
    care = care_of(store, keys, Schedule("often", Every(HOUR), Digest(), missed=missed))
    await care.look()
    await lose_the_run(store, keys, "often")
    clock.advance(2 * HOUR + MINUTE)

    await care.look()

    wanted = NOW + int(due.total_seconds()) * 1000
    assert await scores_of(store, keys, "repeat_set") == {"often": wanted}
    assert await list_of(store, keys, "wait") == ([f"repeat:often:{NOW}"] if not due else [])


async def test_a_worker_that_died_before_it_added_the_next_run_is_made_up_for(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    care = care_of(store, keys, Schedule("often", Every(HOUR), Digest()))
    await care.look()
    job = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await trade(store, keys, complete(job), now_ms=clock.now_ms())

    await care.look()
    assert care.repaired == 0
    clock.advance(MINUTE)
    await care.look()

    assert care.repaired == 1
    assert list(await scores_of(store, keys, "delayed")) == [f"repeat:often:{NOW + 3_600_000}"]


async def test_a_schedule_that_has_had_all_its_runs_is_left_alone(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    care = care_of(store, keys, Schedule("once", Every(HOUR), Digest(), limit=1))
    await care.look()
    job = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await add_next_run(store, keys, job.id, job.fields)
    await trade(store, keys, complete(job), now_ms=clock.now_ms())
    clock.advance(MINUTE)

    await care.look()
    await remove_from_completed(store, keys, job.id)
    await care.look()

    assert care.repaired == 0
    assert await scores_of(store, keys, "repeat_set") == {"once": NOW}
    assert await list_of(store, keys, "wait") == []


@pytest.mark.parametrize("missed", ["skip", "run_once"])
async def test_the_last_run_before_the_end_is_not_made_up_for(
    store: Store, keys: QueueKeys, clock: StillClock, missed: Missed
) -> None:
    """It is gone because it has run; the schedule has not ended yet, but runs no more."""
    last = datetime(2026, 11, 22, 3, tzinfo=UTC)
    schedule = Schedule("nightly", Cron("0 3 * * *"), Digest(), end=last + HOUR, missed=missed)
    care = care_of(store, keys, schedule)
    await care.look()
    clock.advance(last - instant_from_ms(clock.now_ms()) + timedelta(seconds=1))
    job = (await trade(store, keys, want=1, now_ms=clock.now_ms())).jobs[0]
    await add_next_run(store, keys, job.id, job.fields)
    await trade(store, keys, complete(job), now_ms=clock.now_ms())
    await remove_from_completed(store, keys, job.id)

    await care.look()

    assert care.repaired == 0
    assert await list_of(store, keys, "wait") == []


async def remove_from_completed(store: Store, keys: QueueKeys, job_id: JobId) -> None:
    await store.command("ZREM", keys["completed"], job_id)
    await store.command("DEL", keys.job(job_id))


async def test_a_schedule_that_nobody_declares_is_removed_after_a_while(
    store: Store, keys: QueueKeys, clock: StillClock
) -> None:
    await care_of(store, keys, Schedule("old", Every(HOUR), Digest())).look()
    await upsert_scheduler(store, keys, make_plan("by-hand", Every(HOUR), "n", b"{}", {}))

    clock.advance(timedelta(seconds=59))
    await care_of(store, keys).look()
    assert await read_one(store, keys, "old") is not None
    clock.advance(timedelta(seconds=2))
    await care_of(store, keys, package="another").look()
    await care_of(store, keys, is_whole=False).look()
    assert await read_one(store, keys, "old") is not None
    await care_of(store, keys).look()

    assert await read_one(store, keys, "old") is None
    assert await read_one(store, keys, "by-hand") is not None


async def test_what_cannot_be_read_is_told_once_and_ends_no_worker(
    store: Store, keys: QueueKeys, capfd: pytest.CaptureFixture[str]
) -> None:
    care = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest()))
    await store.command("HSET", keys.schedules, "nightly", "no JSON")

    for _ in range(3):
        await care.look()

    assert capfd.readouterr().out.count("schedule not kept") == 1
    await store.command("DEL", keys.schedules)
    await care.look()
    assert await read_one(store, keys, "nightly") is not None


async def test_a_run_in_the_way_is_told_of_and_tried_again(
    store: Store, keys: QueueKeys, clock: StillClock, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody made a job of the very id that the schedule's first run needs."""
    care = care_of(store, keys, Schedule("nightly", Cron("0 3 * * *"), Digest()))
    due = int(datetime(2026, 11, 22, 3, tzinfo=UTC).timestamp() * 1000)
    await store.command("HSET", keys.job(f"repeat:nightly:{due}"), "name", "other")

    await care.look()
    await care.look()
    assert capfd.readouterr().out.count("schedule not kept") == 1
    clock.advance(timedelta(days=1))
    await care.look()

    assert (await next_runs(store, keys)) == [f"repeat:nightly:{due + 86_400_000}"]


async def next_runs(store: Store, keys: QueueKeys) -> list[str]:
    return list(await scores_of(store, keys, "delayed"))


async def test_methods_and_classes_are_declared_to_run_at_set_times(
    store: Store, keys: QueueKeys
) -> None:
    @cron("0 9 * * *", tz="Europe/Rome")
    @processor("demo")
    class Mixed:
        async def process(self, job: Job[Digest]) -> None: ...

        @cron("0 10 * * *", id="sweeping", attempts=3)
        @handles("sweep")
        async def sweep(self, job: Job[None]) -> None: ...

    await care_of(store, keys, target=Mixed).look()

    digest = await read_one(store, keys, "digest")
    sweeping = await read_one(store, keys, "sweeping")
    assert digest is not None
    assert sweeping is not None
    assert (digest.name, digest.data, digest.tz) == ("digest", {"to": "all"}, "Europe/Rome")
    assert (sweeping.name, sweeping.data) == ("sweep", None)
    assert sweeping.options.get("attempts") == 3


class Skewed(SystemClock):
    """A machine whose clock is wrong by some seconds."""

    def __init__(self, seconds: int) -> None:
        self._ms = seconds * 1000

    def now_ms(self) -> int:
        return super().now_ms() + self._ms


@pytest.mark.parametrize(("old_skew", "new_skew"), [(90, 0), (0, -90), (90, -90)])
async def test_the_newest_release_decides_whatever_its_machines_clock_says(
    redis_url: str, keys: QueueKeys, old_skew: int, new_skew: int
) -> None:
    old, new = Cron("0 3 * * *"), Cron("0 4 * * *")
    async with (
        Store(redis_url, clock=Skewed(old_skew)) as theirs,
        Store(redis_url, clock=Skewed(new_skew)) as ours,
    ):
        before = care_of(theirs, keys, Schedule("nightly", old, Digest()))
        await before.look()
        after = care_of(ours, keys, Schedule("nightly", new, Digest()))
        await after.look()

        await before.look()

        found = await read_one(ours, keys, "nightly")
    assert found is not None
    assert found.pattern == new.expression


async def test_a_fast_clock_takes_nobodys_schedule_for_forgotten(
    redis_url: str, keys: QueueKeys
) -> None:
    async with (
        Store(redis_url, clock=Skewed(0)) as theirs,
        Store(redis_url, clock=Skewed(120)) as ours,
    ):
        await care_of(theirs, keys, Schedule("nightly", Cron("0 3 * * *"), Digest())).look()

        await care_of(ours, keys).look()

        assert await read_one(ours, keys, "nightly") is not None
