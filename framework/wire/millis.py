"""Between ``datetime``/``timedelta`` and the whole milliseconds that Redis holds."""

import math
from datetime import UTC, datetime, timedelta

from framework.model.spans import check_instant

EPOCH = datetime.fromtimestamp(0, tz=UTC)
MILLISECOND = timedelta(milliseconds=1)
# What `datetime` and `timedelta` can hold; a peer may have written anything.
LEAST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
MOST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND

# Up to here a delayed score (ms * 4096) is exact in a double: 2039-09-07.
MAX_DUE_MS = 2**41 - 2


def to_ms(span: timedelta) -> int:
    """Return ``span`` in milliseconds, rounded up."""
    return math.ceil(span / timedelta(milliseconds=1))


def from_ms(ms: float) -> timedelta:
    """Return a span of ``ms`` milliseconds; at most what a date can be away."""
    return timedelta(milliseconds=min(max(ms, LEAST_MS), MOST_MS))


def instant_to_ms(instant: datetime, option: str = "timestamp") -> int:
    """Return the milliseconds since the epoch.

    Raises:
        OptionsError: ``instant`` is naive, so its meaning depends on the machine.
    """
    check_instant(option, instant)
    return (instant - EPOCH) // MILLISECOND


def instant_from_ms(ms: float) -> datetime:
    """Return the aware UTC instant of ``ms`` milliseconds since the epoch, or the nearest date."""
    return EPOCH + from_ms(ms)
