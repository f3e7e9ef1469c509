"""One measured run of this framework; prints one line of JSON.

It takes the arguments of `node/bench.js`, does the same and prints the same line:
``python -m tests.benchmarks.ours drain --redis URL --jobs 20000 --concurrency 100 --keep all``.
"""

import json
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from importlib.metadata import version

import anyio
from pydantic import BaseModel, SecretStr
from redis import Redis

from framework import Application, Job, JobOptions, KeepJobs, Producer, Settings, processor
from framework.app.discovery import Declarations
from framework.declare.spec import resolve
from tests.benchmarks.costs import Cost, cost_of
from tests.support.until import until


class Noop(BaseModel):
    n: int


class Opened:
    """The framework, wired for one queue by its public API alone."""

    def __init__(self, app: Application, producer: Producer[Noop], declared: type[object]) -> None:
        self._app = app
        self._declared = declared
        self.producer = producer

    @asynccontextmanager
    async def working(self, on_run: Callable[[], None]) -> AsyncIterator[None]:
        """Run the worker; its jobs call ``on_run`` and do nothing else."""
        COUNTS[self._declared] = on_run
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._app.work)
            yield
            self._app.stop()


COUNTS: dict[type[object], Callable[[], None]] = {}


@asynccontextmanager
async def open_queue(queue: str, arguments: Namespace) -> AsyncIterator[Opened]:
    """Wire the framework up for one queue."""
    keep = KeepJobs.all() if arguments.keep == "all" else KeepJobs(count=int(arguments.keep))

    @processor(
        queue, concurrency=arguments.concurrency, defaults=JobOptions(remove_on_complete=keep)
    )
    class Nothing:
        async def process(self, job: Job[Noop]) -> None:
            COUNTS[Nothing]()

    spec = resolve(Nothing)
    declared = Declarations("bench", processors=(spec,), selected=(spec,))
    settings = Settings(redis_url=SecretStr(arguments.redis), prefix=arguments.prefix)
    async with Application(declared, settings=settings) as app:
        yield Opened(app, await app.get(Producer[Noop]), Nothing)


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
            add: Callable[[Producer[Noop]], Awaitable[None]] = getattr(self, workload)
            return await cost_of(lambda: add(opened.producer), self.redis)

    async def drain(self, opened: Opened, ends: AsyncExitStack) -> None:
        """Run all jobs; the worker's own end is left to ``ends``, as it is not measured."""
        countdown = Countdown(self.count)
        await ends.enter_async_context(opened.working(countdown.count))
        await countdown.is_over.wait()
        active = f"{self.arguments.prefix}:{self.queue}:active"
        await until(lambda: not self.redis.exists(active), timeout=60)

    async def add_bulk(self, producer: Producer[Noop]) -> None:
        for start in range(0, self.count, self.arguments.chunk):
            end = min(start + self.arguments.chunk, self.count)
            await producer.add_bulk([Noop(n=n) for n in range(start, end)])

    async def add_one(self, producer: Producer[Noop]) -> None:
        for n in range(self.count):
            await producer.add(Noop(n=n))

    async def add_many(self, producer: Producer[Noop]) -> None:
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
