"""The clock of the event loop, which a test puts forward: deadlines come when it says so."""

import asyncio  # noqa: TID251 - anyio reads the loop's clock, and cannot set it

import pytest


class LoopClock:
    """The clock of a running loop: all that waits in it for a time goes by this one.

    It is never put back, as timers would be late by so much: it ends with its loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ahead = 0.0
        time = loop.time
        loop.time = lambda: time() + self._ahead  # type: ignore[method-assign]

    def forward(self, seconds: float) -> None:
        """Let so many seconds pass now."""
        self._ahead += seconds
        self._loop.call_soon(lambda: None)  # it looks at its clock again


@pytest.fixture
async def loop_clock() -> LoopClock:
    """The clock of the test's own loop."""
    return LoopClock(asyncio.get_running_loop())
