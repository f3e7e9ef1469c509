"""This framework, as its users run it.

The worker is ``framework run`` with its supervisor and as many worker processes as asked for;
the client is an `Application`. The handlers are those of `tests/benchmarks/app`; uvloop is taken
because it is installed, as the extra ``speed`` does. How many completed jobs are kept is said in
the processor's defaults, the same as at the peers.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.benchmarks.peers.roles import HANDLER, REDIS_URL, Client, main, number, tool

APP = "tests.benchmarks.app"
os.environ["FRAMEWORK_REDIS_URL"] = REDIS_URL


def work() -> list[str]:
    processes = str(number("PROCESSES", 1))
    return [tool("framework"), "run", APP, "--only", HANDLER, "--processes", processes]


def payloads() -> tuple[object, Callable[[int], Any]]:
    """Return the type of this handler's payload, and how one is made."""
    from tests.benchmarks.app import block, echo, full, nap, noop, order, raw, stamped

    def make_full(n: int) -> full.FullOrder:
        return full.FullOrder(**vars(order.make_order(n)))

    plain = {
        "noop": noop.Noop,
        "nap": nap.Nap,
        "block": block.Block,
        "stamped": stamped.Stamped,
        "echo": echo.Echo,
    }
    if HANDLER in plain:
        model = plain[HANDLER]
        return model, lambda n: model(n=n)
    return {
        "order": (order.Order, order.make_order),
        "raw": (dict[str, Any], raw.make_raw),
        "full": (full.FullOrder, make_full),
    }[HANDLER]


@asynccontextmanager
async def opened() -> AsyncIterator[Client]:
    from framework import Application, Producer

    model, make = payloads()
    async with Application(APP) as app:
        producer: Producer[Any] = await app.get(Producer[model])  # type: ignore[valid-type]  # built at run time

        async def add(n: int) -> None:
            await producer.add(make(n))

        async def add_bulk(numbers: Sequence[int]) -> None:
            await producer.add_bulk([make(n) for n in numbers])

        async def ask(n: int) -> object:
            job = await producer.add(make(n))
            return await producer.result(job, timeout=timedelta(seconds=10))

        yield Client(add, add_bulk, ask)


if __name__ == "__main__":
    main("framework", work, opened)
