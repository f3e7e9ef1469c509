"""The engine's refusals in BullMQ's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from framework import (
    JobNotFoundError,
    LockLostError,
    ParentNotFoundError,
    PendingChildrenError,
    TransitionError,
    WrongStateError,
)
from framework_bullmq.custom_errors import MovedError

LOCK_MISMATCH = -6


@contextmanager
def in_bullmq_words(command: str, state: str = "expected") -> Iterator[None]:
    """Raise what BullMQ raises where the engine was refused.

    Args:
        command: What BullMQ calls the attempt.
        state: The state that it begins from.

    Raises:
        MovedError: It was refused; the engine's error is its cause.
    """
    try:
        yield
    except TransitionError as error:
        raise MovedError(f"{worded(error, state)}. {command}: {error}") from error


def worded(error: TransitionError, state: str) -> str:
    """Return BullMQ's words."""
    job = f"job {error.job_id}"
    match error:
        case JobNotFoundError():
            return f"Missing key for {job}"
        case LockLostError(code=code):
            return (
                f"Lock mismatch for {job}" if code == LOCK_MISMATCH else f"Missing lock for {job}"
            )
        case WrongStateError():
            return f"Job {error.job_id} is not in the {state} state"
        case PendingChildrenError():
            return f"Job {error.job_id} has pending dependencies"
        case ParentNotFoundError(parent=parent):
            return f"Missing key for parent job {parent}"
        case _:
            return f"Job {error.job_id} cannot be changed"
