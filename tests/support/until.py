"""Waiting for what another task or process is about to do, without guessing how long it takes."""

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

import anyio

from tests.support.stopwatch import Stopwatch

T = TypeVar("T")

FIRST_WAIT = 0.001
LONGEST_WAIT = 0.05


@overload
async def until(
    condition: Callable[[], Awaitable[T | None]], *, timeout: float = ..., message: str = ...
) -> T: ...


@overload
async def until(
    condition: Callable[[], T | None], *, timeout: float = ..., message: str = ...
) -> T: ...


async def until(
    condition: Callable[[], object],
    *,
    timeout: float = 5.0,
    message: str = "it did not come true",
) -> object:
    """Ask `condition` until it answers with something truthy, and return that.

    Args:
        condition: Plain or asynchronous; what it raises passes through.
        timeout: Seconds until this gives up, of a `Stopwatch`: a busy machine has more of them.
            The condition is asked at least once.
        message: What was waited for, as the failed test should word it.

    Raises:
        AssertionError: It was not so in time; the text has the last answer.
    """
    watch = Stopwatch()
    wait = FIRST_WAIT
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        left = timeout - watch.seconds
        if left <= 0:
            raise AssertionError(f"{message} within {timeout:g} s; last seen: {value!r}")
        await anyio.sleep(min(wait, left))
        wait = min(wait * 1.5, LONGEST_WAIT)
