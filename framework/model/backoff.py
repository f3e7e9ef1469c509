"""From a failed attempt to what follows: pure decisions, no clock, no Redis."""

import random
from contextlib import suppress
from datetime import timedelta

from framework.errors import (
    FailedChildrenError,
    PayloadError,
    ResultError,
    UnrecoverableError,
)
from framework.model.options import Backoff, Exponential
from framework.model.outcome import Fail, Retry

HOPELESS = (UnrecoverableError, PayloadError, ResultError, FailedChildrenError)
# 2^62 times any delay is beyond every date; a larger exponent only overflows.
MOST_DOUBLINGS = 62
MOST_DELAY = timedelta(days=3650)


def outcome_of(
    error: BaseException,
    *,
    attempts_made: int,
    attempts: int,
    backoff: Backoff | str | None,
) -> Fail | Retry:
    """Decide what a raised error leads to.

    Args:
        error: What the run raised.
        attempts_made: How many attempts had ended before this one.
        attempts: How many tries the job gets in all; 0 and 1 both mean one.
        backoff: The job's; a text is a type that this framework does not know.
    """
    if is_hopeless(error) or attempts_made + 1 >= attempts:
        return Fail(error)
    if isinstance(backoff, str):
        with suppress(Exception):  # a frozen exception takes no notes
            error.add_note(f'the job asks for the backoff "{backoff}", which is not known here')
        return Fail(error)
    return Retry(error, delay_before(attempts_made + 1, backoff))


def is_hopeless(error: BaseException) -> bool:
    """Tell whether no further attempt can help."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(HOPELESS) is not None
    return isinstance(error, HOPELESS)


def delay_before(retry: int, backoff: Backoff | None, chance: float | None = None) -> timedelta:
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
    if not backoff.jitter:
        return delay
    drawn = random.random() if chance is None else chance  # noqa: S311 - spreads load only
    return delay * (1 - backoff.jitter + drawn * backoff.jitter)
