"""Nothing is doubled and nothing is stranded, whatever happens to the connection."""

import os
import signal
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio import to_thread
from pydantic import BaseModel

from framework import (
    Deduplication,
    Flow,
    FlowProducer,
    Job,
    JobState,
    Producer,
    QueueEvent,
    RedisUnavailableError,
    on_queue_event,
    processor,
)
from framework.app.application import Application
from framework.server import EmbeddedServer
from framework.store.connection import Command, HeldConnection, pack
from framework.store.script import load_script
from framework.store.store import Store
from framework.store.transitions.exchange import Exchanged, exchanged
from framework.store.transitions.running import extend_locks
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, all_finished, declared, settings_of, working
from tests.support.builders import events_of, hash_of, list_of
from tests.support.proxy import Proxy
from tests.support.until import until

JOBS = 2000
SECONDS = timedelta(seconds=1)


class Number(BaseModel):
    number: int


def counting(runs: Counter[int]) -> Any:  # noqa: ANN401 - a processor
    """A processor that counts how often each number ran."""

    @processor("demo", concurrency=20, lock_duration=10 * SECONDS, stalled_interval=SECONDS)
    async def count(job: Job[Number]) -> int:
        runs[job.data.number] += 1
        await anyio.lowlevel.checkpoint()
        return job.data.number

    return count


async def add_all(app: Application, numbers: range) -> None:
    """Add half of the numbers in bulk and half one by one, all at the same time."""
    producer: Producer[Number, Any] = await app.producer(Number)
    middle = numbers.start + len(numbers) // 2
    bulk = [range(first, min(first + 100, middle)) for first in range(numbers.start, middle, 100)]
    async with anyio.create_task_group() as tasks:
        for part in bulk:
            tasks.start_soon(producer.add_bulk, [Number(number=n) for n in part])
        for number in range(middle, numbers.stop):
            tasks.start_soon(producer.add, Number(number=number))


async def check_all(store: Store, keys: QueueKeys, runs: Counter[int], count: int) -> None:
    """Each number ran once, and each job is completed and nowhere else."""
    assert runs == Counter(range(count))
    completed = await store.command("ZRANGE", keys["completed"], 0, -1)
    assert sorted(map(int, completed)) == list(range(1, count + 1))
    assert await list_of(store, keys, "wait") == []
    assert await list_of(store, keys, "active") == []
    for job_id in completed[::97]:
        fields = await hash_of(store, keys, job_id.decode())
        assert (fields["ats"], fields["atm"]) == ("1", "1")
    locks = await store.command("KEYS", f"{keys.base}*:lock")
    assert locks == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_reply_of_redis_may_be_lost(
    redis_url: str, prefix: str, store: Store, keys: QueueKeys, seed: int
) -> None:
    runs: Counter[int] = Counter()
    processors = declared(counting(runs))
    async with Proxy(redis_url, chance=0.2, seed=seed).serve() as proxy:
        told = settings_of(proxy.url, prefix, timeout=30 * SECONDS, start_timeout=30 * SECONDS)
        producing = Application(processors, settings=told)
        worker = Application(processors, settings=told)

        async with producing, working(worker):
            await add_all(producing, range(JOBS))
            await until_completed(store, keys, JOBS)
            await until(lambda: proxy.is_blocked_on("BZPOPMIN"), message="the worker is idle")
            await store.command("ZADD", keys["marker"], 0, "0")
            await until(lambda: proxy.cuts["BZPOPMIN"] > 0, message="a wake-up was lost")
            proxy.chance = 0

    await check_all(store, keys, runs, JOBS)
    for script in ("add", "exchange", "recover_stalled"):
        assert proxy.cuts[f"EVALSHA {load_script(script).sha}"] > 0
    assert proxy.cuts["PING"] > 0
    assert sum(proxy.cuts.values()) > 20


async def test_flows_whose_replies_are_lost_are_added_once(
    redis_url: str, prefix: str, store: Store, keys: QueueKeys
) -> None:
    same = Deduplication("k")
    async with Proxy(redis_url, chance=0.3).serve() as proxy:
        told = settings_of(proxy.url, prefix, timeout=30 * SECONDS)
        async with Application(declared(), settings=told) as app:
            flows = await app.get(FlowProducer)
            queue = app.queue("demo")

            async def add(number: int) -> None:
                kids = [Flow.named("demo", "kid", n, job_id=f"kid-{number}-{n}") for n in range(5)]
                root = await flows.add(Flow.named("demo", "root", None, kids))
                await queue.add("late", number, parent=root)
                await queue.add("only", number, deduplication=same)

            async with anyio.create_task_group() as tasks:
                for number in range(40):
                    tasks.start_soon(add, number)
            proxy.chance = 0
            counts = await queue.counts()

    assert counts[JobState.WAITING_CHILDREN] == 40
    assert counts[JobState.WAITING] == 40 * 6 + 1
    told_of = Counter(await events_of(store, keys))
    assert told_of["added"] == 40 * 7 + 1
    assert told_of["deduplicated"] == 39
    assert told_of["duplicated"] == 0
    assert proxy.cuts[f"EVALSHA {load_script('add_linked').sha}"] > 0


async def test_a_wake_up_that_is_lost_with_its_reply_costs_no_time(
    redis_url: str, prefix: str, store: Store, keys: QueueKeys
) -> None:
    runs: Counter[int] = Counter()
    async with Proxy(redis_url, chance=0).serve() as proxy:
        app = Application(declared(counting(runs)), settings=settings_of(proxy.url, prefix))
        async with working(app):
            producer = await app.producer(Number)
            await producer.add(Number(number=0), delay=4 * SECONDS)
            await until(lambda: proxy.is_blocked_on("BZPOPMIN"), message="the worker is idle")
            proxy.cut_next("BZPOPMIN")

            await producer.add(Number(number=1))
            await until(lambda: runs[1] == 1, timeout=1.5, message="the job ran")
            app.stop(now=True)

    assert proxy.cuts["BZPOPMIN"] == 1


async def test_a_queue_that_falls_idle_while_the_wait_connects_is_waited_for_too(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = anyio.Event()
    call = HeldConnection.call

    async def slow_to_connect(
        held: HeldConnection, command: Command, deadline: float = 10, key: str | None = None
    ) -> Any:  # noqa: ANN401 - replies have any shape
        if command == pack("CLIENT", "ID"):
            await anyio.sleep(0.3)
        return await call(held, command, deadline, key)

    @processor("second")
    async def run(job: Job[str]) -> None:
        ran.set()

    monkeypatch.setattr(HeldConnection, "call", slow_to_connect)
    app = open_app(counting(Counter()), run)
    async with working(app):
        await anyio.sleep(0.5)  # both queues are idle, and the wait has begun

        await app.queue("second").add("str", "x")

        await until(ran.is_set, timeout=1.5, message="the job ran")


async def test_a_worker_outlives_an_outage_between_a_late_answer_and_its_locks(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, store: Store, keys: QueueKeys
) -> None:
    runs: Counter[int] = Counter()
    fails = iter([True])

    def late(*args: Any, **more: Any) -> Exchanged:  # noqa: ANN401 - as the original
        came = exchanged(*args, **more)
        if came.jobs and not runs:
            time.sleep(0.6)  # a loop that is blocked hears late, too
        return came

    async def away(*args: Any) -> Any:  # noqa: ANN401 - as the original
        if next(fails, False):
            raise RedisUnavailableError("here", "connection refused")
        return await extend_locks(*args)

    @processor("demo", lock_duration=SECONDS)
    async def run(job: Job[Number]) -> None:
        runs[job.data.number] += 1

    monkeypatch.setattr("framework.worker.trip.exchanged", late)
    monkeypatch.setattr("framework.worker.late.extend_locks", away)
    app = open_app(run)
    async with working(app):
        producer = await app.producer(Number)
        await producer.add(Number(number=1))

        await until_completed(store, keys, 1)

    assert runs == Counter([1])
    assert next(fails, None) is None


async def test_queue_hooks_outlive_a_server_that_turns_replica_for_a_while(
    private_server: EmbeddedServer, prefix: str
) -> None:
    heard: list[str] = []

    @processor("demo")
    class Listener:
        async def process(self, job: Job[Number]) -> None: ...

        @on_queue_event("completed")
        def hear(self, event: QueueEvent) -> None:
            heard.append(str(event.job_id))

    address = await to_thread.run_sync(private_server.start)
    app = Application(declared(Listener), settings=settings_of(address.url, prefix))
    async with working(app), Store(address.url) as store:
        producer = await app.producer(Number)
        await producer.add(Number(number=1))
        await until(lambda: heard == ["1"], message="the first was heard")
        await store.command("REPLICAOF", "127.0.0.1", 1)

        await store.command("REPLICAOF", "NO", "ONE")
        await producer.add(Number(number=2))

        await until(lambda: heard == ["1", "2"], timeout=15, message="the second was heard")


async def until_completed(store: Store, keys: QueueKeys, count: int) -> None:
    async def are_completed() -> bool:
        done: int = await store.command("ZCARD", keys["completed"])
        return done >= count

    await until(are_completed, timeout=40, message=f"{count} jobs completed")


async def test_scripts_may_be_flushed_at_any_time(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: Counter[int] = Counter()
    app = open_app(counting(runs))
    is_done = anyio.Event()

    async def flush() -> None:
        while not is_done.is_set():
            await store.command("SCRIPT FLUSH")
            await anyio.sleep(0.01)

    async with working(app), anyio.create_task_group() as tasks:
        tasks.start_soon(flush)
        await add_all(app, range(500))
        await until_completed(store, keys, 500)
        is_done.set()

    await check_all(store, keys, runs, 500)


async def test_a_killed_redis_that_comes_back_loses_nothing(
    private_server: EmbeddedServer, prefix: str, keys: QueueKeys
) -> None:
    runs: Counter[int] = Counter()
    address = await to_thread.run_sync(private_server.start)
    app = Application(
        declared(counting(runs)),
        settings=settings_of(address.url, prefix, timeout=30 * SECONDS),
    )

    async with working(app), anyio.create_task_group() as tasks:
        tasks.start_soon(add_all, app, range(600))
        for least in (100, 300):
            await until(lambda least=least: len(runs) >= least, message="jobs run")  # type: ignore[misc]  # a default argument
            os.kill(address.pid, signal.SIGKILL)
            address = await to_thread.run_sync(private_server.start)
        await until(lambda: len(runs) == 600, timeout=20, message="all jobs ran")
        await all_finished(app, "demo", timeout=20)

    async with Store(address.url) as store:
        await check_all(store, keys, runs, 600)


async def test_a_job_added_while_redis_is_away_is_there_once_it_is_back(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    app = Application(
        declared(counting(Counter())),
        settings=settings_of(address.url, prefix, timeout=20 * SECONDS),
    )

    async with app, anyio.create_task_group() as tasks:
        producer = await app.producer(Number)
        await producer.add(Number(number=0))
        os.kill(address.pid, signal.SIGKILL)
        tasks.start_soon(producer.add, Number(number=1))
        await anyio.lowlevel.checkpoint()
        await to_thread.run_sync(private_server.start)

    async with Store(address.url) as store:
        counts = await store.command("LLEN", f"{prefix}:demo:wait")
    assert counts == 2
