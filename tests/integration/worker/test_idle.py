"""An idle worker costs Redis next to nothing, and is still there at once."""

from typing import Any

import anyio
from anyio import to_thread

from framework import Application, Job, processor
from framework.server import EmbeddedServer
from framework.store.store import Store
from tests.support.apps import declared, settings_of, working
from tests.support.until import until

WINDOW_SECONDS = 0.5


@processor("one")
async def one(job: Job[Any]) -> str:
    return "one"


@processor("two", concurrency=5)
async def two(job: Job[Any]) -> str:
    return "two"


@processor("three", concurrency=50)
async def three(job: Job[Any]) -> str:
    return "three"


async def commands_in_a_window(store: Store) -> int:
    before = int((await store.command("INFO", "stats"))["total_commands_processed"])
    await anyio.sleep(WINDOW_SECONDS)  # the window that is counted in
    after = int((await store.command("INFO", "stats"))["total_commands_processed"])
    return after - before


async def comes_to_rest(store: Store, at_most: int) -> None:
    """Wait for a window of few commands: before it, workers look around and show themselves."""

    async def is_at_rest() -> bool:
        return await commands_in_a_window(store) < at_most

    await until(is_at_rest, message=f"fewer than {at_most} commands in {WINDOW_SECONDS} s")


async def test_idle_workers_do_not_ask_redis_again_and_again(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    app = Application(declared(one, two, three), settings=settings_of(address.url, prefix))

    async with working(app):
        await comes_to_rest(app.store, 20)
        for name in ("one", "two", "three"):
            assert await app.queue(name).result(await app.queue(name).add("n", 1)) == name
        # The waiter for results looks each second; workers look every five.
        await comes_to_rest(app.store, 40)


async def test_a_lone_job_costs_an_idle_worker_two_calls(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    app = Application(declared(three), settings=settings_of(address.url, prefix))

    async def scripts_run() -> int:
        stats = await app.store.command("INFO", "commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    async def calls_of_a_job() -> int:
        await comes_to_rest(app.store, 20)
        before = await scripts_run()
        job = await app.queue("three").add("n", 1)
        key = f"{prefix}:three:{job.id}"
        await until(lambda: app.store.command("HGET", key, "finishedOn"), message="it has ended")
        return await scripts_run() - before

    async with working(app):
        await app.queue("three").add("n", 1)
        counts = [await calls_of_a_job() for _ in range(3)]

    # To add it, to take it, to end it; now and then the worker looks around by itself.
    assert min(counts) == 3
