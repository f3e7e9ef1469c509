"""How jobs flow through workers: order, numbers, delays, pauses, and how soon they start."""

import statistics
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import Job, JobFailedError, JobOptions, JobState, Limiter, processor
from framework.model.options import Exponential, Fixed
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, all_finished, working
from tests.support.builders import entries_of, events_of
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)


class Number(BaseModel):
    number: int


class Notes:
    """What ran, in which order, and how many at once."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.times: list[Stopwatch] = []
        self.now = 0
        self.most = 0
        self.gate = anyio.Event()

    def processor(self, concurrency: int = 1, *, gated: bool = False, **options: Any) -> Any:  # noqa: ANN401 - a processor
        @processor("demo", concurrency=concurrency, **options)
        async def note(job: Job[Number]) -> int:
            self.now += 1
            self.most = max(self.most, self.now)
            self.order.append(job.data.number)
            self.times.append(Stopwatch())
            if gated:
                await self.gate.wait()
            await anyio.lowlevel.checkpoint()
            self.now -= 1
            return job.data.number

        return note


@pytest.fixture
def notes() -> Notes:
    return Notes()


async def test_jobs_run_in_the_order_of_their_adding(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor())

    async with app:
        await (await app.producer(Number)).add_bulk(Number(number=n) for n in range(50))
        worker = open_app(notes.processor())
        async with working(worker):
            await all_finished(app, "demo")

    assert notes.order == list(range(50))


async def test_jobs_that_end_together_leave_in_halves(
    open_app: Open, notes: Notes, store: Store, keys: QueueKeys
) -> None:
    app = open_app(notes.processor())

    async with app:
        await (await app.producer(Number)).add_bulk(Number(number=n) for n in range(30))
        async with working(open_app(notes.processor(concurrency=10, gated=True))):
            await until(lambda: notes.now == 10)
            notes.gate.set()
            await all_finished(app, "demo")

    told = [event for event in await events_of(store, keys) if event in {"active", "completed"}]
    assert told[:25] == [*["active"] * 10, *["completed"] * 5, *["active"] * 5, *["completed"] * 5]


async def test_urgent_jobs_run_before_others(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor())

    async with app:
        producer = await app.producer(Number)
        wanted = [
            JobOptions(priority=5),
            JobOptions(priority=1),
            JobOptions(),
            JobOptions(lifo=True),
            JobOptions(priority=5),
        ]
        for number, options in enumerate(wanted):
            await producer.add(Number(number=number), **options)
        worker = open_app(notes.processor())
        async with working(worker):
            await all_finished(app, "demo")

    assert notes.order == [3, 2, 1, 0, 4]


async def test_a_worker_never_runs_more_than_its_concurrency(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor(7))

    async with working(app):
        await (await app.producer(Number)).add_bulk(Number(number=n) for n in range(700))
        await all_finished(app, "demo")

    assert notes.most <= 7
    assert sorted(notes.order) == list(range(700))


async def test_all_slots_are_used(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor(20, gated=True))

    async with working(app):
        await (await app.producer(Number)).add_bulk(Number(number=n) for n in range(30))
        await until(lambda: app.running == 20, message="all slots are taken")
        counts = await app.queue("demo").counts()
        notes.gate.set()
        await all_finished(app, "demo")

    assert (counts[JobState.ACTIVE], counts[JobState.WAITING]) == (20, 10)


async def test_the_global_concurrency_holds_over_workers(
    open_app: Open, notes: Notes, store: Store, keys: QueueKeys
) -> None:
    await store.command("HSET", keys["meta"], "concurrency", 2)
    apps = [open_app(notes.processor(5)) for _ in range(2)]

    async with working(*apps):
        await (await apps[0].producer(Number)).add_bulk(Number(number=n) for n in range(40))
        await all_finished(apps[0], "demo")

    assert notes.most <= 2
    assert sorted(notes.order) == list(range(40))


async def test_a_limited_worker_keeps_to_its_rate(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor(10, limiter=Limiter(max=5, duration=300 * MS)))

    async with working(app):
        producer = await app.producer(Number)
        added = Stopwatch()  # a start may be heard of late, but not before it
        await producer.add_bulk(Number(number=n) for n in range(12))
        await all_finished(app, "demo")

    assert notes.times[5].at - added.at >= 0.29
    assert notes.times[10].at - added.at >= 0.59
    assert notes.times[0].seconds_until(notes.times[11]) < 2


async def test_two_workers_run_five_thousand_jobs_once_each(
    open_app: Open, notes: Notes, store: Store, keys: QueueKeys
) -> None:
    apps = [open_app(notes.processor(50)) for _ in range(2)]

    async with working(*apps):
        producer = await apps[0].producer(Number)
        await producer.add_bulk((Number(number=n) for n in range(5000)), remove_on_complete=False)
        await all_finished(apps[0], "demo", timeout=30)

    assert Counter(notes.order) == Counter(range(5000))
    assert await store.command("ZCARD", keys["completed"]) == 5000


async def test_an_idle_worker_starts_a_new_job_at_once(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor())
    waits: list[float] = []

    async with working(app):
        producer = await app.producer(Number)
        for number in range(15):
            added = Stopwatch()
            await producer.result(await producer.add(Number(number=number)))
            waits.append(added.seconds_until(notes.times[-1]))
            await until(lambda: app.running == 0, message="the worker is idle")

    assert statistics.median(waits) < 0.05


async def test_a_worker_of_another_process_starts_a_new_job_at_once(
    open_app: Open, notes: Notes
) -> None:
    producing, worker = open_app(notes.processor()), open_app(notes.processor())
    waits: list[float] = []

    async with producing, working(worker):
        producer = await producing.producer(Number)
        for number in range(15):
            added = Stopwatch()
            await producer.result(await producer.add(Number(number=number)))
            waits.append(added.seconds_until(notes.times[-1]))

    assert statistics.median(waits) < 0.05


async def test_idle_workers_share_a_burst(open_app: Open) -> None:
    many = [Notes(), Notes()]
    apps = [open_app(each.processor(1, gated=True)) for each in many]

    async with working(*apps):
        await (await apps[0].producer(Number)).add_bulk(Number(number=n) for n in range(2))
        await until(lambda: all(app.running == 1 for app in apps), timeout=1, message="both work")
        for each in many:
            each.gate.set()


async def test_a_delayed_job_runs_when_it_is_due(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor())

    async with working(app):
        producer = await app.producer(Number)
        added = Stopwatch()
        await producer.result(await producer.add(Number(number=1), delay=300 * MS))

    assert notes.times[0].at - added.at >= 0.29
    assert added.seconds_until(notes.times[0]) < 0.5


async def test_a_sooner_delay_is_noticed_while_a_later_one_is_waited_for(
    open_app: Open, notes: Notes
) -> None:
    app = open_app(notes.processor())

    async with working(app):
        producer = await app.producer(Number)
        await producer.add(Number(number=1), delay=60 * SECOND)
        await producer.add(Number(number=2), delay=2 * SECOND)
        added = Stopwatch()
        await producer.result(await producer.add(Number(number=3), delay=200 * MS))

    assert notes.times[0].at - added.at >= 0.19
    assert added.seconds_until(notes.times[0]) < 0.5


async def test_a_delayed_job_runs_on_time_while_a_slot_is_busy(open_app: Open) -> None:
    notes = Notes()
    app = open_app(notes.processor(2, gated=True))

    async with working(app):
        producer = await app.producer(Number)
        await producer.add(Number(number=1))
        await until(lambda: notes.order == [1], message="one slot is busy")
        added = Stopwatch()
        await producer.add(Number(number=2), delay=200 * MS)
        await until(lambda: notes.order == [1, 2], message="the delayed job runs")
        notes.gate.set()

    assert notes.times[1].at - added.at >= 0.19
    assert added.seconds_until(notes.times[1]) < 0.5


async def test_a_pause_stops_fetching_and_a_resume_starts_at_once(
    open_app: Open, notes: Notes
) -> None:
    app = open_app(notes.processor())

    async with working(app):
        producer, queue = await app.producer(Number), app.queue("demo")
        await producer.result(await producer.add(Number(number=0)))
        await queue.pause()
        await producer.add(Number(number=1))
        await anyio.sleep(0.3)
        ran_while_paused = list(notes.order)
        resumed = Stopwatch()
        await queue.resume()
        await until(lambda: notes.order == [0, 1], message="the job runs")

    assert ran_while_paused == [0]
    assert resumed.seconds_until(notes.times[-1]) < 1


async def test_a_paused_queue_finishes_what_runs(open_app: Open, notes: Notes) -> None:
    app = open_app(notes.processor(1, gated=True))

    async with working(app):
        producer, queue = await app.producer(Number), app.queue("demo")
        job = await producer.add(Number(number=0))
        await until(lambda: app.running == 1, message="the job runs")
        await queue.pause()
        notes.gate.set()
        assert await producer.result(job) == 0


def failing(times: list[Stopwatch], failures: int) -> Any:  # noqa: ANN401 - a processor
    @processor("demo")
    async def fails(job: Job[Number]) -> str:
        times.append(Stopwatch())
        if job.attempts_made < failures:
            raise ValueError(f"failure {job.attempts_made + 1}")
        return f"after {job.attempts_made}"

    return fails


async def test_a_retry_without_backoff_is_at_once(open_app: Open) -> None:
    times: list[Stopwatch] = []
    app = open_app(failing(times, 2))

    async with working(app):
        producer = await app.producer(Number)
        result = await producer.result(await producer.add(Number(number=1), attempts=3))

    assert result == "after 2"
    assert times[0].seconds_until(times[2]) < 0.3


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [(Fixed(100 * MS), [0.1, 0.1]), (Exponential(100 * MS), [0.1, 0.2]), (100 * MS, [0.1, 0.1])],
)
async def test_a_retry_waits_as_long_as_its_backoff_says(
    open_app: Open, backoff: Fixed, waits: list[float]
) -> None:
    times: list[Stopwatch] = []
    app = open_app(failing(times, 2))

    async with working(app):
        producer = await app.producer(Number)
        await producer.result(await producer.add(Number(number=1), attempts=3, backoff=backoff))

    for (before, after), wait in zip(pairwise(times), waits, strict=True):
        assert after.at - before.at >= wait - 0.01
        assert before.seconds_until(after) < wait + 0.2


async def test_the_last_attempt_fails_the_job_with_all_its_traces(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(failing([], 9))

    async with working(app):
        producer = await app.producer(Number)
        job = await producer.add(Number(number=1), attempts=3)
        with pytest.raises(JobFailedError, match="failure 3") as raised:
            await producer.result(job)

    assert [trace.strip().splitlines()[-1] for trace in raised.value.stacktrace] == [
        "ValueError: failure 1",
        "ValueError: failure 2",
        "ValueError: failure 3",
    ]
    assert await events_of(store, keys) == [
        "added", "waiting", "active", "waiting", "active", "waiting", "active", "failed",
        "retries-exhausted", "drained",
    ]  # fmt: skip


async def test_a_job_keeps_as_many_traces_as_it_may(open_app: Open) -> None:
    app = open_app(failing([], 9))

    async with working(app):
        producer = await app.producer(Number)
        job = await producer.add(Number(number=1), attempts=3, stack_trace_limit=1)
        with pytest.raises(JobFailedError) as raised:
            await producer.result(job)

    assert len(raised.value.stacktrace) == 1
    assert "failure 3" in raised.value.stacktrace[0]


async def test_a_queue_is_drained_once(
    open_app: Open, notes: Notes, store: Store, keys: QueueKeys
) -> None:
    app = open_app(notes.processor(3))

    async with working(app):
        await (await app.producer(Number)).add_bulk(Number(number=n) for n in range(30))
        await all_finished(app, "demo")

    drained = [one for one in await entries_of(store, keys) if one["event"] == "drained"]
    assert drained == [{"event": "drained"}]


async def test_large_payloads_flow_though_each_call_is_bounded(open_app: Open) -> None:
    sizes: list[int] = []

    @processor("demo", concurrency=40)
    async def measure(job: Job[str]) -> None:
        sizes.append(len(job.data))

    app = open_app(measure)

    async with working(app):
        queue = app.queue("demo")
        await queue.add_bulk([("text", "x" * 300_000)] * 60)
        await all_finished(app, "demo")

    assert sizes == [300_000] * 60
