"""What the engine's worker takes for a `Worker`: it runs its jobs, and tells its listeners."""

import traceback
from typing import TYPE_CHECKING, Any

import structlog

from framework import (
    Completed,
    Context,
    Drained,
    Failed,
    Progressed,
    Stalled,
    on_event,
    processor,
)
from framework import Job as Record
from framework_bullmq.millis import now_ms
from framework_bullmq.processing import Processing

if TYPE_CHECKING:
    from framework_bullmq.worker import Worker

log = structlog.get_logger("framework_bullmq")


class Hearing:
    """Runs the jobs of one worker, and tells its listeners; the engine takes a class made of it."""

    worker: "Worker"
    running: Processing

    async def process(self, job: Record[Any, Any], ctx: Context) -> Any:  # noqa: ANN401 - whatever the processor returns
        """Run a job."""
        return await self.running.run(job, ctx)

    @on_event("completed")
    def completed(self, event: Completed[Any, Any]) -> None:
        """Tell of a job whose result Redis has recorded."""
        job = self.running.ended(event.job)
        if self.worker.hears("completed"):
            job.returnvalue = event.result
            job.finishedOn = now_ms()
            self.worker.emit("completed", job, event.result)

    @on_event("failed")
    def failed(self, event: Failed[Any]) -> None:
        """Tell of a failed attempt; where nobody listens, silence would hide it."""
        job = self.running.ended(event.job)
        job.failedReason = event.reason
        if self.worker.hears("failed"):
            job.stacktrace = [*job.stacktrace, "".join(traceback.format_exception(event.error))]
            if not event.will_retry:
                job.finishedOn = now_ms()
            self.worker.emit("failed", job, event.error)
        else:
            facts = {"job": job.id, "queue": self.worker.name, "name": event.job.name}
            log.warning("job failed", **facts, attempt=event.attempt, error=event.reason)

    @on_event("progress")
    def progress(self, event: Progressed[Any]) -> None:
        """Tell how far a job is."""
        if self.worker.hears("progress"):
            self.worker.emit("progress", self.running.of(event.job), event.progress)

    @on_event("stalled")
    def stalled(self, event: Stalled) -> None:
        """Tell of a job whose worker vanished."""
        self.worker.emit("stalled", str(event.job_id))

    @on_event("drained")
    def drained(self, event: Drained) -> None:
        """Tell that nothing is left to do."""
        self.worker.emit("drained")


def made_for(worker: "Worker", running: Processing, keywords: dict[str, Any]) -> type[Hearing]:
    """Return the class that the engine takes for a worker.

    Args:
        worker: The worker.
        running: What runs its jobs.
        keywords: Of the engine's ``processor``.
    """
    kind = type("Processor", (Hearing,), {"worker": worker, "running": running})
    return processor(worker.name, **keywords)(kind)
