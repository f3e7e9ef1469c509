"""How a task stands, in the words of users."""

from datetime import datetime
from typing import Any

from framework import JobLook, JobState
from framework_web.states import state_of

Look = JobLook[Any, Any]


def change_of(look: Look) -> dict[str, object]:
    """Return what an event ``state`` says."""
    made = look.job.attempts_made
    return {"state": state_of(look), "attempts_made": made, "due_at": iso(look.due)}


def snapshot_of(look: Look, type_name: str) -> dict[str, object]:
    """Return all that there is to say of a task."""
    job, state = look.job, look.state
    return {
        "id": job.id,
        "type": type_name,
        "state": state_of(look),
        "progress": job.progress or None,
        "result": job.result if state is JobState.COMPLETED else None,
        "error": job.failed_reason if state is JobState.FAILED else None,
        "attempts_made": job.attempts_made,
        "added_at": iso(job.timestamp),
        "started_at": iso(job.processed_on),
        "finished_at": iso(job.finished_on) if state.is_final else None,
        "due_at": iso(look.due),
    }


def iso(instant: datetime | None) -> str | None:
    """Return an instant as text."""
    return None if instant is None else instant.isoformat(timespec="milliseconds")
