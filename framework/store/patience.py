"""How long to wait before the next try to reach Redis."""

import random
from math import inf

import anyio

from framework.store.outage import MOST_SECONDS, Outage

FIRST_SECONDS = 0.05


class Patience:
    """Waits longer each time, with jitter, until it ends.

    Args:
        seconds: Give up once so much has passed since the first wait; None: never.
        outage: Ends a wait at once when Redis is seen to answer again; waits are short then.
    """

    def __init__(self, seconds: float | None, outage: Outage) -> None:
        self._seconds = seconds
        self._outage = outage
        self._until: float | None = None
        self._next = FIRST_SECONDS
        self._returns = outage.returns

    def begin(self) -> None:
        """Start the time now, unless it runs already."""
        if self._until is None and self._seconds is not None:
            self._until = anyio.current_time() + self._seconds

    @property
    def left(self) -> float:
        """How many seconds are left, from the first of `begin` and `wait`; infinite without end."""
        return inf if self._until is None else max(0.0, self._until - anyio.current_time())

    async def wait(self) -> bool:
        """Wait; return False instead where the time has run out."""
        self.begin()
        if self._returns != self._outage.returns:
            self._returns, self._next = self._outage.returns, FIRST_SECONDS
        pause = self._next * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        if self._until is not None and anyio.current_time() + pause > self._until:
            return False
        await self._outage.wait(pause)
        self._next = min(MOST_SECONDS, self._next * 2)
        return True
