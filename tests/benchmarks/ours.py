"""One measured run of this framework; prints one line of JSON.

It takes the arguments of `node/bench.js`, does the same and prints the same line:
``python -m tests.benchmarks.ours drain --redis URL --jobs 20000 --concurrency 100 --keep all``.
"""

import json
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict
from importlib.metadata import version
from typing import Protocol

import anyio
from pydantic import BaseModel
from redis import Redis

from tests.benchmarks.costs import Cost, cost_of
from tests.support.until import until


class Noop(BaseModel):
    n: int


class Adds(Protocol):
    """What the workloads need of a ``Producer[Noop]``."""

    async def add(self, data: Noop, /) -> object: ...

    async def add_bulk(self, data: Sequence[Noop], /) -> object: ...


class OpenQueue(Protocol):
    """What the workloads need of the framework, opened for one queue."""

    @property
    def producer(self) -> Adds:
        """Adds jobs, with the retention that ``--keep`` asks for."""

    def working(self, on_run: Callable[[], None]) -> AbstractAsyncContextManager[object]:
        """Run a worker of the asked concurrency whose jobs call ``on_run`` and do nothing else."""


def open_queue(queue: str, arguments: Namespace) -> AbstractAsyncContextManager[OpenQueue]:
    """Wire the framework up for one queue."""
    raise SystemExit(f"nothing to open queue {queue} at {arguments.redis} with yet")


class Countdown:
    """Tells when the last of so many runs has begun, without a look at the clock."""

    def __init__(self, runs: int) -> None:
        self.left = runs
        self.is_over = anyio.Event()

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.is_over.set()


class Bench:
    """The workloads, on one queue."""

    def __init__(self, queue: str, count: int, arguments: Namespace, redis: Redis) -> None:
        self.queue = queue
        self.count = count
        self.arguments = arguments
        self.redis = redis

    async def measure(self) -> Cost:
        """Prepare the queue, then measure the workload alone."""
        workload: str = self.arguments.workload
        async with open_queue(self.queue, self.arguments) as opened, AsyncExitStack() as ends:
            if workload == "drain":
                await self.add_bulk(opened.producer)
                return await cost_of(lambda: self.drain(opened, ends), self.redis)
            add: Callable[[Adds], Awaitable[None]] = getattr(self, workload)
            return await cost_of(lambda: add(opened.producer), self.redis)

    async def drain(self, opened: OpenQueue, ends: AsyncExitStack) -> None:
        """Run all jobs; the worker's own end is left to ``ends``, as it is not measured."""
        countdown = Countdown(self.count)
        await ends.enter_async_context(opened.working(countdown.count))
        await countdown.is_over.wait()
        active = f"{self.arguments.prefix}:{self.queue}:active"
        await until(lambda: not self.redis.exists(active), timeout=60)

    async def add_bulk(self, producer: Adds) -> None:
        for start in range(0, self.count, self.arguments.chunk):
            end = min(start + self.arguments.chunk, self.count)
            await producer.add_bulk([Noop(n=n) for n in range(start, end)])

    async def add_one(self, producer: Adds) -> None:
        for n in range(self.count):
            await producer.add(Noop(n=n))

    async def add_many(self, producer: Adds) -> None:
        numbers = iter(range(self.count))

        async def call() -> None:
            for n in numbers:
                await producer.add(Noop(n=n))

        async with anyio.create_task_group() as callers:
            for _ in range(self.arguments.callers):
                callers.start_soon(call)


def read_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=["drain", "add_bulk", "add_one", "add_many"])
    parser.add_argument("--redis", required=True)
    parser.add_argument("--prefix", default="bull")
    parser.add_argument("--keep", default="all")
    numbers = {"jobs": 20_000, "warmup": 2000, "concurrency": 100, "callers": 50, "chunk": 1000}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


async def main() -> None:
    arguments = read_arguments()
    with Redis.from_url(arguments.redis) as redis:
        await Bench("warm-up", arguments.warmup, arguments, redis).measure()
        cost = await Bench("bench", arguments.jobs, arguments, redis).measure()
    line = {
        "library": f"framework {version('framework')}",
        "runtime": f"python {platform.python_version()}",
        "jobs": arguments.jobs,
        **asdict(cost),
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    anyio.run(main, backend_options={"use_uvloop": True})
