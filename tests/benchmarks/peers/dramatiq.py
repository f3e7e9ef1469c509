"""Dramatiq on Redis: threads, as its guide advises, in one process unless two are asked for.

At most 100 of them, also where more jobs at once are asked for: with more it gets slower.

A message is acknowledged when its actor ends, so what is left stands in Redis. Results are off, as
they are by default, except where one is waited for; it keeps nothing of what is done.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from tests.benchmarks.peers.handlers import PLAIN
from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

ASKS = HANDLER == "echo"

broker = RedisBroker(url=REDIS_URL)
if ASKS:
    broker.add_middleware(Results(backend=RedisBackend(url=REDIS_URL)))
dramatiq.set_broker(broker)
stores = {"store_results": True} if ASKS else {}
actors = {
    name: dramatiq.actor(actor_name=name, **stores)(handler) for name, handler in PLAIN.items()
}


def work() -> list[str]:
    threads = ["--threads", str(min(number("CONCURRENCY", 100), 100))]
    processes = ["--processes", str(number("PROCESSES", 1))]
    return [tool("dramatiq"), "tests.benchmarks.peers.dramatiq", *processes, *threads]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    actor = actors[HANDLER]

    def add(n: int) -> None:
        actor.send(n)

    def ask(n: int) -> int:
        value: int = actor.send(n).get_result(block=True, timeout=10_000)
        return value

    yield Client(add, ask=ask)


if __name__ == "__main__":
    main("dramatiq", work, opened)
