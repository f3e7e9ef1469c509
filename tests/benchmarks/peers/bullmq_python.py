"""BullMQ for Python.

Its worker is an object in a program of one's own: it has no command. uvloop and hiredis are
installed and taken. Jobs are locked, and acknowledged when they end, as on Node; completed jobs
are kept as on every side.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bullmq import Job, Queue, Worker

from tests.benchmarks.peers.handlers import ASYNC
from tests.benchmarks.peers.roles import (
    HANDLER,
    KEEP,
    REDIS_URL,
    Client,
    loop_factory,
    main,
    number,
)

OPTIONS = {"removeOnComplete": int(KEEP)} if KEEP.isdecimal() else {}


def work() -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.peers.bullmq_python", "serve"]


async def serve() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    handler = ASYNC[HANDLER]

    async def process(job: Job, _token: str) -> Any:  # noqa: ANN401
        return await handler(job.data["n"])

    options = {"connection": REDIS_URL, "concurrency": number("CONCURRENCY", 100)}
    worker = Worker(HANDLER, process, options)
    await stopped.wait()
    await worker.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    queue = Queue(HANDLER, {"connection": REDIS_URL})

    async def add(n: int) -> None:
        await queue.add(HANDLER, {"n": n}, OPTIONS)

    async def add_bulk(numbers: Sequence[int]) -> None:
        await queue.addBulk([{"name": HANDLER, "data": {"n": n}, "opts": OPTIONS} for n in numbers])

    yield Client(add, add_bulk)
    await queue.close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve())
    else:
        main("bullmq", work, opened)
