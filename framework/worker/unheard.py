"""What is logged of runs that nobody hears of otherwise: failed without a hook, or dropped."""

from typing import Any

import structlog

from framework.model.outcome import Retry
from framework.store.endings import Failure
from framework.wire.job_hash import StoredJob

log = structlog.get_logger("framework.worker")

WORN_OUT = "job started more than allowable limit"
# What to tell of a run whose outcome nobody wants, by why it was cancelled.
DROPPED = {
    "lost": "lock lost, run cancelled, its outcome is dropped",
    "expired": "lock not renewed in time, run cancelled, its outcome is dropped",
    "removed": "job removed while it ran, run cancelled, its outcome is dropped",
}


def log_dropped(job: StoredJob[Any, Any], why: str) -> None:
    """Tell of a run whose outcome nobody wants; ``why`` it was cancelled is in `DROPPED`."""
    log.warning(DROPPED[why], job=job.id, queue=job.queue)


def log_failure(
    job: StoredJob[Any, Any], failure: Failure, attempt: int, most_started: int | None, code: int
) -> None:
    """Tell of a failed attempt where no hook does; silence would hide it.

    Args:
        attempt: Which one failed, from 1.
        most_started: How often the job may be started.
        code: What Redis said to that ending; nothing is told of one that it refused.
    """
    if code != 0:
        return
    facts = {"job": job.id, "queue": job.queue, "name": job.name, "attempt": attempt}
    told: dict[str, object] = {}
    if isinstance(failure.outcome, Retry):
        told["retry_in"] = f"{failure.outcome.delay.total_seconds():g} s"
    if failure.reason == WORN_OUT:
        told["started"] = job.attempts_started
        told["max_started_attempts"] = most_started
    notes = getattr(failure.outcome.error, "__notes__", ())
    if isinstance(notes, list):  # a backoff that is not known here, for one
        told["note"] = "; ".join(map(str, notes))
    log.warning("job failed", **facts, error=failure.reason, **told)
