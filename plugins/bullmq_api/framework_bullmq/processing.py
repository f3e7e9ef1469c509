"""What the engine runs for a `Worker`: its processor, called as BullMQ calls it."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from framework import Context
from framework import Job as Record
from framework_bullmq.abort_controller import AbortController
from framework_bullmq.custom_errors import DelayedError, RateLimitError, WaitingChildrenError
from framework_bullmq.job import Job
from framework_bullmq.millis import MILLISECOND

if TYPE_CHECKING:
    from framework_bullmq.worker import Worker

WITH_TOKEN, WITH_SIGNAL = 2, 3
POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
# How many jobs are kept for what is told of them once they have ended, beside those that run.
MOST_ENDED = 1000


def count_parameters(function: Callable[..., Any]) -> int:
    """Return with how many arguments to call a processor: job, token, signal."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C, say
        return WITH_TOKEN
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters):
        return WITH_SIGNAL
    return max(1, sum(one.kind in POSITIONAL for one in parameters))


class Processing:
    """Runs the jobs of one worker, and tells its listeners of them.

    Args:
        worker: The worker.
        function: Its processor.

    Attributes:
        controllers: By the ids of running jobs; empty if the processor takes no signal.
    """

    def __init__(self, worker: "Worker", function: Callable[..., Any]) -> None:
        self._worker = worker
        self._function = function
        self._takes = min(count_parameters(function), WITH_SIGNAL)
        self._jobs: dict[str, Job] = {}
        self._most = worker.opts["concurrency"] + MOST_ENDED
        self.controllers: dict[str, AbortController] = {}

    async def run(self, record: Record[Any, Any], ctx: Context) -> Any:  # noqa: ANN401 - whatever the processor returns
        """Run a job."""
        worker = self._worker
        job = Job.of_record(worker.queue, record, run=ctx)
        self._keep(job)
        if worker.hears("active"):
            worker.emit("active", job, "waiting")
        try:
            return await self._run(job, ctx)
        except Exception:  # its end is told, as that of one that returns
            raise
        except BaseException:  # it goes on later, or elsewhere
            self._jobs.pop(job.id, None)
            raise
        finally:
            job.run_is_over()

    async def _run(self, job: Job, ctx: Context) -> Any:  # noqa: ANN401 - as run
        try:
            result = await self._call(job, ctx.token)
        except (DelayedError, WaitingChildrenError, RateLimitError) as error:
            await self._leave(job, ctx, error)
            raise  # it was not moved, and has failed
        if job.has_left:
            lost = TypeError(f"Missing lock for job {job.id}. moveToFinished")
            self._worker.emit("error", lost, job)
            await job.leave(ctx)
        return result

    async def _call(self, job: Job, token: str) -> Any:  # noqa: ANN401 - as run
        if self._takes == 1:
            result = self._function(job)
        elif self._takes == WITH_TOKEN:
            result = self._function(job, token)
        else:
            return await self._call_with_signal(job, token)
        return await result if inspect.isawaitable(result) else result

    async def _call_with_signal(self, job: Job, token: str) -> Any:  # noqa: ANN401 - as run
        controller = self.controllers[job.id] = AbortController()
        try:
            result = self._function(job, token, controller.signal)
            return await result if inspect.isawaitable(result) else result
        finally:
            self.controllers.pop(job.id, None)

    async def _leave(self, job: Job, ctx: Context, error: Exception) -> None:
        """Leave as the processor asked; return if it did not say how."""
        if isinstance(error, RateLimitError):
            ttl = await (await self._worker.queue.engine()).rate_limit_ttl()
            await ctx.rate_limit(max(ttl, MILLISECOND))
        if job.has_left:
            await job.leave(ctx)
        error.add_note(
            f"job {job.id} was not moved: await job.moveToDelayed(timestamp, token), or "
            "job.moveToWaitingChildren(token, {}), before you raise this"
        )

    def _keep(self, job: Job) -> None:
        """Keep a job for who hears of its end; of those whose end nobody told, the oldest go."""
        jobs = self._jobs
        jobs[job.id] = job
        if len(jobs) > self._most:
            del jobs[next(iter(jobs))]

    def of(self, record: Record[Any, Any]) -> Job:
        """Return the job that the processor has."""
        return self._jobs.get(record.id) or Job.of_record(self._worker.queue, record)

    def ended(self, record: Record[Any, Any]) -> Job:
        """Return the job that the processor had, or, where it did not come so far, one like it."""
        job = self._jobs.pop(record.id, None)
        if job is None:
            job = Job.of_record(self._worker.queue, record)
        job.attemptsMade = record.attempts_made + 1
        return job
