"""Where a task stands, in the words that its users see."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from framework import Job, JobLook, JobState

# What is held is due then, which no job may ask for: 2^41 - 1 ms.
NEVER = datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=2**41 - 1)


class TaskState(StrEnum):
    """Where a task stands."""

    WAITING = "waiting"
    """It has not begun, or goes on later; a delayed one has a due time."""
    ACTIVE = "active"
    """It runs."""
    RETRYING = "retrying"
    """An attempt failed, and another one follows."""
    PAUSED = "paused"
    """It is held until somebody resumes it."""
    COMPLETED = "completed"
    FAILED = "failed"
    """No attempt is left, or it was aborted."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in {TaskState.COMPLETED, TaskState.FAILED}


def state_of(look: JobLook[Any, Any]) -> TaskState:
    """Return where a task stands, of what was seen of its job."""
    match look.state:
        case JobState.COMPLETED:
            return TaskState.COMPLETED
        case JobState.FAILED:
            return TaskState.FAILED
        case JobState.ACTIVE:
            return TaskState.ACTIVE
        case _ if look.job.is_held:
            return TaskState.PAUSED
        case _:
            return TaskState.RETRYING if will_retry(look.job) else TaskState.WAITING


def will_retry(job: Job[Any, Any]) -> bool:
    """Tell whether a job that does not run waits for another attempt."""
    return job.attempts_made > 0 and job.failed_reason is not None
