"""What a pump knows of the line of jobs that it takes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from framework.store.transitions.exchange import MOST_BYTES, Fetched


@dataclass(slots=True)
class Line:
    """What a pump knows of its queue since the last call.

    Attributes:
        is_dry: Nothing more was there to take.
        is_hearsay: Somebody said that there may be jobs, and no call has come back since.
        was_called: There may be more since a call began that is still under way.
        due_ms: When to look again, by the store's clock: a delayed job, a rate limit; or 0.
    """

    is_dry: bool = False
    is_hearsay: bool = False
    was_called: bool = False
    due_ms: int = 0


def is_cut(jobs: Sequence[Fetched]) -> bool:
    """Tell whether a call may have stopped at its limit of bytes, not at the line's end."""
    return sum(len(value) for job in jobs for value in job.fields.values()) > MOST_BYTES // 4
