"""ARQ, on uvloop and hiredis.

It polls for jobs, every 0.5 s by default; ``poll_delay`` is 10 ms here, so that an idle worker is
not slowed by it, and ``max_jobs`` the concurrency. A job leaves the queue when it has ended; its
result is kept for an hour, as by default.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from arq import create_pool, func
from arq.connections import RedisSettings

from tests.benchmarks.peers.handlers import ASYNC
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

REDIS = RedisSettings.from_dsn(REDIS_URL)


def function(name: str) -> Any:  # noqa: ANN401
    handler = ASYNC[name]

    async def run(_: object, n: int) -> Any:  # noqa: ANN401
        return await handler(n)

    return func(run, name=name)


class WorkerSettings:
    functions = [function(name) for name in ASYNC if name != "block"]  # noqa: RUF012
    redis_settings = REDIS
    max_jobs = number("CONCURRENCY", 100)
    poll_delay = 0.01
    handle_signals = True


uvloop.install()


def work() -> list[str]:
    return [tool("arq"), "tests.benchmarks.peers.arq.WorkerSettings"]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    pool = await create_pool(REDIS)

    async def add(n: int) -> None:
        await pool.enqueue_job(HANDLER, n)

    async def ask(n: int) -> int:
        job = await pool.enqueue_job(HANDLER, n)
        value: int = await job.result(timeout=10, poll_delay=0.001)
        return value

    yield Client(add, ask=ask)
    await pool.aclose()


if __name__ == "__main__":
    main("arq", work, opened)
