"""Putting jobs in: alone, in bulk, at the same time, from threads, and what is refused."""

import math
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from pydantic import BaseModel, Field

from framework import (
    Application,
    Job,
    JobOptions,
    JobState,
    OptionsError,
    PayloadError,
    Producer,
    RedisRefusedError,
    RedisUnavailableError,
    SyncProducer,
    processor,
)
from framework.server import EmbeddedServer
from framework.store.store import Store
from framework.store.transitions.add import add_call
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, declared, settings_of, working
from tests.support.builders import hash_of, list_of
from tests.support.stopwatch import Stopwatch
from tests.support.until import until


class Reminder(BaseModel):
    text: str = Field(max_length=10)
    weight: float | None = None


@processor("demo", defaults=JobOptions(attempts=4))
async def remind(job: Job[Reminder]) -> str:
    return job.data.text


async def test_an_added_job_comes_back_as_a_value(open_app: Open) -> None:
    app = open_app(remind)
    before = datetime.now(UTC) - timedelta(seconds=1)  # noqa: TID251 - beside the real clock

    async with app:
        producer = await app.producer(Reminder)
        job = await producer.add(Reminder(text="fern"), priority=3)

    assert (job.id, job.queue, job.name) == ("1", "demo", "reminder")
    assert job.data == Reminder(text="fern")
    assert (job.priority, job.attempts, job.attempts_made) == (3, 4, 0)
    assert job.timestamp > before


async def test_defaults_give_way_to_what_an_add_says(open_app: Open) -> None:
    app = open_app(remind)

    async with app:
        producer = await app.producer(Reminder)
        jobs = [
            await producer.add(Reminder(text="")),
            await producer.add(Reminder(text=""), attempts=1),
        ]

    assert [job.attempts for job in jobs] == [4, 1]


async def test_adds_made_together_each_have_their_answer(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)
    jobs: dict[str, str] = {}

    async def add(n: int) -> None:
        job = await producer.add(Reminder(text=str(n)))
        jobs[job.id] = job.data.text

    async with app:
        producer = await app.producer(Reminder)
        async with anyio.create_task_group() as tasks:
            for n in range(500):
                tasks.start_soon(add, n)

    assert len(jobs) == 500
    for job_id, text in list(jobs.items())[::50]:
        assert f'"{text}"' in (await hash_of(store, keys, job_id))["data"]


async def test_a_bad_payload_fails_its_caller_alone(open_app: Open) -> None:
    app = open_app(remind)
    good: list[Any] = []
    producer: Producer[Any]

    async def add(text: str) -> None:
        good.append(await producer.add({"text": text}))

    async with app:
        producer = await app.producer(Reminder)
        with pytest.raises(ExceptionGroup) as raised:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(add, "much too long a text")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, "good")

    assert raised.group_contains(PayloadError, match="text")
    assert len(good) == 1


async def test_a_bulk_of_many_calls_keeps_its_order(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)

    async with app:
        producer = await app.producer(Reminder)
        jobs = await producer.add_bulk(Reminder(text=str(n)) for n in range(3500))

    assert [job.id for job in jobs] == [str(n) for n in range(1, 3501)]
    assert (await list_of(store, keys, "wait"))[::-1] == [job.id for job in jobs]


async def test_a_bad_payload_in_a_bulk_adds_nothing(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)
    bad = {"text": "much too long a text"}

    async with app:
        producer: Producer[Any] = await app.producer(Reminder)
        with pytest.raises(
            PayloadError, match=r"payload 1 of 2: .*reminder.* was not added: .*text"
        ):
            await producer.add_bulk([Reminder(text="good"), bad])

    assert await store.command("EXISTS", keys["wait"]) == 0


async def test_an_empty_bulk_adds_nothing(open_app: Open) -> None:
    app = open_app(remind)

    async with app:
        assert list(await (await app.producer(Reminder)).add_bulk([])) == []


async def test_a_bulk_by_name_may_differ_in_options(open_app: Open) -> None:
    app = open_app(remind)

    async with app:
        queue = app.queue("demo")
        await queue.add_bulk([
            ("a", 1, JobOptions(priority=2)),
            ("b", {"x": [1]}, JobOptions(delay=timedelta(minutes=1))),
            ("c", None, JobOptions(job_id="mine")),
            ("d", "text"),
        ])  # fmt: skip
        found = [await queue.job(job_id) for job_id in ("1", "2", "mine", "4")]
        states = [await queue.state(job_id) for job_id in ("1", "2", "mine", "4")]

    assert [job and (job.name, job.data) for job in found] == [
        ("a", 1), ("b", {"x": [1]}), ("c", None), ("d", "text"),
    ]  # fmt: skip
    assert states == [
        JobState.PRIORITIZED, JobState.DELAYED, JobState.WAITING, JobState.WAITING,
    ]  # fmt: skip


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"delay": timedelta(seconds=-1)}, "delay: it must not be negative"),
    ({"delay": 5}, "delay: it is a timedelta"),
    ({"priority": -1}, "priority: it is a whole number from 0 to 2,097,151"),
    ({"priority": 2_097_152}, "priority"),
    ({"priority": 1.5}, "priority"),
    ({"attempts": -1}, "attempts"),
    ({"attempts": True}, "attempts"),
    ({"job_id": "12"}, "job_id: '12' is a number"),
    ({"job_id": 12}, "job_id"),
    ({"job_id": ""}, "job_id: it is a text that must not be empty"),
    ({"job_id": "a:b"}, "job_id: 'a:b' holds ':'"),
    ({"job_id": "x" * 513}, "job_id: it is 513 bytes long"),
    ({"job_id": "a\nb"}, "control characters"),
    ({"job_id": "meta"}, "names a key that every queue has"),
    ({"backoff": 5}, "backoff"),
    ({"remove_on_complete": 5}, "remove_on_complete"),
    ({"remove_on_fail": 5}, "remove_on_fail"),
    ({"timestamp": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001 - that is the point
    ({"timestamp": datetime(1969, 1, 1, tzinfo=UTC)}, "timestamp"),
    ({"atempts": 3}, "atempts: there is no such option; there are: attempts"),
    ({"size_limit": 3}, "size_limit: the data takes"),
    ({"keep_logs": -1}, "keep_logs"),
]


@pytest.mark.parametrize(("options", "text"), REFUSED, ids=[text for _, text in REFUSED])
async def test_options_out_of_range_are_refused_with_their_name(
    open_app: Open, store: Store, keys: QueueKeys, options: dict[str, Any], text: str
) -> None:
    app = open_app(remind)

    async with app:
        producer = await app.producer(Reminder)
        with pytest.raises(OptionsError, match=f"^{text}|{text}"):
            await producer.add(Reminder(text="fern"), **options)

    assert await store.command("EXISTS", keys["wait"]) == 0


NO_JSON = {
    "nan": math.nan,
    "an infinity in a list": [math.inf],
    "one deeper": {"a": {"b": -math.inf}},
    "half a character": "\ud800",
    "half a character as a key": {"\udfff": 1},
    "an object": object(),
    "an object in a set": {1, object()},
}


@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
async def test_what_json_cannot_hold_is_refused(open_app: Open, data: object) -> None:
    app = open_app(remind)

    async with app:
        with pytest.raises(PayloadError, match='"x" was not added'):
            await app.queue("demo").add("x", data)


@pytest.mark.parametrize("name", ["", "\ud800"])
async def test_a_job_needs_a_name(open_app: Open, name: str) -> None:
    app = open_app(remind)

    async with app:
        with pytest.raises(OptionsError, match="name"):
            await app.queue("demo").add(name)


async def test_code_without_a_loop_adds_and_waits(open_app: Open) -> None:
    app, worker = open_app(remind), open_app(remind)

    def in_a_thread(producer: SyncProducer[Reminder, str]) -> list[str]:
        first = producer.add(Reminder(text="one"))
        rest = producer.add_bulk([Reminder(text="two"), Reminder(text="three")])
        return [producer.result(job) for job in (first, *rest)]

    async with app, working(worker):
        producer = await app.get(SyncProducer[Reminder, str])
        results = await to_thread.run_sync(in_a_thread, producer)

    assert results == ["one", "two", "three"]


async def test_redis_that_is_not_there_is_told_in_time(prefix: str) -> None:
    settings = settings_of("redis://127.0.0.1:1", prefix, timeout=timedelta(milliseconds=300))
    app = Application(declared(remind), settings=settings)

    async with app:
        producer: Producer[Reminder, str] = await app.producer(Reminder)
        with pytest.raises(RedisUnavailableError, match=r"127\.0\.0\.1:1") as raised:
            await producer.add(Reminder(text="fern"))

    assert "REDIS_URL" in str(raised.value)


async def test_no_caller_waits_for_the_calls_that_fail_before_its_own(prefix: str) -> None:
    settings = settings_of("redis://127.0.0.1:1", prefix, timeout=timedelta(seconds=1))
    errors: list[Exception] = []

    async def add(producer: Producer[Reminder, str]) -> None:
        with pytest.raises(RedisUnavailableError) as caught:
            await producer.add(Reminder(text="x"))
        errors.append(caught.value)

    async with Application(declared(remind), settings=settings) as app:
        producer = await app.producer(Reminder)
        watch = Stopwatch()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                for _ in range(6000):
                    tasks.start_soon(add, producer)

        assert watch.seconds < 4.5  # six calls, one after the other, would take six
    assert len(errors) == 6000


async def test_a_redis_that_hangs_is_told_in_time(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    settings = settings_of(address.url, prefix, timeout=timedelta(seconds=0.5))

    async with Application(declared(remind), settings=settings) as app:
        producer = await app.producer(Reminder)
        await producer.add(Reminder(text="x"))
        os.kill(address.pid, signal.SIGSTOP)
        try:
            for ask in (partial(producer.add, Reminder(text="y")), app.queue("demo").counts):
                watch = Stopwatch()
                with pytest.raises(RedisUnavailableError):
                    await ask()
                assert watch.seconds < 2
        finally:
            os.kill(address.pid, signal.SIGCONT)


async def test_a_producer_needs_a_running_application(open_app: Open) -> None:
    app = open_app(remind)
    async with app:
        producer = await app.producer(Reminder)

    with pytest.raises(RuntimeError, match="async with"):
        await producer.add(Reminder(text="late"))


async def test_a_caller_that_is_cancelled_before_its_call_withdraws_its_job(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)

    async with app:
        producer = await app.producer(Reminder)
        await producer.add(Reminder(text="first"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(producer.add, Reminder(text="sent"))
            tasks.start_soon(producer.add, Reminder(text="gone"))
            tasks.cancel_scope.cancel()
        await producer.add(Reminder(text="last"))

    assert await list_of(store, keys, "wait") == ["3", "2", "1"]
    texts = [(await hash_of(store, keys, job_id))["data"] for job_id in ("1", "2", "3")]
    assert [text.split('"')[3] for text in texts] == ["first", "sent", "last"]


async def test_an_add_whose_connection_breaks_under_way_adds_one_job(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)
    added: list[str] = []

    async def add(producer: Producer[Reminder, str], text: str) -> None:
        added.append((await producer.add(Reminder(text=text))).id)

    async with app:
        producer = await app.producer(Reminder)
        await producer.add(Reminder(text="first"))
        async with anyio.create_task_group() as tasks:
            await store.command("CLIENT", "PAUSE", 200, "WRITE")
            tasks.start_soon(add, producer, "under way")
            tasks.start_soon(add, producer, "waits")
            await anyio.sleep(0.02)
            await app.store.recycle()

    assert sorted(added) == ["2", "3"]
    assert await list_of(store, keys, "wait") == ["3", "2", "1"]


async def test_callers_at_the_same_time_share_calls(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)

    async with app:
        producer = await app.producer(Reminder)
        await producer.add(Reminder(text="first"))
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(producer.add, Reminder(text="x"))
        lanes = await store.command("KEYS", keys.lane("*"))
        calls = [int((await store.command("GET", lane)).partition(b" ")[0]) for lane in lanes]

    assert await store.command("LLEN", keys["wait"]) == 101
    assert sum(calls) <= 5  # the last number of each lane


async def test_a_stop_answers_every_caller(store: Store, open_app: Open) -> None:
    app = open_app(remind)
    answered: list[bool] = []

    async def add(producer: Producer[Reminder, str]) -> None:
        with suppress(RuntimeError):
            await producer.add(Reminder(text="x"))
        answered.append(True)

    async with anyio.create_task_group() as tasks:
        async with app:
            producer = await app.producer(Reminder)
            await producer.add(Reminder(text="x"))
            await store.command("CLIENT", "PAUSE", 300, "WRITE")
            for _ in range(3000):
                tasks.start_soon(add, producer)
            await anyio.sleep(0.1)  # a thousand are under way
        await until(lambda: len(answered) == 3000, message="all were answered")


async def test_bulks_that_fail_together_each_tell_what_they_had_added(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(remind)
    told: dict[int, tuple[str, ...]] = {}
    sent = 0

    async def add_bulk(producer: Producer[Reminder, str], count: int) -> None:
        with pytest.raises(RedisRefusedError) as caught:
            await producer.add_bulk([Reminder(text=str(count))] * count)
        await anyio.sleep(0.01)
        told[count] = caught.value.added  # type: ignore[attr-defined]  # set by add_bulk

    async with app:
        producer = await app.producer(Reminder)

        def refused_after_1750(*args: Any) -> Any:  # noqa: ANN401 - as the original
            nonlocal sent
            if sent == 1750:
                raise RedisRefusedError("here", "it is out of memory")
            sent += len(args[2])
            return add_call(*args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("framework.store.dispatcher.add_call", refused_after_1750)
            async with anyio.create_task_group() as adding:
                adding.start_soon(add_bulk, producer, 1300)
                adding.start_soon(add_bulk, producer, 1400)

    assert sorted(len(ids) for ids in told.values()) == [875, 875]
    assert set(told[1300]).isdisjoint(told[1400])


FORKING = """
import os, sys
import anyio
from pydantic import BaseModel
from framework import Job, processor
from tests.support.apps import declared, settings_of
from framework import Application

class Number(BaseModel):
    number: int

@processor("demo")
async def ignore(job: Job[Number]) -> None: ...

app = Application(declared(ignore), settings=settings_of(*sys.argv[1:]))

async def add() -> None:
    async with app:
        producer = await app.producer(Number)
        for number in range(3):
            job = await producer.add(Number(number=number))
            os.write(1, f"{job.id} ".encode())

child = os.fork()
anyio.run(add)
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


async def test_processes_forked_with_an_application_add_each_their_own_jobs(
    redis_url: str, prefix: str, store: Store, keys: QueueKeys
) -> None:
    command = [sys.executable, "-c", FORKING, redis_url, prefix]

    done = await anyio.run_process(command, cwd=Path(__file__).parents[3])

    assert sorted(done.stdout.split()) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert await store.command("LLEN", keys["wait"]) == 6


async def test_a_queue_name_that_cannot_be_sent_stops_no_other_add(open_app: Open) -> None:
    """Half a surrogate pair, as JSON from elsewhere may hold it."""
    async with open_app(remind) as app:
        with pytest.raises(OptionsError, match="no valid Unicode text"):
            await app.queue("\ud800").add("x", {})

        assert (await app.queue("demo").add("x", {})).id
