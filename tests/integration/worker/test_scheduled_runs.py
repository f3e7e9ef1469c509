"""Runs of schedules in working applications: kept up, one at a time if asked, never lost."""

from collections import Counter
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import Every, Job, JobState, Schedule, processor
from framework.app.application import Application
from framework.app.discovery import Declarations
from framework.declare.spec import resolve
from framework.model.schedule import Overlap
from framework.store.store import Store
from framework.store.transitions.schedulers import NEXT_RUN
from tests.support.apps import Open, declared, settings_of, working
from tests.support.proxy import Proxy
from tests.support.until import until

STEP = timedelta(milliseconds=50)


class Tick(BaseModel):
    n: int = 0


async def test_declared_schedules_run_in_every_worker(redis_url: str, prefix: str) -> None:
    seen: list[str] = []

    @processor("ticks")
    async def ticks(job: Job[Tick]) -> None:
        seen.append(job.id)

    spec = resolve(ticks)
    schedule = Schedule("tick", Every(STEP), Tick(n=1), limit=4)
    whole = Declarations("tests", (spec,), (spec,), schedules=(schedule,))
    apps = [Application(whole, settings=settings_of(redis_url, prefix)) for _ in range(2)]

    async with working(*apps):
        await until(lambda: len(seen) >= 4, message="four runs")
        await anyio.sleep(0.2)  # in which a fifth would run

    assert len(seen) == len(set(seen)) == 4


async def test_runs_that_must_not_overlap_are_left_out(open_app: Open) -> None:
    begun: list[str] = []
    release = anyio.Event()

    @processor("ticks", concurrency=3)
    async def ticks(job: Job[Any]) -> str:
        begun.append(job.id)
        if len(begun) == 1:
            await release.wait()
        return "ran"

    app = open_app(ticks)
    async with working(app):
        queue = app.queue("ticks")
        await queue.upsert_job_scheduler("tick", Every(STEP), overlap="skip")

        async def three_left_out() -> bool:
            return (await queue.counts())[JobState.COMPLETED] >= 3

        await until(three_left_out, message="three runs are left out")
        assert len(begun) == 1
        release.set()
        await until(lambda: len(begun) >= 2, message="a run after the long one")
        jobs = await queue.jobs(JobState.COMPLETED)

    results = [job.result for job in jobs]
    assert results.count(None) >= 3
    assert begun[0] in [job.id for job in jobs if job.result == "ran"]


async def test_no_lost_reply_ends_a_schedule_or_doubles_a_run(
    redis_url: str, prefix: str, store: Store
) -> None:
    """Every kind of call loses its first reply, and each later one may."""
    runs: Counter[str] = Counter()

    @processor("ticks")
    async def ticks(job: Job[Any]) -> None:
        runs[job.id] += 1

    async with Proxy(redis_url, chance=0.2).serve() as proxy:
        app = Application(declared(ticks), settings=settings_of(proxy.url, prefix))
        async with working(app):
            queue = app.queue("ticks")
            await queue.upsert_job_scheduler("tick", Every(STEP), limit=20)
            await until(lambda: len(runs) >= 20, timeout=20, message="twenty runs")
            found = await queue.job_scheduler("tick")
            counts = await queue.counts()
            proxy.chance = 0

    assert proxy.cuts[f"EVALSHA {NEXT_RUN.sha}"] > 0
    assert set(runs.values()) == {1}
    assert found is not None
    assert (found.iterations, counts[JobState.DELAYED], counts[JobState.WAITING]) == (20, 0, 0)


async def test_a_run_waits_until_redis_takes_the_next_one(
    open_app: Open, store: Store, prefix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run that went on without it would be the last."""
    runs: list[str] = []
    schedules, aside = f"{prefix}:ticks:repeat", f"{prefix}:ticks:repeat:aside"

    @processor("ticks")
    async def ticks(job: Job[Any]) -> None:
        runs.append(job.id)

    producing, app = open_app(), open_app(ticks)
    async with producing:
        await producing.queue("ticks").upsert_job_scheduler("tick", Every(STEP), limit=2)
        await store.command("RENAME", schedules, aside)
        await store.command("SET", schedules, "no sorted set")
        async with working(app):
            await until(lambda: "the wrong type" in capfd.readouterr().out, message="it is named")
            assert runs == []
            await store.command("RENAME", aside, schedules)
            await until(lambda: len(runs) == 2, message="both runs")


@pytest.mark.parametrize("overlap", ["allow", "skip"])
async def test_a_retry_of_a_run_is_no_run_of_its_own(open_app: Open, overlap: Overlap) -> None:
    attempts: list[int] = []

    @processor("ticks")
    async def ticks(job: Job[Any]) -> None:
        attempts.append(job.attempts_made)
        raise ValueError("no luck")

    app = open_app(ticks)
    async with working(app):
        queue = app.queue("ticks")
        run = await queue.upsert_job_scheduler(
            "tick", Every(timedelta(hours=1)), overlap=overlap, attempts=3
        )

        async def has_failed() -> bool:
            return (await queue.state(run)) is JobState.FAILED

        await until(has_failed, message="the run has failed for good")
        found = await queue.job_scheduler("tick")
        counts = await queue.counts()

    assert attempts == [0, 1, 2]
    assert found is not None
    assert found.iterations == 2
    assert counts[JobState.DELAYED] == 1


UNREADABLE = [
    '{"pattern":"H H * * *","count":1}',
    '{"pattern":5,"count":1}',
    '{"pattern":"* * * * *","tz":"Nowhere/City","count":1}',
    '{"pattern":"* * * * *","limit":1e400,"count":1}',
    '{"pattern":"* * * * *","startDate":9007199254740993,"count":1}',
    '{"every":0,"count":1}',
]


@pytest.mark.parametrize("repeat", UNREADABLE)
async def test_a_schedule_that_cannot_be_read_ends_and_its_run_goes_on(
    open_app: Open, capfd: pytest.CaptureFixture[str], repeat: str
) -> None:
    @processor("ticks")
    async def ticks(job: Job[Any]) -> str:
        return "ran"

    app = open_app(ticks)
    async with working(app):
        queue = app.queue("ticks")
        run = await add_unreadable(app, repeat)

        async def has_run() -> bool:
            return (await queue.state(run)) is JobState.COMPLETED

        await until(has_run, message="the run goes on")

    assert "schedule ends here, its next run cannot be told" in capfd.readouterr().out


async def add_unreadable(app: Application, repeat: str) -> str:
    """A run that says how it repeats as only a strange peer would."""
    base = f"{app.settings.prefix}:ticks:"
    opts = f'{{"repeat":{repeat}}}'
    words: list[str | int] = [
        "name",
        "n",
        "data",
        "{}",
        "opts",
        opts,
        "rjk",
        "odd",
        "timestamp",
        1,
        "delay",
        0,
    ]
    await app.store.command("ZADD", f"{base}repeat", 1, "odd")
    await app.store.command("HSET", f"{base}repeat:odd", "name", "n", "ic", 1)
    await app.store.command("HSET", f"{base}repeat:odd:1", *words)
    await app.store.command("LPUSH", f"{base}wait", "repeat:odd:1")
    await app.store.command("ZADD", f"{base}marker", 0, "0")
    return "repeat:odd:1"


async def test_a_schedule_whose_keys_are_odd_holds_no_slot(
    open_app: Open, capfd: pytest.CaptureFixture[str], store: Store
) -> None:
    ran: list[str] = []

    @processor("ticks")
    async def ticks(job: Job[Any]) -> None:
        ran.append(job.name)

    app = open_app(ticks)
    async with app:
        queue = app.queue("ticks")
        await queue.upsert_job_scheduler("tick", Every(timedelta(days=1)), name="scheduled")
        odd = f"{app.settings.prefix}:ticks:repeat:tick"
        await store.command("DEL", odd)
        await store.command("SET", odd, "no hash")
    async with working(app):
        await app.queue("ticks").add("plain")
        await until(lambda: len(ran) == 2, message="both jobs run")

    assert sorted(ran) == ["plain", "scheduled"]
    assert "schedule ends here" in capfd.readouterr().out
    await store.command("DEL", odd)
