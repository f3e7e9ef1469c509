"""One task that wakes for the earliest of many deadlines."""

from collections.abc import Callable
from math import inf

import anyio


class Alarm:
    """Rings at the earliest time that somebody set.

    Args:
        ring: Called at that time; returns the next one, ``inf`` where there is none.
    """

    def __init__(self, ring: Callable[[float], float]) -> None:
        self._ring = ring
        self._at = inf
        self._news = anyio.Event()

    def set(self, at: float) -> None:
        """Ring at a time, by ``anyio.current_time``, or before it."""
        if at < self._at:
            self._at = at
            self._news.set()

    async def run(self) -> None:
        """Ring until cancelled."""
        while True:
            with anyio.CancelScope(deadline=self._at):
                await self._news.wait()
            self._news = anyio.Event()
            now = anyio.current_time()
            if now >= self._at:
                self._at = inf
                self._at = min(self._at, self._ring(now))
