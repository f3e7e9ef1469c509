"""Between ``datetime``/``timedelta`` and the whole milliseconds that Redis holds."""

import math
from datetime import UTC, datetime, timedelta

from framework.errors import OptionsError

# Up to here a delayed score (ms * 4096) is exact in a double: 2039-09-07.
MAX_DUE_MS = 2**41 - 2


def to_ms(span: timedelta) -> int:
    """Return ``span`` in milliseconds, rounded up."""
    return math.ceil(span / timedelta(milliseconds=1))


def from_ms(ms: float) -> timedelta:
    """Return a span of ``ms`` milliseconds."""
    return timedelta(milliseconds=ms)


def instant_to_ms(instant: datetime, option: str = "timestamp") -> int:
    """Return the milliseconds since the epoch.

    Raises:
        OptionsError: ``instant`` is naive, so its meaning depends on the machine.
    """
    if instant.tzinfo is None:
        raise OptionsError(option, f"{instant} has no time zone; use datetime.now(UTC), say")
    return int(instant.timestamp() * 1000)


def instant_from_ms(ms: float) -> datetime:
    """Return the aware UTC instant of ``ms`` milliseconds since the epoch."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)
