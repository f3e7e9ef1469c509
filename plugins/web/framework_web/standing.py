"""How a task stands, in the words of users."""

from datetime import datetime
from typing import Any

from framework import JobLook, JobState
from framework_web.states import TaskState, state_of

Look = JobLook[Any, Any]


def change_of(look: Look) -> dict[str, object]:
    """Return what an event ``state`` says."""
    return {
        "state": state_of(look),
        "error": error_of(look),
        "attempts_made": look.job.attempts_made,
        "due_at": iso(look.due),
    }


def snapshot_of(look: Look, type_name: str) -> dict[str, object]:
    """Return all that there is to say of a task."""
    job, state = look.job, look.state
    return {
        "id": job.id,
        "type": type_name,
        "state": state_of(look),
        "progress": job.progress or None,
        "result": job.result if state is JobState.COMPLETED else None,
        "error": error_of(look),
        "attempts_made": job.attempts_made,
        "added_at": iso(job.timestamp),
        "started_at": iso(job.processed_on),
        "finished_at": iso(job.finished_on) if state.is_final else None,
        "due_at": iso(look.due),
    }


def error_of(look: Look) -> str | None:
    """Return why a task failed, or why its last attempt did and another one follows."""
    told = state_of(look) in {TaskState.FAILED, TaskState.RETRYING}
    return look.job.failed_reason if told else None


def iso(instant: datetime | None) -> str | None:
    """Return an instant as text."""
    return None if instant is None else instant.isoformat(timespec="milliseconds")
