"""Taskiq on a Redis stream, the broker of taskiq-redis that acknowledges; uvloop is installed.

A message is acknowledged when its task has ended. There is no result backend, which is the
default, except where a result is waited for. What is acknowledged stays in the stream, so the
handlers note what is done.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from tests.benchmarks.peers.handlers import ASYNC
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

# From the stream's beginning: the jobs are there before the worker is.
broker = RedisStreamBroker(REDIS_URL, consumer_id="0")
if HANDLER == "echo":
    broker = broker.with_result_backend(RedisAsyncResultBackend(REDIS_URL, result_ex_time=600))
tasks = {name: broker.task(task_name=name)(handler) for name, handler in ASYNC.items()}


def work() -> list[str]:
    concurrency = str(number("CONCURRENCY", 100))
    size = ["--workers", str(number("PROCESSES", 1)), "--max-async-tasks", concurrency]
    threads = ["--max-threadpool-threads", concurrency]
    command = [tool("taskiq"), "worker", "tests.benchmarks.peers.taskiq:broker"]
    return [*command, *size, *threads, "--log-level", "WARNING", "--ack-type", "when_executed"]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    await broker.startup()
    task = tasks[HANDLER]

    async def add(n: int) -> None:
        await task.kiq(n)

    async def ask(n: int) -> int:
        sent = await task.kiq(n)
        result = await sent.wait_result(check_interval=0.001, timeout=10)
        value: int = result.return_value
        return value

    yield Client(add, ask=ask)
    await broker.shutdown()


if __name__ == "__main__":
    main("taskiq", work, opened)
