"""From a failed attempt to what follows: pure decisions, no clock, no Redis."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from framework.errors import (
    FailedChildrenError,
    JobCancelledError,
    OddKeysError,
    PayloadError,
    ResultError,
    UnrecoverableError,
)
from framework.model.job import Job
from framework.model.options import Backoff, Custom, Exponential, Fixed
from framework.model.outcome import Fail, Retry

# The retry's number from 1, what was raised, and the job -> how long to wait; None: no retry.
BackoffStrategy = Callable[[int, BaseException, Job[Any, Any]], timedelta | None]
Strategy = Callable[[], timedelta | None]

HOPELESS = (
    UnrecoverableError,
    PayloadError,
    ResultError,
    FailedChildrenError,
    JobCancelledError,
    OddKeysError,
)
# 2^62 times any delay is beyond every date; a larger exponent only overflows.
MOST_DOUBLINGS = 62
MOST_DELAY = timedelta(days=3650)


def outcome_of(
    error: BaseException,
    *,
    attempts_made: int,
    attempts: int,
    backoff: Backoff | None,
    strategy: Strategy | None = None,
    is_worn_out: bool = False,
) -> Fail | Retry:
    """Decide what a raised error leads to.

    Args:
        error: What the run raised.
        attempts_made: How many attempts had ended before this one.
        attempts: How many tries the job gets in all; 0 and 1 both mean one.
        backoff: The job's.
        strategy: What a `Custom` one stands for here, if anything.
        is_worn_out: Whether the job was started as often as it may be.
    """
    if is_hopeless(error) or is_worn_out or attempts_made + 1 >= attempts:
        return Fail(error)
    if isinstance(backoff, Custom):
        return custom_outcome(error, backoff, strategy)
    return Retry(error, delay_before(attempts_made + 1, backoff))


def custom_outcome(
    error: BaseException, backoff: Custom, strategy: Strategy | None
) -> Fail | Retry:
    """Ask a strategy; one that is missing or broken fails the job, and the error says so."""
    if strategy is None:
        name = backoff.name
        fix = f'@processor(..., backoffs={{"{name}": ...}})'
        return Fail(noted(error, f'the job asks for the backoff "{name}", unknown here: {fix}'))
    try:
        delay: object = strategy()  # of any type, where no type checker looks
    except Exception as broken:
        return Fail(noted(error, f'its backoff "{backoff.name}" raised {broken!r}'))
    if delay is None:
        return Fail(error)
    if not isinstance(delay, timedelta) or delay < timedelta(0):
        return Fail(noted(error, f'its backoff "{backoff.name}" returned {delay!r}'))
    return Retry(error, jittered(min(delay, MOST_DELAY), backoff.jitter))


def noted(error: BaseException, note: str) -> BaseException:
    """Return an error with a note, as its trace will show."""
    with suppress(Exception):  # a frozen exception takes no notes
        error.add_note(note)
    return error


def is_hopeless(error: BaseException) -> bool:
    """Tell whether no further attempt can help."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(HOPELESS) is not None
    return isinstance(error, HOPELESS)


def delay_before(
    retry: int, backoff: Fixed | Exponential | None, chance: float | None = None
) -> timedelta:
    """Return how long to wait before a retry.

    Args:
        retry: Which one, from 1.
        backoff: None means at once.
        chance: 0 to 1, for the jitter; drawn unless given.
    """
    if backoff is None:
        return timedelta(0)
    delay = backoff.delay
    if isinstance(backoff, Exponential):
        doublings = min(retry - 1, MOST_DOUBLINGS)
        delay = min(MOST_DELAY / 2**doublings, delay) * 2**doublings
    return jittered(delay, backoff.jitter, chance)


def jittered(delay: timedelta, jitter: float, chance: float | None = None) -> timedelta:
    """Return a delay of which the part ``jitter`` is random."""
    if not jitter:
        return delay
    drawn = random.random() if chance is None else chance  # noqa: S311 - spreads load only
    return delay * (1 - jitter + drawn * jitter)
