"""An idle worker costs Redis next to nothing, and is still there at once."""

from typing import Any

import anyio

from framework import Job, processor
from framework.store.store import Store
from tests.support.apps import Open, working

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


async def test_idle_workers_do_not_ask_redis_again_and_again(open_app: Open, store: Store) -> None:
    app = open_app(one, two, three)

    async with working(app):
        await commands_in_a_window(store)  # each worker starts: it looks around and shows itself
        at_first = await commands_in_a_window(store)
        for name in ("one", "two", "three"):
            assert await app.queue(name).result(await app.queue(name).add("n", 1)) == name
        afterwards = await commands_in_a_window(store)

    # The waiter for results looks each second; workers look every five.
    assert at_first < 20
    assert afterwards < 40
