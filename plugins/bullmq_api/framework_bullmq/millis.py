"""Milliseconds, as BullMQ counts them, and what the engine has in their place."""

import time
from datetime import UTC, datetime, timedelta

from framework import OptionsError

EPOCH = datetime.fromtimestamp(0, tz=UTC)
MILLISECOND = timedelta(milliseconds=1)


def now_ms() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def span_of(name: str, ms: object) -> timedelta:
    """Return a number of milliseconds as a span, fractions cut off.

    Raises:
        OptionsError: It is no number, or one that no span can be.
    """
    if not isinstance(ms, int | float) or isinstance(ms, bool):
        raise OptionsError(name, f"it is a number of milliseconds, got {ms!r}")
    try:
        return timedelta(milliseconds=int(ms))
    except (OverflowError, ValueError):
        raise OptionsError(name, f"{ms} milliseconds are too many") from None


def instant_of(name: str, ms: object) -> datetime:
    """Return milliseconds since 1970 as an instant. Raises as `span_of`."""
    try:
        return EPOCH + span_of(name, ms)
    except OverflowError:
        raise OptionsError(name, f"{ms} milliseconds are too many") from None


def date_of(name: str, given: object) -> datetime:
    """Return milliseconds since 1970, an ISO 8601 text or a datetime as an instant.

    A text without a zone is meant in UTC. Raises as `span_of`.
    """
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            raise OptionsError(name, f"it is no ISO 8601 date: {given!r}") from None
    if isinstance(given, datetime):
        return given if given.tzinfo is not None else given.replace(tzinfo=UTC)
    return instant_of(name, given)


def ms_of(span: timedelta) -> int:
    """Return a span in milliseconds."""
    return span // MILLISECOND


def epoch_ms(instant: datetime | None) -> int:
    """Return an instant in milliseconds since 1970; 0 for None, as BullMQ's Python has it."""
    return 0 if instant is None else (instant - EPOCH) // MILLISECOND
