"""End runs that take longer than they may."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from framework.errors import JobTimeoutError
from framework.wire.job_hash import StoredJob
from framework.worker.run import HeldRun, Timer
from framework.worker.runner import RunsJobs
from framework.worker.threads import ThreadLeftError

log = structlog.get_logger("framework.worker")


async def run_in_time(
    runner: RunsJobs,
    job: StoredJob[Any, Any],
    run: Callable[[Timer], HeldRun],
    seconds: float,
) -> tuple[object, bytes]:
    """Run a job, and cancel it when its time is over: as a stop does, but as a failed attempt.

    Args:
        run: Makes its run.

    Raises:
        JobTimeoutError: It took longer.
    """
    timer = Timer(seconds)
    with timer.scope as scope:
        try:
            return await runner.run(job, lambda: run(timer))
        except ThreadLeftError:
            if scope.cancel_called:
                log.warning("thread goes on after its job timed out", job=job.id, queue=job.queue)
            raise
        except Exception as error:
            if scope.cancel_called:
                raise JobTimeoutError(timedelta(seconds=seconds)) from error
            raise
    raise JobTimeoutError(timedelta(seconds=seconds))
