"""What the jobs of the Python peers do, as coroutine functions and as plain ones.

Where a library keeps no record of what runs, its jobs note that they were there.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.peers.stamps import stamps_of_environment

note: Callable[[int], object] = (
    stamps_of_environment().start if os.environ.get("BENCH_STAMPS") else abs
)


async def noop(n: int) -> None:
    note(n)


async def stamped(n: int) -> None:
    note(n)


async def nap(n: int) -> None:
    await asyncio.sleep(0.01)
    note(n)


async def echo(n: int) -> int:
    return n


def block(n: int) -> None:
    note(n)


def noop_plain(n: int) -> None:
    note(n)


def stamped_plain(n: int) -> None:
    note(n)


def nap_plain(n: int) -> None:
    time.sleep(0.01)
    note(n)


def echo_plain(n: int) -> int:
    return n


ASYNC: dict[str, Callable[..., Any]] = {
    "noop": noop,
    "stamped": stamped,
    "nap": nap,
    "echo": echo,
    "block": block,
}
PLAIN: dict[str, Callable[..., Any]] = {
    "noop": noop_plain,
    "stamped": stamped_plain,
    "nap": nap_plain,
    "echo": echo_plain,
    "block": block,
}
