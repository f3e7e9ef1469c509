"""The only reader of the wall clock; tests put a virtual one in its place."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time that is written to Redis. Ask for it by its type."""

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock. Machines that share a queue must agree on it (NTP)."""

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""
        return time.time_ns() // 1_000_000
