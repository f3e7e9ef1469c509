"""What clients of the Queue channel may call: this table, and nothing else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from framework import Queue
from framework_gateway.hub import Hub
from framework_gateway.ws import (
    adding_functions,
    job_functions,
    queue_functions,
    reading_functions,
)
from framework_gateway.ws.arguments import Arguments

# Requests of one connection take effect in the order in which they came. Adds travel together,
# and so do reads; all else waits for what came before it.
Kind = Literal["add", "read", "write"]
Call = Callable[[Hub, Queue, Arguments], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Function:
    """One of them.

    Attributes:
        kind: What may be under way beside it.
        call: Takes its arguments, does it, and returns the result as JSON.
    """

    kind: Kind
    call: Call


FUNCTIONS = {
    "add": Function("add", adding_functions.add),
    "addBulk": Function("write", adding_functions.add_bulk),
    "getJob": Function("read", reading_functions.get_job),
    "getJobState": Function("read", reading_functions.get_job_state),
    "getJobs": Function("read", reading_functions.get_jobs),
    "getJobCounts": Function("read", reading_functions.get_job_counts),
    "count": Function("read", reading_functions.count),
    "pause": Function("write", queue_functions.pause),
    "resume": Function("write", queue_functions.resume),
    "isPaused": Function("read", reading_functions.is_paused),
    "getJobLogs": Function("read", reading_functions.get_job_logs),
    "addJobLog": Function("write", job_functions.add_job_log),
    "jobLog": Function("write", job_functions.add_job_log),
    "updateJobProgress": Function("write", job_functions.update_job_progress),
    "jobProgress": Function("write", job_functions.update_job_progress),
    "getWorkers": Function("read", reading_functions.get_workers),
    "remove": Function("write", job_functions.remove),
    "retryJobs": Function("write", queue_functions.retry_jobs),
    "promoteJobs": Function("write", queue_functions.promote_jobs),
    "drain": Function("write", queue_functions.drain),
    "clean": Function("write", queue_functions.clean),
    "obliterate": Function("write", queue_functions.obliterate),
    "upsertJobScheduler": Function("write", adding_functions.upsert_job_scheduler),
    "removeJobScheduler": Function("write", adding_functions.remove_job_scheduler),
    "getJobSchedulers": Function("read", reading_functions.get_job_schedulers),
    "retryJob": Function("write", job_functions.retry_job),
    "promoteJob": Function("write", job_functions.promote_job),
}
