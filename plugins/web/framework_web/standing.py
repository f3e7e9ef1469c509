"""How a task stands, in the words of users."""

from datetime import datetime
from typing import Any

from framework import JobLook, JobState

Look = JobLook[Any, Any]
IN_LINE = frozenset({JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED})


def word_of(look: Look) -> str:
    """Return the state as users know it."""
    if look.job.is_held:
        return "paused"
    if look.state in IN_LINE and look.job.attempts_made:
        return "retrying"
    if look.state is JobState.ACTIVE or look.state.is_final:
        return str(look.state)
    return "waiting"


def change_of(look: Look) -> dict[str, object]:
    """Return what an event ``state`` says."""
    made = look.job.attempts_made
    return {"state": word_of(look), "attempts_made": made, "due_at": iso(look.due)}


def snapshot_of(look: Look, type_name: str) -> dict[str, object]:
    """Return all that there is to say of a task."""
    job, state = look.job, look.state
    return {
        "id": job.id,
        "type": type_name,
        "state": word_of(look),
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
