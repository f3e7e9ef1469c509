"""Tests of what is counted by the minute."""

import anyio

from framework.model.clock import SystemClock

NEEDED_SECONDS = 5


async def minute_with_time_left() -> None:
    """Return when the clock's minute lasts for a while yet: a test may count on it."""
    left = 60 - SystemClock().now_ms() % 60_000 / 1000
    if left < NEEDED_SECONDS:
        await anyio.sleep(left)
