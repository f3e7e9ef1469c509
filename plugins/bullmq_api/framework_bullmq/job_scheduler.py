"""The schedulers of one queue, as an object of its own."""

from collections.abc import Mapping
from typing import Any

from framework import OptionsError
from framework_bullmq.job import Job
from framework_bullmq.queue_schedulers import QueueSchedulers
from framework_bullmq.refusals import Refuses


class JobScheduler(Refuses):
    """Makes, changes and looks at the schedulers of a queue, as the queue itself does.

    Args:
        queue: The queue.
        repeat_strategy: None: the engine decides when a run is due, for all workers alike.

    Raises:
        OptionsError: A strategy is given.
    """

    def __init__(self, queue: QueueSchedulers, repeat_strategy: object = None) -> None:
        if repeat_strategy is not None:
            reason = "the next run is reckoned by whichever worker takes this one, the engine's way"
            raise OptionsError("repeat_strategy", f"{reason}; leave it out")
        self.queue = queue

    async def upsertJobScheduler(
        self,
        job_scheduler_id: str,
        repeat_opts: Mapping[str, Any],
        job_name: str | None = None,
        job_data: Any = None,  # noqa: ANN401 - whatever JSON can hold
        opts: Mapping[str, Any] | None = None,
        override: bool = True,
        producer_id: str | None = None,
    ) -> Job | None:
        """Make a scheduler, or change the one of this id; see `Queue.upsertJobScheduler`."""
        return await self.queue.upsertJobScheduler(
            job_scheduler_id, repeat_opts, job_name, job_data, opts, override, producer_id
        )

    async def getScheduler(self, job_scheduler_id: str) -> dict[str, Any] | None:
        """Return a scheduler as it stands, or None."""
        return await self.queue.getJobScheduler(job_scheduler_id)

    async def getJobSchedulers(
        self, start: int = 0, end: int = -1, asc: bool = False
    ) -> list[dict[str, Any]]:
        """Return a page of the schedulers; see `Queue.getJobSchedulers`."""
        return await self.queue.getJobSchedulers(start, end, asc)

    async def getSchedulersCount(self) -> int:
        """Return how many schedulers there are."""
        return await self.queue.getJobSchedulersCount()

    async def isJobScheduler(self, job_scheduler_id: str) -> bool:
        """Tell whether there is a scheduler of this id."""
        return await self.queue.isJobScheduler(job_scheduler_id)

    async def removeJobScheduler(self, job_scheduler_id: str) -> int:
        """Remove a scheduler and its next run; return 0, or 1 if there was none."""
        return await self.queue.removeJobScheduler(job_scheduler_id)

    get_job_schedulers = getJobSchedulers
    get_scheduler = getScheduler
    get_schedulers_count = getSchedulersCount
    is_job_scheduler = isJobScheduler
    remove_job_scheduler = removeJobScheduler
    upsert_job_scheduler = upsertJobScheduler
