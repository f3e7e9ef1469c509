"""RQ with its ``SimpleWorker``, which does not fork for each job: its fastest.

A worker runs one job at a time, so it is only in the rows of concurrency 1. Bulk adds are its
``enqueue_many``. Results are kept for 500 s, as by default.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis import Redis
from rq import Queue

from tests.benchmarks.peers.handlers import PLAIN
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, tool


def work() -> list[str]:
    simple = ["--worker-class", "rq.worker.SimpleWorker"]
    quiet = ["--quiet", "--disable-job-desc-logging"]
    return [tool("rq"), "worker", "--url", REDIS_URL, *simple, *quiet]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    handler = PLAIN[HANDLER]
    with Redis.from_url(REDIS_URL) as redis:
        queue = Queue(connection=redis)

        def add(n: int) -> None:
            queue.enqueue(handler, n)

        def add_bulk(numbers: Sequence[int]) -> None:
            queue.enqueue_many([Queue.prepare_data(handler, (n,)) for n in numbers])

        def ask(n: int) -> int:
            job = queue.enqueue(handler, n)
            value: int = job.latest_result(timeout=10).return_value
            return value

        yield Client(add, add_bulk, ask)


if __name__ == "__main__":
    main("rq", work, opened)
