"""How many jobs ended, minute by minute."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Metrics:
    """How many jobs of a queue completed, or failed, where workers count them.

    Attributes:
        count: How many in all.
        points: How many in each whole minute, the newest first. A minute is there once a job
            ends in a later one.
        total_points: For how many minutes numbers are kept now.
        previous_at: When the newest minute was written; None before the first job.
        previous_count: How many had ended before.
    """

    count: int
    points: tuple[int, ...]
    total_points: int
    previous_at: datetime | None
    previous_count: int
