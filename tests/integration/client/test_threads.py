"""Adds by threads that run no event loop."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from pydantic import BaseModel, Field

from framework import Application, Job, PayloadError, RedisUnavailableError, SyncProducer, processor
from framework.server import EmbeddedServer
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, declared, settings_of
from tests.support.builders import list_of
from tests.support.stopwatch import Stopwatch
from tests.support.until import until


class Reminder(BaseModel):
    text: str = Field(max_length=10)


@processor("demo")
async def remind(job: Job[Reminder]) -> str:
    return job.data.text


Adds = SyncProducer[Reminder, str]


async def test_many_threads_get_each_their_own_answer(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    def add_all(producer: Adds) -> list[str]:
        with ThreadPoolExecutor(16) as threads:
            numbers = map(str, range(400))
            jobs = threads.map(lambda text: producer.add(Reminder(text=text)), numbers)
            return [job.id for job in jobs]

    async with open_app(remind) as app:
        ids = await to_thread.run_sync(add_all, await app.get(Adds))

    assert sorted(ids, key=int) == [str(number) for number in range(1, 401)]
    assert len(await list_of(store, keys, "wait")) == 400


async def test_what_a_thread_adds_runs_in_its_order(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    def add_all(producer: Adds) -> list[str]:
        return [producer.add(Reminder(text=str(number))).id for number in range(50)]

    async with open_app(remind) as app:
        ids = await to_thread.run_sync(add_all, await app.get(Adds))

    assert ids == [str(number) for number in range(1, 51)]
    assert await list_of(store, keys, "wait") == ids[::-1]


async def test_an_odd_payload_fails_its_thread_alone(open_app: Open) -> None:
    def add(producer: Adds) -> str:
        with pytest.raises(PayloadError, match="was not added"):
            producer.add(Reminder.model_construct(text=5))  # type: ignore[arg-type]
        return producer.add(Reminder(text="fern")).id

    async with open_app(remind) as app:
        assert await to_thread.run_sync(add, await app.get(Adds)) == "1"


async def test_a_child_is_added_from_a_thread(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    def add(producer: Adds) -> tuple[str, str]:
        parent = producer.add(Reminder(text="above"), delay=timedelta(hours=1))
        return parent.id, producer.add(Reminder(text="below"), parent=parent).id

    async with open_app(remind) as app:
        parent_id, child_id = await to_thread.run_sync(add, await app.get(Adds))

    pending = await store.command("SMEMBERS", keys.job(parent_id) + ":dependencies")
    assert set(pending) == {keys.job(child_id).encode()}


async def test_a_redis_that_hangs_is_told_to_a_thread_in_time(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    settings = settings_of(address.url, prefix, timeout=timedelta(seconds=0.5))

    def add(producer: Adds) -> None:
        with pytest.raises(RedisUnavailableError):
            producer.add(Reminder(text="y"))

    async with Application(declared(remind), settings=settings) as app:
        producer = await app.get(Adds)
        await to_thread.run_sync(producer.add, Reminder(text="x"))
        os.kill(address.pid, signal.SIGSTOP)
        try:
            watch = Stopwatch()
            await to_thread.run_sync(add, producer)
            assert watch.seconds < 3
        finally:
            os.kill(address.pid, signal.SIGCONT)


async def test_an_add_that_has_begun_ends_before_the_application_does(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    app = Application(declared(remind), settings=settings_of(address.url, prefix))
    ids: list[str] = []

    async with app:
        producer = await app.get(Adds)
        await to_thread.run_sync(producer.add, Reminder(text="x"))
        os.kill(address.pid, signal.SIGSTOP)
        thread = threading.Thread(target=lambda: ids.append(producer.add(Reminder(text="y")).id))
        thread.start()
        await until(lambda: bool(app._lines.adder._threads._waiting), message="it has begun")  # noqa: SLF001 - no event says so
        threading.Timer(0.1, os.kill, (address.pid, signal.SIGCONT)).start()
    await to_thread.run_sync(thread.join)

    assert ids == ["2"]


async def test_an_add_after_the_end_is_refused(open_app: Open) -> None:
    async with open_app(remind) as app:
        producer = await app.get(Adds)

    with pytest.raises(RuntimeError, match="not running"):
        await to_thread.run_sync(producer.add, Reminder(text="x"))


async def test_the_loop_s_own_thread_is_refused(open_app: Open) -> None:
    async with open_app(remind) as app:
        producer = await app.get(Adds)
        with pytest.raises(RuntimeError, match="use Producer"):
            producer.add(Reminder(text="x"))


FORKING = """
import os, sys
from pydantic import BaseModel
from framework import Application, Job, SyncProducer, processor
from tests.support.apps import declared, settings_of

class Number(BaseModel):
    number: int

@processor("demo")
async def ignore(job: Job[Number]) -> None: ...

with Application(declared(ignore), settings=settings_of(*sys.argv[1:])).sync() as app:
    producer = app.get(SyncProducer[Number])
    child = os.fork()
    if not child:
        try:
            producer.add(Number(number=1))
        except RuntimeError as error:
            os.write(1, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.write(1, f", {producer.add(Number(number=1)).id}".encode())
"""


async def test_a_forked_child_is_told_that_the_application_is_not_its_own(
    redis_url: str, prefix: str
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKING, redis_url, prefix]

    done = await anyio.run_process(command, cwd=Path(__file__).parents[3])

    assert done.stdout == b"this process was forked; enter an application of its own here, 1"
