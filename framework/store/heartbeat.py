"""A sign of life from Redis each second, so that nobody waits for long on a line that is dead.

After the network was parted, calls that were under way have no answer until their deadlines pass,
maybe on connections that are dead for ever. So this asks on a connection of its own, and where that
is silent, on new ones. Who answers first tells how things stand: the old line, then Redis was
only slow; or a new one, then what was sent before is lost.
"""

import asyncio
import random
from collections.abc import Callable
from time import monotonic
from typing import Protocol

import anyio
from redis import exceptions

from framework.store.connection import HeldConnection, pack

# Jitter keeps the processes of a fleet apart, all the more as they reconnect.
LEAST_PAUSE, MOST_PAUSE = 0.5, 1.0
SILENT_SECONDS = 1.0
MOST_SECONDS = 5.0
# A new line has so many times as long to answer as the first one needed.
TIMES_FIRST = 5
FOR_EVER = 86_400.0
# An old line that was only slow answers so soon after a new one.
GRACE_SECONDS = 0.2


class OnAnswer(Protocol):
    """Told that Redis answers again."""

    async def __call__(self, *, on_new_lines: bool) -> None:
        """Go on; ``on_new_lines``: those that were there are dead."""


class Heartbeat:
    """Asks Redis for signs of life.

    Args:
        hold: Makes a connection.
        on_answer: Told when Redis answers that was silent, or could not be reached.
    """

    def __init__(self, hold: Callable[[], HeldConnection], on_answer: OnAnswer) -> None:
        self._hold = hold
        self._on_answer = on_answer
        self._seconds = MOST_SECONDS

    async def run(self) -> None:
        """Listen until cancelled."""
        line = self._hold()
        began = monotonic()
        if await answers(line, MOST_SECONDS):
            took = monotonic() - began
            self._seconds = min(MOST_SECONDS, max(SILENT_SECONDS, TIMES_FIRST * took))
        try:
            while True:
                await pause()
                line = await self._beat(line)
        finally:
            with anyio.CancelScope(shield=True):
                await line.aclose()

    async def _beat(self, line: HeldConnection) -> HeldConnection:
        """Ask once, until there is an answer; return the line that it came on."""
        asked = asyncio.create_task(answers(line, FOR_EVER))
        try:
            await asyncio.wait([asked], timeout=SILENT_SECONDS)
            if has_answered(asked):
                return line
            was_silent = not asked.done()
            new = await self._find_new_line(asked)
            if new is None:
                await self._on_answer(on_new_lines=False)
                return line
            await line.aclose()
            await self._on_answer(on_new_lines=was_silent)
            return new
        finally:
            asked.cancel()

    async def _find_new_line(self, asked: asyncio.Task[bool]) -> HeldConnection | None:
        """Try new lines until one answers; return None if the old one does."""
        while True:
            new = self._hold()
            is_found, began = False, monotonic()
            try:
                is_found = await answers(new, self._seconds)
                await asyncio.wait([asked], timeout=GRACE_SECONDS)
                if has_answered(asked):
                    is_found = False
                    return None
                if is_found:
                    return new
            finally:
                if not is_found:
                    await new.drop()
            if monotonic() < began + LEAST_PAUSE:
                await pause()  # it was refused at once


async def answers(line: HeldConnection, seconds: float) -> bool:
    """Ask for a sign of life; return whether one came. A refusal is one too."""
    try:
        async with asyncio.timeout(seconds):
            await line.call(pack("PING"), seconds)
    except exceptions.ResponseError:
        return True
    except (exceptions.RedisError, OSError):
        return False
    return True


def has_answered(asked: asyncio.Task[bool]) -> bool:
    """Tell whether a line has answered."""
    return asked.done() and asked.result()


async def pause() -> None:
    """Wait before asking again."""
    await anyio.sleep(random.uniform(LEAST_PAUSE, MOST_PAUSE))  # noqa: S311 - spreads load, guards nothing
