"""Celery on its Redis broker, as its guides on optimizing and on workers advise for throughput.

Results are ignored (``ignore_result``) except where one is waited for; short tasks are prefetched
128 at a time; events, gossip, mingling and heartbeats are off; the pool is prefork for one process
and gevent, which its guide names for many concurrent I/O tasks, for more at a time. By default,
and here, a task is acknowledged before it runs: one that dies with its worker is lost. So there is
no record of what runs, and the handlers note it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from celery import Celery

from tests.benchmarks.peers.handlers import PLAIN
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

ASKS = HANDLER == "echo"

app = Celery("bench", broker=REDIS_URL, backend=REDIS_URL if ASKS else None)
app.conf.update(
    task_ignore_result=not ASKS,
    task_serializer="json",
    worker_prefetch_multiplier=128,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)
tasks = {name: app.task(name=name)(handler) for name, handler in PLAIN.items()}


def work() -> list[str]:
    concurrency = number("CONCURRENCY", 100)
    pool = "threads" if HANDLER == "block" else "prefork" if concurrency == 1 else "gevent"
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "error"]
    module = ["-A", "tests.benchmarks.peers.celery"]
    size = ["--pool", pool, "--concurrency", str(concurrency)]
    return [tool("celery"), *module, "worker", *size, *quiet]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    task = tasks[HANDLER]

    def add(n: int) -> None:
        task.apply_async((n,), ignore_result=True)

    def ask(n: int) -> int:
        value: int = task.delay(n).get(timeout=10)
        return value

    yield Client(add, ask=ask)


if __name__ == "__main__":
    main("celery", work, opened)
