"""The one wiring: a package, its settings, and what can be asked of both."""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import anyio
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from framework import (
    Application,
    Clock,
    Context,
    DependencyError,
    Job,
    JobState,
    Producer,
    RedisUnavailableError,
    RouteError,
    SettingsError,
    SyncProducer,
    processor,
    provider,
)
from framework.app.discovery import Declarations
from framework.app.settings import Settings
from framework.errors import FormatError
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, all_finished, declared, settings_of, working
from tests.support.builders import hash_of
from tests.support.clock import StillClock
from tests.support.until import until

SHOP = {
    "shop/__init__.py": "",
    "shop/contract.py": """
        from pydantic import BaseModel

        class Order(BaseModel):
            item: str

        class Parcel(BaseModel):
            item: str
    """,
    "shop/orders.py": """
        from framework import Job, Producer, processor
        from shop.contract import Order, Parcel

        @processor("orders")
        class Orders:
            def __init__(self, parcels: Producer[Parcel, str]) -> None:
                self.parcels = parcels

            async def process(self, job: Job[Order]) -> str:
                parcel = await self.parcels.add(Parcel(item=job.data.item))
                return parcel.id
    """,
    "shop/parcels.py": """
        from framework import Job, processor
        from shop.contract import Parcel

        @processor("parcels")
        async def send(job: Job[Parcel]) -> str:
            return f"sent {job.data.item}"
    """,
}


class Number(BaseModel):
    number: int


@processor("demo", concurrency=4)
async def double(job: Job[Number]) -> int:
    return 2 * job.data.number


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package in a folder of its own."""
    for name, source in SHOP.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "shop"
    for name in [one for one in sys.modules if one.partition(".")[0] == "shop"]:
        del sys.modules[name]


async def test_a_package_is_found_wired_and_run(shop: str, redis_url: str, prefix: str) -> None:
    app = Application(shop, settings=settings_of(redis_url, prefix))

    async with working(app):
        orders, parcels = app.queue("orders"), app.queue("parcels")
        parcel = await orders.result(await orders.add("order", {"item": "fern"}))
        sent = await parcels.result(parcel)

    assert sent == "sent fern"


async def test_a_misspelt_setting_is_told_with_the_nearest_one(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Told(Settings):
        greeting: str = "hello"

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FRAMEWORK_REDISURL=redis://user:secret@x\nOTHER=1\n")
    monkeypatch.setenv("FRAMEWORK_PAUSEMODE", "v5")
    monkeypatch.setenv("FRAMEWORK_ZZZ", "1")
    monkeypatch.setenv("FRAMEWORK_GREETING", "hi")
    monkeypatch.setenv("FRAMEWORK_LOG_LEVEL", "info")
    app = open_app(double)

    with capture_logs() as logs:
        async with app:
            pass

    told = [line for line in logs if line["event"] == "unknown setting, ignored"]
    assert [(line["setting"], line.get("did_you_mean")) for line in told] == [
        ("FRAMEWORK_PAUSEMODE", "FRAMEWORK_PAUSE_MODE"),
        ("FRAMEWORK_REDISURL", "FRAMEWORK_REDIS_URL"),
        ("FRAMEWORK_ZZZ", None),
    ]
    assert "secret" not in str(told)
    assert Told().greeting == "hi"


async def test_a_program_may_add_jobs_without_working(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(double)

    async with app:
        await (await app.producer(Number)).add(Number(number=1))

    assert await store.command("LLEN", keys["wait"]) == 1
    assert app.running == 0


async def test_an_app_may_open_and_close_again_and_again(open_app: Open) -> None:
    for _ in range(3):
        app = open_app(double)
        async with working(app):
            producer = await app.producer(Number)
            assert await producer.result(await producer.add(Number(number=1))) == 2


async def test_a_program_without_a_loop_uses_the_application(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(double)

    def in_a_thread() -> str:
        with app.sync() as inside:
            producer: SyncProducer[Number, int] = inside.get(SyncProducer[Number, int])
            return producer.add(Number(number=1)).id

    job_id = await anyio.to_thread.run_sync(in_a_thread)

    assert (await hash_of(store, keys, job_id))["name"] == "number"


async def test_wrong_wiring_is_found_before_redis_is_touched(prefix: str) -> None:
    class Missing:
        pass

    @processor("demo")
    class Needs:
        def __init__(self, missing: Missing) -> None: ...

        async def process(self, job: Job[Number]) -> None: ...

    nowhere = settings_of("redis://127.0.0.1:1", prefix)

    with pytest.raises(DependencyError, match="Missing") as raised:
        Application(declared(Needs), settings=nowhere)

    assert "test_application.py" in str(raised.value)


async def test_a_payload_without_a_route_is_named(open_app: Open) -> None:
    class Unknown(BaseModel):
        pass

    app = open_app(double)

    async with app:
        with pytest.raises(RouteError, match="no queue takes Unknown"):
            await app.get(Producer[Unknown])


async def test_workers_without_redis_say_where_they_looked(prefix: str) -> None:
    nowhere = settings_of("redis://127.0.0.1:1", prefix, start_timeout=timedelta(milliseconds=200))
    app = Application(declared(double), settings=nowhere)

    async with app:
        with pytest.raises(RedisUnavailableError, match=r"127\.0\.0\.1:1 \(connection refused\)"):
            await app.work()


@pytest.mark.parametrize("url", ["http://x", "redis://host:port", "nonsense"])
async def test_a_url_that_cannot_be_used_is_refused(prefix: str, url: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL"):
        Application(declared(double), settings=settings_of(url, prefix))


async def test_a_password_is_never_shown(prefix: str) -> None:
    secret = settings_of(
        "redis://user:hunter2@127.0.0.1:1", prefix, timeout=timedelta(milliseconds=100)
    )
    app = Application(declared(double), settings=secret)

    async with app:
        with pytest.raises(RedisUnavailableError) as raised:
            await app.queue("demo").add("x")

    assert (
        "hunter2" not in f"{raised.value} {raised.value!r} {app.settings!r} {app.store.address!r}"
    )


async def test_a_queue_is_looked_at_by_its_name(open_app: Open) -> None:
    app = open_app(double)

    async with working(app):
        queue = app.queue("demo")
        for number in range(3):  # one ends before the next begins
            await queue.add("number", {"number": number})
            await all_finished(app, "demo")
        counts = await queue.counts()
        page = await queue.jobs("completed", 0, 1)
        state = await queue.state("1")

    assert counts[JobState.COMPLETED] == 3
    assert [job.id for job in page] == ["3", "2"]
    assert state is JobState.COMPLETED


async def test_events_of_a_queue_are_followed(open_app: Open) -> None:
    app = open_app(double)
    seen: list[str] = []

    async def follow() -> None:
        async for event in app.queue("demo").events(after="0-0"):
            seen.append(event.event)  # noqa: PERF401 - it never ends

    async with app, anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await app.queue("demo").add("x", {"number": 1})
        await app.queue("demo").pause()
        await until(lambda: len(seen) == 3, message="all was heard")
        tasks.cancel_scope.cancel()

    assert seen == ["added", "waiting", "paused"]


async def test_nothing_declared_is_nothing_to_do(redis_url: str, prefix: str) -> None:
    app = Application(Declarations("tests"), settings=settings_of(redis_url, prefix))

    with anyio.fail_after(30):
        async with app:
            await app.work()


async def test_queues_are_used_without_a_package(redis_url: str, prefix: str) -> None:
    async with Application(settings=settings_of(redis_url, prefix)) as app:
        await app.check()
        await app.queue("demo").add("x", 1)

        counts = await app.queue("demo").counts()

    assert counts[JobState.WAITING] == 1


async def test_a_server_that_is_away_is_told_by_a_check(prefix: str) -> None:
    settings = settings_of("redis://127.0.0.1:1", prefix, start_timeout=timedelta(seconds=0.1))

    async with Application(settings=settings) as app:
        with pytest.raises(RedisUnavailableError):
            await app.check()


async def test_an_override_stands_in_for_what_is_provided(redis_url: str, prefix: str) -> None:
    class Clock:
        def now(self) -> int:
            return 1

    class Fake(Clock):
        def now(self) -> int:
            return 2

    @processor("demo")
    class Tells:
        def __init__(self, clock: Clock) -> None:
            self.clock = clock

        async def process(self, job: Job[Any], ctx: Context) -> int:
            return self.clock.now()

    app = Application(
        declared(Tells), settings=settings_of(redis_url, prefix), overrides={Clock: Fake()}
    )

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("x")) == 2


async def test_our_retention_is_written_for_every_peer_to_honour(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    app = open_app(double)

    async with app:
        await (await app.producer(Number)).add(Number(number=1))

    opts = json.loads((await hash_of(store, keys, "1"))["opts"])
    assert (opts["removeOnComplete"], opts["fw"]) == (1000, 1)


async def test_an_application_may_be_entered_again(open_app: Open) -> None:
    app = open_app(give_back_text)

    for _ in range(2):
        async with working(app):
            queue = app.queue("demo")
            assert await queue.result(await queue.add("n", "hi")) == "hi"


@processor("demo")
async def give_back_text(job: Job[str]) -> str:
    return job.data


@processor("newer")
async def too_old_for(job: Job[str]) -> None: ...


async def test_a_queue_that_is_too_new_leaves_the_jobs_of_others_in_line(
    open_app: Open, store: Store, prefix: str
) -> None:
    app = open_app(give_back_text, too_old_for)
    await store.command("HSET", QueueKeys(prefix, "newer")["meta"], "x-fw.format", 99)

    async with app:
        job = await app.queue("demo").add("n", "hi")
        with pytest.raises(FormatError, match="holds format 99"):
            await app.work()

        assert await app.queue("demo").state(job.id) is JobState.WAITING


class Watch:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


@provider
def watch(clock: Clock) -> Watch:
    return Watch(clock)


async def test_the_clock_of_an_application_is_given_to_who_asks(
    redis_url: str, prefix: str
) -> None:
    clock = StillClock()
    found = declared(double, providers=(watch,))
    async with Application(found, settings=settings_of(redis_url, prefix), clock=clock) as app:
        assert (await app.get(Watch)).clock is clock
