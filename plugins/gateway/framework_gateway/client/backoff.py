"""How long a client waits before it connects again."""

import random
from datetime import timedelta

LEAST_SECONDS = 0.5
MOST_SECONDS = 30.0


def reconnect_delay(failures: int, chance: float | None = None) -> timedelta:
    """Return how long to wait after so many failures in a row: from 0.5 s to 30 s.

    It lies between half a limit and the limit, which is 1 s, then doubles up to 30 s: clients of a
    gateway that was started anew do not come all at once.

    Args:
        failures: From 1 on.
        chance: 0 to 1: where between the two; drawn unless given.
    """
    doublings = min(failures - 1, 10)  # a limit: 2.0**1024 is no number
    limit = min(MOST_SECONDS, 2 * LEAST_SECONDS * 2.0**doublings)
    drawn = random.random() if chance is None else chance  # noqa: S311 - nobody gains by guessing it
    return timedelta(seconds=limit / 2 * (1 + drawn))
