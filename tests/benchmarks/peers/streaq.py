"""streaQ, on uvloop.

It reads from streams and prefetches as many tasks as it runs at once, its default; a task is
acknowledged when it has ended, and its result is kept for five minutes. What is done leaves no
count in Redis, so the handlers note it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from streaq import Worker

from tests.benchmarks.peers.handlers import ASYNC
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

worker = Worker(
    redis_url=REDIS_URL,
    concurrency=number("CONCURRENCY", 100),
    anyio_kwargs={"use_uvloop": True},
)
tasks = {name: worker.task(handler) for name, handler in ASYNC.items()}


def work() -> list[str]:
    processes = str(number("PROCESSES", 1))
    return [tool("streaq"), "run", "tests.benchmarks.peers.streaq:worker", "--workers", processes]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    task = tasks[HANDLER]
    async with worker:

        async def add(n: int) -> None:
            await task.enqueue(n)

        async def add_bulk(numbers: Sequence[int]) -> None:
            await worker.enqueue_many([task.enqueue(n) for n in numbers])

        async def ask(n: int) -> int:
            sent = await task.enqueue(n)
            value: int = (await sent.result(timeout=10)).result
            return value

        yield Client(add, add_bulk, ask)


if __name__ == "__main__":
    main("streaq", work, opened)
