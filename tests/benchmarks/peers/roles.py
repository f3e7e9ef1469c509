"""What each Python program of a benchmark can be asked to do; the roles of `node/bench.js`.

A peer's file gives a client and the command line of its worker; the rest is here, the same for
all. It runs in the peer's own virtual environment, so it needs nothing but redis-py. What is
asked for comes as one word on the command line and by variables of the environment, since the
libraries' own commands, which import the peer's file, leave no other way.
"""

import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from inspect import iscoroutinefunction
from typing import Any

from tests.benchmarks.peers.costs import Figures
from tests.benchmarks.peers.stamps import stamps_of_environment

REDIS_URL = os.environ.get("BENCH_REDIS", "redis://localhost:6379")
HANDLER = os.environ.get("BENCH_HANDLER", "noop")
KEEP = os.environ.get("BENCH_KEEP", "all")
# What the first ones wait for the result of is not told, and some libraries look once a second.
WARM_UP, ASKING_SECONDS = 20, 15.0


def number(name: str, default: int) -> int:
    """Read one of the numbers that a run may set."""
    return int(os.environ.get(f"BENCH_{name}", str(default)))


@dataclass(frozen=True)
class Client:
    """How a library adds one job, many in one call, and one whose result it waits for.

    All are coroutine functions, or all are plain; what the library has no way for is None.
    """

    add: Callable[[int], Any]
    add_bulk: Callable[[Sequence[int]], Any] | None = None
    ask: Callable[[int], Any] | None = None

    @property
    def is_async(self) -> bool:
        return iscoroutinefunction(self.add)


Opening = Callable[[], AbstractAsyncContextManager[Client]]


async def add_one(client: Client, numbers: Sequence[int]) -> None:
    if client.is_async:
        for n in numbers:
            await client.add(n)
    else:
        for n in numbers:
            client.add(n)


async def add_many(client: Client, numbers: Sequence[int]) -> None:
    """So many callers at once: tasks, or threads where the client blocks."""
    callers, left = number("CALLERS", 50), iter(numbers)

    async def call() -> None:
        for n in left:
            await client.add(n)

    if client.is_async:
        await asyncio.gather(*(call() for _ in range(callers)))
    else:
        with ThreadPoolExecutor(callers) as threads:
            list(threads.map(client.add, numbers))


async def add_bulk(client: Client, numbers: Sequence[int]) -> None:
    """As many in one call as the library takes at once; one by one where it has no such call."""
    if client.add_bulk is None:
        await (add_many if client.is_async else add_one)(client, numbers)
        return
    chunk = number("CHUNK", 1000)
    for start in range(0, len(numbers), chunk):
        added = client.add_bulk(numbers[start : start + chunk])
        if client.is_async:
            await added


ADDS: dict[str, Callable[[Client, Sequence[int]], Awaitable[None]]] = {
    "add_one": add_one,
    "add_many": add_many,
    "add_bulk": add_bulk,
}


async def measure_adds(client: Client, role: str, redis: Any) -> dict[str, object]:  # noqa: ANN401 - see Figures
    """Add some jobs to warm up, then those that count."""
    jobs, warm_up = number("JOBS", 20_000), number("WARM_UP", 2000)
    await ADDS[role](client, range(warm_up))
    before = Figures.now(redis)
    await ADDS[role](client, range(jobs))
    return {"jobs": jobs, **Figures.now(redis).since(before)}


async def fill(client: Client) -> dict[str, object]:
    """Add what a worker is then to work through; nothing is measured."""
    jobs = number("JOBS", 20_000)
    await add_bulk(client, range(jobs))
    return {"jobs": jobs}


async def pace(client: Client) -> dict[str, object]:
    """Add jobs at an even pace, whatever becomes of them, and stamp when each was sent."""
    jobs, rate = number("JOBS", 1000), number("RATE", 50)
    stamps = stamps_of_environment()
    began = time.monotonic()

    async def send(n: int) -> None:
        stamps.send(n)
        await client.add(n)

    async with asyncio.TaskGroup() as tasks:
        for n in range(jobs):
            if (wait := began + n / rate - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if client.is_async:
                tasks.create_task(send(n))
            else:
                stamps.send(n)
                client.add(n)
    return {"jobs": jobs, "seconds": time.monotonic() - began}


async def ask(client: Client) -> dict[str, object]:
    """Add one job after the other, waiting for the result of each; not for ever."""
    jobs, seconds = number("JOBS", 300), []
    assert client.ask is not None
    ends = time.monotonic() + ASKING_SECONDS
    for n in range(-WARM_UP, jobs):
        began = time.monotonic()
        if began > ends:
            break
        answer = client.ask(abs(n))
        value = await answer if client.is_async else answer
        if value != abs(n):
            raise SystemExit(f"asked for {abs(n)}, got {value!r}")
        seconds.append(time.monotonic() - began)
    waits = seconds[min(WARM_UP, len(seconds) // 2) :]
    return {"jobs": len(waits), "waits": waits}


async def naps() -> dict[str, object]:
    """How often 10 ms pass in a second, if so many wait for it at once."""
    began, jobs = time.monotonic(), 0

    async def nap() -> None:
        nonlocal jobs
        while time.monotonic() < began + 1:
            await asyncio.sleep(0.01)
            jobs += 1

    await asyncio.gather(*(nap() for _ in range(number("CONCURRENCY", 100))))
    return {"jobs": jobs, "seconds": time.monotonic() - began}


async def play(role: str, opening: Opening) -> dict[str, object]:
    import redis

    if role == "naps":
        return await naps()
    with redis.Redis.from_url(REDIS_URL) as server:
        async with opening() as client:
            if role in ADDS:
                return await measure_adds(client, role, server)
            return await {"fill": fill, "pace": pace, "ask": ask}[role](client)


def main(library: str, work: Callable[[], list[str]], opening: Opening) -> None:
    """Play one role; all but ``work`` end with one line of JSON.

    Args:
        library: The distribution whose version is told.
        work: The command line of the worker, as a user would type it.
        opening: Opens a client.
    """
    role = sys.argv[1]
    if role == "work":
        command = work()
        os.execvp(command[0], command)  # noqa: S606 - the library's own command
    said: dict[str, object] = {"library": f"{library} {version(library)}", "runtime": runtime()}
    if role != "versions":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            said |= runner.run(play(role, opening))
    sys.stdout.write(json.dumps(said) + "\n")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Take uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def runtime() -> str:
    """Name what limits a comparison: Python, the event loop, the parser of Redis' replies."""
    parts = [f"python {platform.python_version()}"]
    for extra in ("uvloop", "hiredis", "redis"):
        try:
            parts.append(f"{extra} {version(extra)}")
        except PackageNotFoundError:
            parts.append(f"no {extra}")
    return ", ".join(parts)


def tool(name: str) -> str:
    """Return the path of a command of this virtual environment."""
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120
