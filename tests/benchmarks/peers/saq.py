"""SAQ on Redis, with hiredis; uvloop is installed by this file, before its command makes a loop.

Jobs are taken with a blocking pop and leave the set of incomplete jobs when they have ended; a
result is kept for ten minutes, as by default. Plain functions run in its threads.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from saq import Queue

from tests.benchmarks.peers.handlers import ASYNC
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

uvloop.install()
queue = Queue.from_url(REDIS_URL)


def function(name: str) -> tuple[str, Any]:
    handler = ASYNC[name]

    async def run(_: object, *, n: int) -> Any:  # noqa: ANN401
        return await handler(n)

    def run_plain(_: object, *, n: int) -> Any:  # noqa: ANN401
        return handler(n)

    return name, run_plain if name == "block" else run


settings = {
    "queue": queue,
    "functions": [function(name) for name in ASYNC],
    "concurrency": number("CONCURRENCY", 100),
}


def work() -> list[str]:
    processes = str(number("PROCESSES", 1))
    return [tool("saq"), "tests.benchmarks.peers.saq.settings", "--workers", processes, "--quiet"]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    await queue.connect()

    async def add(n: int) -> None:
        await queue.enqueue(HANDLER, n=n)

    async def ask(n: int) -> int:
        value: int = await queue.apply(HANDLER, n=n)
        return value

    yield Client(add, ask=ask)
    await queue.disconnect()


if __name__ == "__main__":
    main("saq", work, opened)
