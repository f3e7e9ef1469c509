"""Huey on Redis with threads, its default kind of worker; two consumers where two are asked for.

At most 100 threads, also where more jobs at once are asked for: with more it gets slower.

Its blocking pop takes a task out of Redis before it runs: there is no acknowledgement, and a task
that dies with its worker is lost. So the handlers note what is done. Results are off except where
one is waited for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from huey import RedisHuey

from tests.benchmarks.peers.handlers import PLAIN
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

huey = RedisHuey("bench", url=REDIS_URL, results=HANDLER == "echo")
tasks = {name: huey.task(name=name)(handler) for name, handler in PLAIN.items()}


def work() -> list[str]:
    concurrency = min(number("CONCURRENCY", 100), 100)
    size = ["-k", "thread", "-w", str(concurrency), "-q", "-g", "TERM"]
    return [tool("huey_consumer"), "tests.benchmarks.peers.huey.huey", *size]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    task = tasks[HANDLER]

    def add(n: int) -> None:
        task(n)

    def ask(n: int) -> int:
        value: int = task(n)(blocking=True, timeout=10, backoff=1.0, max_delay=0.001)
        return value

    yield Client(add, ask=ask)


if __name__ == "__main__":
    main("huey", work, opened)
