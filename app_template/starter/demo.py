"""What runs the jobs of queue "demo"."""

import anyio
import structlog

from framework import Completed, Context, Failed, Job, Progressed, handles, on_event, processor
from starter.jobs import Echo, MaybeFail

log = structlog.get_logger("starter.demo")

STEP_SECONDS = 0.2


class OnPurposeError(Exception):
    """A failure that the job asked for."""


@processor("demo", concurrency=5)
class Demo:
    """Runs jobs named "echo" and "maybe-fail", and lets all others pass."""

    @handles("echo")
    async def echo(self, job: Job[Echo], ctx: Context) -> dict[str, str]:
        """Say the message back, in five steps."""
        for percent in (0, 25, 50, 75, 100):
            await anyio.sleep(STEP_SECONDS)
            await ctx.progress(percent)
        return {"echoed": job.data.message}

    @handles("maybe-fail")
    async def maybe_fail(self, job: Job[MaybeFail]) -> dict[str, str]:
        """Fail as often as the job says, then succeed."""
        fail_times = job.data.fail_times
        if job.attempts_made < fail_times:
            attempt = job.attempts_made + 1
            raise OnPurposeError(f"Failing on purpose (attempt {attempt}/{fail_times})")
        return {"okAfterRetries": job.data.message}

    async def process(self, job: Job[object]) -> None:
        """Complete jobs of any other name. Remove this, and they fail."""

    @on_event("completed")
    async def tell_completed(self, event: Completed[object, object]) -> None:
        """Log what a job returned."""
        log.info('completed "%s" id=%s result=%s', event.job.name, event.job.id, event.result)

    @on_event("failed")
    async def tell_failed(self, event: Failed[object]) -> None:
        """Log why an attempt failed; another one follows if the job has any left."""
        job = event.job
        log.warning(
            'failed "%s" id=%s attempt=%s error=%s', job.name, job.id, event.attempt, event.reason
        )

    @on_event("progress")
    async def tell_progress(self, event: Progressed[object]) -> None:
        """Log how far a job is."""
        log.info('progress "%s" id=%s = %s%%', event.job.name, event.job.id, event.progress)
