"""What a processor raises to leave its job unfinished, or to fail it for good."""

from framework import UnrecoverableError

__all__ = [
    "DelayedError",
    "MovedError",
    "RateLimitError",
    "UnrecoverableError",
    "WaitingChildrenError",
]


class DelayedError(Exception):
    """Raised after ``job.moveToDelayed``: the job has left, and runs again when it is due."""


class WaitingChildrenError(Exception):
    """Raised after ``job.moveToWaitingChildren``: it runs again when no child is pending."""


class RateLimitError(Exception):
    """Raised after ``worker.rateLimit`` or ``queue.rateLimit``: the job is the first then."""


class MovedError(TypeError):
    """A job could not be changed, worded as BullMQ words it; the engine's error is its cause."""
