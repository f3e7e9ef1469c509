"""A task as its users see it: data, no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from framework import Job, JobLook
from framework_web.progress import read_progress
from framework_web.states import TaskState, state_of


class TaskId(str):
    """The id of a task, which knows its type; as text it is the id of the job.

    Args:
        job_id: The id of the job.
        type: The task's type.
    """

    __slots__ = ("type",)
    type: str

    def __new__(cls, job_id: str, type: str) -> Self:
        """Make it."""
        self = super().__new__(cls, job_id)
        self.type = type
        return self


@dataclass(frozen=True, slots=True)
class Task:
    """A task, as it stood when it was looked at.

    Attributes:
        id: Its id.
        state: Where it stands.
        data: What it was started with.
        progress: What it last reported: a number, `TaskProgress`, or whatever else.
        result: What it returned, once completed.
        error: Why it failed, or why its last attempt did.
        attempts_made: How many attempts have ended.
        attempts: How many it gets in all.
        added_at: When it was added. Aware, UTC, as all times.
        started_at: When its last attempt began.
        finished_at: When it completed, or failed for good.
        due_at: When it goes on, if it waits for a time.
        event_id: The newest event of its queue: who listens after it misses nothing.
    """

    id: TaskId
    state: TaskState
    data: Any
    progress: object
    result: object
    error: str | None
    attempts_made: int
    attempts: int
    added_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None
    event_id: str

    @property
    def type(self) -> str:
        """Its type."""
        return self.id.type


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task that failed for good.

    Attributes:
        id: Its id.
        data: What it was started with.
        reason: Why the last attempt failed.
        attempts_made: How many attempts there were.
        stack: One text for each failed attempt, the newest last.
        failed_at: When it failed. Aware, UTC.
    """

    id: TaskId
    data: Any
    reason: str
    attempts_made: int
    stack: tuple[str, ...]
    failed_at: datetime | None


def task_of(look: JobLook[Any, Any], type: str) -> Task:
    """Return a task, of what was seen of its job."""
    job, state = look.job, state_of(look)
    return Task(
        id=TaskId(job.id, type),
        state=state,
        data=job.data,
        progress=read_progress(job.progress),
        result=job.result if state is TaskState.COMPLETED else None,
        error=None if state is TaskState.COMPLETED else job.failed_reason,
        attempts_made=job.attempts_made,
        attempts=job.attempts,
        added_at=job.timestamp,
        started_at=job.processed_on,
        finished_at=job.finished_on if state.is_final else None,
        due_at=look.due,
        event_id=look.event_id,
    )


def dead_letter_of(job: Job[Any, Any], type: str) -> DeadLetter:
    """Return what is left of a failed job."""
    return DeadLetter(
        id=TaskId(job.id, type),
        data=job.data,
        reason=job.failed_reason or "",
        attempts_made=job.attempts_made,
        stack=job.stacktrace,
        failed_at=job.finished_on,
    )
