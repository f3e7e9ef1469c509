"""Sees which worker processes are not well, and which have become too old."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from framework.app.worker_process import WorkerProcess

log = structlog.get_logger("framework.run")

SILENT_SECONDS = 5.0
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """When a worker process is replaced though it is well.

    Attributes:
        max_jobs: After so many jobs; None: never.
        max_memory: Once it has so many bytes; None: never.
    """

    max_jobs: int | None = None
    max_memory: int | None = None

    def reached_by(self, process: WorkerProcess) -> str | None:
        """Return which limit a process has reached, for people."""
        if self.max_jobs is not None and process.served >= self.max_jobs:
            return f"{process.served} jobs served"
        if self.max_memory is not None and process.memory >= self.max_memory:
            return f"{process.memory >> 20} MiB of memory"
        return None


def look_after(process: WorkerProcess, max_block: float) -> None:
    """Report a process that stands still, and kill it after ``max_block`` seconds.

    One whose threads still run reports a blocked event loop itself, with the job.
    """
    if process.blocked_for > max_block:
        log.error(
            "worker blocked for too long, it is killed",
            worker=process.index,
            pid=process.pid,
            seconds=round(process.blocked_for),
            jobs=named(process),
            stack=process.take_stacks(),
        )
        process.send(signal.SIGKILL)
    elif process.silent_for < SILENT_SECONDS:
        process.was_told_blocked = False
        process.last_stacks = ""  # it goes on: they will not be why it dies
    elif not process.was_told_blocked:
        process.was_told_blocked = True
        log.warning(
            "worker stands still: something holds its interpreter, or stopped it",
            worker=process.index,
            pid=process.pid,
            seconds=round(process.silent_for, 1),
            jobs=named(process),
            stack=process.take_stacks(),
        )


def named(process: WorkerProcess) -> list[str]:
    """Return a few of the jobs that a process holds, with their queues."""
    found = [f"{one.queue}:{job_id}" for one in process.holders for job_id in one.held]
    return few(found)


def few(names: Sequence[str]) -> list[str]:
    """Return the first of many names, and whether there are more."""
    return [*names[:MOST_NAMED], *(["…"] if len(names) > MOST_NAMED else [])]
