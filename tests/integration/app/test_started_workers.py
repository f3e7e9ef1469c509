"""Workers that are started and stopped while an application runs, and queues by any name."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, SecretStr

from framework import (
    Application,
    Context,
    DeclarationError,
    Job,
    JobState,
    OptionsError,
    Queue,
    Queues,
    RedisUnavailableError,
    Workers,
    processor,
)
from framework.app.settings import Settings
from framework.store.store import Store
from framework.store.transitions.running import EXTEND_LOCKS
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, declared, settings_of, working
from tests.support.proxy import Proxy
from tests.support.until import until

SOON = timedelta(seconds=5)
RENEWAL = f"EVALSHA {EXTEND_LOCKS.sha}"


class Number(BaseModel):
    number: int


class Meeting:
    """Where so many jobs wait for each other."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._all_here = anyio.Event()

    async def wait(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self._all_here.set()
        await self._all_here.wait()


class Scale:
    def __init__(self) -> None:
        self.factor = 3


@processor("doubles", concurrency=2)
async def double(job: Job[Number]) -> int:
    return 2 * job.data.number


async def scale(job: Job[Number], by: Scale) -> int:
    return by.factor * job.data.number


@processor("threads", run_in="thread")
def in_a_thread(job: Job[str]) -> str:
    return job.data.upper()


@processor("children", run_in="process")
def in_a_process(job: Job[str]) -> str:
    return job.data


class Odd:
    """Nobody provides it."""


async def ask_for_odd(job: Job[str], odd: Odd) -> None: ...


async def test_a_queue_of_any_name_and_prefix_is_reached(open_app: Open, prefix: str) -> None:
    async with open_app() as app:
        queues = await app.get(Queues)
        mine = await queues.get("mine").add("n", 1)
        there = await queues.get("mine", prefix=f"{prefix}-other").add("n", 2)

        assert await app.queue("mine").job(mine.id) is not None
        assert await app.queue("mine").job(there.id + "0") is None
        found = await queues.get("mine", prefix=f"{prefix}-other").job(there.id)
        assert found is not None
        assert found.data == 2
        assert mine.id == there.id  # each counts its own


async def test_a_dropped_queue_goes_on_for_who_uses_it(open_app: Open) -> None:
    async with open_app() as app:
        queues = await app.get(Queues)
        used = queues.get("mine")
        async with used.listen() as listener:
            queues.drop("mine")
            queues.drop("never there")
            await queues.get("mine").add("n", 1)

            assert [one.event for one in await listener.receive()][:1] == ["added"]
        assert (await used.counts())[JobState.WAITING] == 1


@pytest.mark.parametrize("name", ["", "a:b", 7])
async def test_what_is_no_name_of_a_queue_is_refused(open_app: Open, name: str) -> None:
    async with open_app() as app:
        with pytest.raises(OptionsError, match="name"):
            (await app.get(Queues)).get(name)


async def test_a_started_worker_runs_jobs_beside_those_that_are_declared(open_app: Open) -> None:
    settings = open_app().settings
    app = Application(declared(double), settings=settings, overrides={Scale: Scale()})
    async with working(app):
        workers, queues = await app.get(Workers), await app.get(Queues)
        await workers.start(scale, queue="triples", concurrency=3)
        await workers.start(in_a_thread)

        triple = await queues.get("triples").add("n", {"number": 5})
        loud = await queues.get("threads").add("n", "ab")
        doubled = await queues.get("doubles").add("n", {"number": 5})

        assert await queues.get("triples").result(triple, timeout=SOON) == 15
        assert await queues.get("threads").result(loud, timeout=SOON) == "AB"
        assert await queues.get("doubles").result(doubled, timeout=SOON) == 10
        assert workers.declared == (double,)


async def test_a_second_start_gives_the_first_worker(open_app: Open) -> None:
    async with open_app() as app:
        first = await app.workers.start(double)

        assert await app.workers.start(double) is first
        assert app.workers.started == (first,)
        assert len(await app.queue("doubles").workers()) <= 1


async def test_a_stopped_worker_takes_no_more_and_can_be_started_anew(open_app: Open) -> None:
    began, may_end = anyio.Event(), anyio.Event()

    @processor("slow")
    async def wait(job: Job[int]) -> int:
        began.set()
        await may_end.wait()
        return job.data

    async with open_app() as app:
        queue = app.queue("slow")
        worker = await app.workers.start(wait)
        job = await queue.add("n", 1)
        await began.wait()
        assert (worker.running, app.running) == (1, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(worker.stop)
            await until(lambda: worker.is_ending)
            later = await queue.add("n", 2)
            may_end.set()

        assert await queue.result(job, timeout=SOON) == 1
        assert worker.has_ended
        assert app.workers.started == ()
        assert await queue.state(later.id) == "waiting"

        again = await app.workers.start(wait)
        assert again is not worker
        assert await queue.result(later, timeout=SOON) == 2


async def test_what_runs_may_end_while_the_application_closes(open_app: Open) -> None:
    began = anyio.Event()

    @processor("slow")
    async def nap(job: Job[int], ctx: Context) -> str:
        began.set()
        await anyio.sleep(0.1)
        await ctx.progress(50)
        return "done"

    async with open_app() as app:
        await app.workers.start(nap)
        job = await app.queue("slow").add("n", 1)
        await began.wait()

    async with app:
        assert await app.queue("slow").result(job, timeout=SOON) == "done"
        assert app.workers.started == ()


@pytest.mark.parametrize(
    ("target", "queue", "words"),
    [
        (double, "declared", "does already"),
        (scale, None, "is no processor"),
        (scale, "a:b", "queue"),
        (in_a_process, None, "imports what a package declares"),
        (ask_for_odd, "odd", "Odd"),
    ],
)
async def test_what_cannot_be_worked_is_refused(
    open_app: Open, target: object, queue: str | None, words: str
) -> None:
    @processor("declared")
    async def own(job: Job[str]) -> None: ...

    async with open_app(own) as app:
        with pytest.raises(DeclarationError, match=words):
            await app.workers.start(target, queue=queue)  # type: ignore[arg-type]

        assert app.workers.started == ()


async def test_health_tells_of_started_workers_beside_the_declared(open_app: Open) -> None:
    app = open_app(double)
    async with working(app):
        await app.workers.start(in_a_thread)
        health = await app.health()

        assert [one.queue for one in health.queues] == ["doubles", "threads"]
        assert [one.waiting for one in health.queues] == [0, 0]
        assert health.is_ready


async def test_health_tells_of_workers_started_without_others(open_app: Open) -> None:
    async with open_app() as app:
        worker = await app.workers.start(double)
        health = await app.health()
        await worker.stop()

        assert [(one.queue, one.concurrency) for one in health.queues] == [("doubles", 2)]
        assert health.redis.version
        assert (await app.health()).queues == ()


async def test_another_processor_on_a_queue_is_refused(open_app: Open) -> None:
    async with open_app() as app:
        await app.workers.start(double)

        with pytest.raises(DeclarationError, match=r"\.double does already"):
            await app.workers.start(in_a_thread, queue="doubles")


async def test_a_start_without_redis_is_refused_and_can_be_tried_again(unused_url: str) -> None:
    settings = Settings(redis_url=SecretStr(unused_url), start_timeout=timedelta(seconds=0.2))
    async with Application(declared(), settings=settings) as app:
        with pytest.raises(RedisUnavailableError):
            await app.workers.start(double)

        assert app.workers.started == ()


async def test_a_closed_application_starts_no_worker(open_app: Open) -> None:
    app = open_app()

    with pytest.raises(RuntimeError, match="not running"):
        await app.workers.start(double)


@pytest.fixture
def unused_url() -> str:
    return "redis://127.0.0.1:1"


async def test_workers_with_labels_work_one_queue_beside_each_other(open_app: Open) -> None:
    together = Meeting(2)

    def meets(by: str) -> Any:  # noqa: ANN401 - a processor
        async def meet(job: Job[int]) -> str:
            await together.wait()
            return by

        return meet

    async with open_app() as app:
        queue = app.queue("mail")
        first = await app.workers.start(meets("first"), queue="mail", label="first")
        second = await app.workers.start(meets("second"), queue="mail", label="second")

        jobs = await queue.add_bulk([("n", 1), ("n", 2)])
        results = {await queue.result(job, timeout=SOON) for job in jobs}

        assert results == {"first", "second"}
        assert app.workers.started == (first, second)
        assert (first.label, second.label) == ("first", "second")


async def test_a_worker_is_resized_while_it_works(open_app: Open) -> None:
    gate, running = anyio.Event(), 0

    async def wait(job: Job[int]) -> None:
        nonlocal running
        running += 1
        await gate.wait()

    async with open_app() as app:
        queue = app.queue("mail")
        await queue.add_bulk([("n", number) for number in range(12)])
        worker = await app.workers.start(wait, queue="mail", concurrency=10, idle=True)
        assert (worker.concurrency, worker.running) == (0, 0)

        worker.resize(2)
        await until(lambda: running == 2, message="two run")
        worker.resize(9)
        await until(lambda: running == 9, message="nine run")
        worker.resize(1)
        gate.set()
        await until(lambda: running == 12, message="all ran")
        worker.resize(0)
        late = await queue.add("late", 12)

        assert await queue.state(late.id) is JobState.WAITING
        worker.resize(1)
        await queue.result(late, timeout=SOON)
        with pytest.raises(OptionsError, match="from 0 to 10"):
            worker.resize(11)


async def test_a_job_is_given_back_to_another_with_its_token(open_app: Open) -> None:
    seen: list[tuple[int, str]] = []

    @processor("mail")
    async def run(job: Job[int], ctx: Context) -> None:
        held = await app.queue("mail").held_job(job.id, ctx.token)
        seen.append((job.attempts_started, held.id))
        if len(seen) == 1:
            await ctx.give_back()
        if len(seen) == 2:
            await ctx.give_back(max_stalled=1)

    app = open_app(run)
    async with working(app):
        job = await app.queue("mail").add("n", 1)
        await app.queue("mail").result(job, timeout=SOON)
        done = await app.queue("mail").job(job.id)

    assert seen == [(1, job.id), (2, job.id), (3, job.id)]
    assert done is not None
    assert (done.attempts_made, done.stalled_counter) == (1, 1)


@pytest.mark.parametrize(("ends", "why"), [("cancel", "cancelled"), ("stop", "stop")])
async def test_a_handler_learns_why_it_is_cancelled(open_app: Open, ends: str, why: str) -> None:
    told: list[object] = []

    @processor("mail")
    async def run(job: Job[int], ctx: Context) -> None:
        try:
            told.append(ctx.why_cancelled)
            await anyio.sleep_forever()
        finally:
            told.append(ctx.why_cancelled)

    app = open_app(run)
    async with working(app):
        job = await app.queue("mail").add("n", 1)
        await until(lambda: told, message="it runs")
        if ends == "cancel":
            await app.queue("mail").cancel(job.id, "enough")
        else:
            app.stop(now=True)
        await until(lambda: len(told) == 2, message="it was cancelled")

    assert told == [None, why]


async def test_a_lock_extended_by_hand_outlasts_what_renews_it(
    redis_url: str, prefix: str, store: Store, keys: QueueKeys
) -> None:
    extended, gate = anyio.Event(), anyio.Event()

    @processor("demo", lock_duration=timedelta(seconds=1))
    async def run(job: Job[int], ctx: Context) -> None:
        await app.queue("demo").extend_locks({job.id: ctx.token}, timedelta(minutes=5))
        extended.set()
        await gate.wait()

    async with Proxy(redis_url, chance=0).serve() as proxy:
        app = Application(declared(run), settings=settings_of(proxy.url, prefix))
        async with working(app):
            job = await app.queue("demo").add("n", 1)
            await extended.wait()
            enough = proxy.replies[RENEWAL] + 2
            await until(lambda: proxy.replies[RENEWAL] >= enough, message="several renewals")
            left_ms = await store.command("PTTL", keys.job(job.id) + ":lock")
            gate.set()

    assert left_ms > 200_000


async def test_what_works_a_queue_by_other_means_is_listed(open_app: Open) -> None:
    async with open_app() as app:
        queue = app.queue("demo")
        async with queue.show_worker("far away"):
            (listed,) = await queue.workers()

        with pytest.raises(ValueError, match="alone"):
            async with queue.show_worker():
                raise ValueError("alone")

        assert listed.name == "far-away"
        assert int(listed.id) > 0
        await until(queue_is_empty(queue), message="it is listed no more")


def queue_is_empty(queue: Queue) -> Any:  # noqa: ANN401 - a condition
    async def nobody() -> bool:
        return not await queue.workers()

    return nobody


async def test_a_started_worker_is_called_as_asked(open_app: Open) -> None:
    async with open_app() as app:
        await app.workers.start(double, name="two of two")
        queue = app.queue("doubles")
        await queue.result(await queue.add("n", {"number": 1}), timeout=SOON)
        job = await queue.job("1")
        (shown,) = await until(queue.workers, message="dashboards see it")

    assert job is not None
    assert job.processed_by == "two of two"
    assert shown.name == "two-of-two"
