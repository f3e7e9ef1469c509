"""What the rest of the program asks of the jobs, in its own words."""

from datetime import timedelta
from typing import Annotated, Any

from framework import Exponential, Job, JobState, Named, Producer, Queue, provider
from starter.jobs import Echo, MaybeFail

FIRST_RETRY_AFTER = timedelta(seconds=1)


@provider
class DemoJobs:
    """Adds the jobs of queue "demo" and looks them up.

    The container makes one and hands it the producers. A payload's type says which queue and
    name its jobs get.
    """

    def __init__(
        self,
        echoes: Producer[Echo],
        retries: Producer[MaybeFail],
        queue: Annotated[Queue, Named("demo")],
    ) -> None:
        self.echoes = echoes
        self.retries = retries
        self.queue = queue

    async def echo(self, message: str, *, delay: timedelta = timedelta(0)) -> Job[Echo]:
        """Say a message back, now or later."""
        return await self.echoes.add(Echo(message=message), delay=delay)

    async def retry(self, message: str, fail_times: int) -> Job[MaybeFail]:
        """Fail so many times, wait 1, 2, 4 … seconds in between, then succeed."""
        return await self.retries.add(
            MaybeFail(message=message, fail_times=fail_times),
            attempts=fail_times + 1,
            backoff=Exponential(FIRST_RETRY_AFTER),
        )

    async def find(self, job_id: str) -> tuple[JobState, Job[Any, Any]] | None:
        """Return a job and its state, or None."""
        # The state first: a job that completes in between is then seen with its result.
        state = await self.queue.state(job_id)
        job = None if state is JobState.UNKNOWN else await self.queue.job(job_id)
        return None if job is None else (state, job)
