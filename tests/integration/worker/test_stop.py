"""How a worker stops: it drains, then gives back, and burns no attempt."""

import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Context,
    Job,
    JobState,
    Producer,
    SyncContext,
    on_event,
    processor,
    provider,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import hash_of, list_of
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

ZERO = timedelta(0)
LONG = timedelta(seconds=30)


class Number(BaseModel):
    number: int


def hanging(ran: list[int], concurrency: int = 1) -> Any:  # noqa: ANN401 - a processor
    @processor("demo", concurrency=concurrency)
    async def hang(job: Job[Number]) -> None:
        ran.append(job.data.number)
        await anyio.sleep_forever()

    return hang


async def fill(app: Any, count: int) -> None:  # noqa: ANN401 - an application
    producer = await app.producer(Number)
    await producer.add_bulk(Number(number=n) for n in range(1, count + 1))


async def test_a_stop_lets_running_jobs_end(open_app: Open) -> None:
    gate = anyio.Event()

    @processor("demo")
    async def slow(job: Job[Number]) -> int:
        await gate.wait()
        return job.data.number

    app, watcher = open_app(slow), open_app(slow)

    async with watcher, working(app):
        await fill(watcher, 2)
        await until(lambda: app.running == 1, message="the job runs")
        app.stop()
        gate.set()

    async with watcher:
        assert await watcher.queue("demo").state("1") is JobState.COMPLETED
        assert await watcher.queue("demo").state("2") is JobState.WAITING


async def test_what_does_not_end_in_time_is_given_back_without_an_attempt(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    ran: list[int] = []
    app = open_app(hanging(ran), shutdown_timeout=timedelta(milliseconds=100))

    async with working(app):
        await fill(app, 1)
        await until(lambda: app.running == 1, message="the job runs")

    fields = await hash_of(store, keys, "1")
    assert await list_of(store, keys, "wait") == ["1"]
    assert await list_of(store, keys, "active") == []
    assert (fields["ats"], fields.get("atm"), fields.get("failedReason")) == ("1", None, None)
    assert await store.command("EXISTS", keys.job("1") + ":lock") == 0


async def test_jobs_given_back_run_again_in_their_order(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    ran: list[int] = []
    app = open_app(hanging(ran, 5), shutdown_timeout=ZERO)

    async with working(app):
        await fill(app, 8)
        await until(lambda: app.running == 5, message="five run")

    assert (await list_of(store, keys, "wait"))[::-1] == [str(n) for n in range(1, 9)]


async def test_a_job_that_clings_to_its_slot_still_ends(open_app: Open) -> None:
    seen: list[bool] = []

    @processor("demo")
    class Clings:
        async def process(self, job: Job[Number], ctx: Context) -> str:
            try:
                await anyio.sleep_forever()
            finally:
                seen.append(ctx.cancelled)
            return "never"

    app = open_app(Clings, shutdown_timeout=ZERO)

    async with working(app):
        await fill(app, 1)
        await until(lambda: app.running == 1, message="the job runs")

    assert seen == [True]


async def test_a_job_that_shrugs_off_its_cancellation_completes(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def shrugs(job: Job[Number]) -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.3)
        return "done all the same"

    app = open_app(shrugs, shutdown_timeout=timedelta(milliseconds=50))

    async with working(app):
        await fill(app, 1)
        await until(lambda: app.running == 1, message="the job runs")

    assert (await hash_of(store, keys, "1")).get("returnvalue") == '"done all the same"'


async def test_a_second_stop_does_not_wait(open_app: Open, store: Store, keys: QueueKeys) -> None:
    app = open_app(hanging([]), shutdown_timeout=LONG)

    async with working(app):
        await fill(app, 1)
        await until(lambda: app.running == 1, message="the job runs")
        app.stop()
        await anyio.lowlevel.checkpoint()
        watch = Stopwatch()
        app.stop(now=True)

    assert watch.seconds < 1
    assert await list_of(store, keys, "wait") == ["1"]


async def test_an_idle_worker_stops_at_once(open_app: Open) -> None:
    app = open_app(hanging([]), shutdown_timeout=LONG)

    async with working(app):
        watch = Stopwatch()

    assert watch.seconds < 1


async def test_a_thread_that_goes_on_is_told_and_not_waited_for(open_app: Open) -> None:
    began, told = threading.Event(), threading.Event()

    @processor("demo", run_in="thread")
    class Blocking:
        def process(self, job: Job[Number], ctx: SyncContext) -> None:
            began.set()
            while not ctx.cancelled:
                time.sleep(0.01)
            told.set()

    app = open_app(Blocking, shutdown_timeout=ZERO)

    async with working(app):
        await fill(app, 1)
        await until(began.is_set, message="the job runs")

    await until(told.is_set, message="the thread was told")


async def test_a_hook_that_hangs_holds_up_no_stop(open_app: Open) -> None:
    @processor("demo")
    class Hooked:
        async def process(self, job: Job[Number]) -> None:
            pass

        @on_event("completed")
        async def hang(self) -> None:
            await anyio.sleep_forever()

    app = open_app(Hooked, shutdown_timeout=timedelta(milliseconds=200))

    with anyio.fail_after(10):
        async with working(app):
            await fill(app, 1)
            await until(lambda: is_in(app, "1", JobState.COMPLETED), message="the job completed")


async def is_in(app: Any, job_id: str, state: JobState) -> bool:  # noqa: ANN401 - an application
    return bool(await app.queue("demo").state(job_id) is state)


@pytest.mark.parametrize("now", [False, True])
async def test_nothing_is_lost_when_a_worker_stops_under_load(
    open_app: Open, store: Store, keys: QueueKeys, *, now: bool
) -> None:
    ran: list[int] = []

    @processor("demo", concurrency=30)
    async def quick(job: Job[Number]) -> None:
        ran.append(job.data.number)
        await anyio.sleep(0.001)

    app = open_app(quick)

    async with working(app):
        await fill(app, 2000)
        await until(lambda: len(ran) > 200, message="jobs run")
        app.stop(now=now)

    waiting = {int(one) for one in await list_of(store, keys, "wait")}
    done = {int(one) for one in await store.command("ZRANGE", keys["completed"], 0, -1)}
    assert await list_of(store, keys, "active") == []
    assert waiting | done == set(range(1, 2001))
    assert not waiting & done


@dataclass
class Mailer:
    """Something that lives as long as the process."""

    told: list[str]


class Receipt(BaseModel):
    text: str


@pytest.mark.parametrize("in_time", [True, False], ids=["drained", "given back"])
async def test_what_jobs_need_is_closed_only_after_the_last_of_them(
    open_app: Open, *, in_time: bool
) -> None:
    told: list[str] = []
    gate = anyio.Event()

    @provider
    async def mailer() -> AsyncIterator[Mailer]:
        yield Mailer(told)
        told.append("closed")

    @processor("demo")
    class Clings:
        def __init__(self, mailer: Mailer, receipts: Producer[Receipt]) -> None:
            self.mailer, self.receipts = mailer, receipts

        async def process(self, job: Job[Number]) -> None:
            try:
                await gate.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    receipt = await self.receipts.add(Receipt(text="last words"))
                    self.mailer.told.append(f"added {receipt.id}")

    @processor("receipts")
    async def file(job: Job[Receipt]) -> None: ...

    app = open_app(Clings, file, providers=(mailer,), shutdown_timeout=LONG if in_time else ZERO)

    async with working(app):
        await fill(app, 1)
        await until(lambda: app.running == 1, message="the job runs")
        app.stop()
        if in_time:
            gate.set()

    assert told == ["added 1", "closed"]
