"""The schedulers of a queue."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from framework import OptionsError
from framework_bullmq.job import Job
from framework_bullmq.job_options import engine_options
from framework_bullmq.millis import epoch_ms, now_ms
from framework_bullmq.queue_base import NOTHING, QueueBase
from framework_bullmq.schedules import Repeat, told_scheduler

if TYPE_CHECKING:
    from framework_bullmq.job_scheduler import JobScheduler


class QueueSchedulers(QueueBase):
    """What adds jobs to a queue at set times."""

    _scheduler: "JobScheduler | None" = None

    @property
    def jobScheduler(self) -> "JobScheduler":
        """The queue's `JobScheduler`."""
        from framework_bullmq.job_scheduler import JobScheduler  # noqa: PLC0415 - it asks for a queue

        if self._scheduler is None:
            self._scheduler = JobScheduler(self)
        return self._scheduler

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
        """Make a scheduler, or change the one of this id.

        Args:
            job_scheduler_id: Unique within the queue.
            repeat_opts: ``every`` or ``pattern`` with ``tz``; ``offset``, ``startDate``,
                ``endDate``, ``limit``, ``immediately``.
            job_name: The name of its jobs; the scheduler's id unless given.
            job_data: Their payload.
            opts: What they are added with.
            override: Change the one that is there; else leave it, and return None.
            producer_id: None: workers' own.

        Returns:
            Its next run; None if it has ended already.

        Raises:
            OptionsError, ScheduleError: It cannot be.
        """
        if producer_id is not None:
            raise OptionsError("producer_id", "the engine's workers put the next runs in line")
        repeat = Repeat(repeat_opts)
        options = engine_options(opts or NOTHING, self.prefix)
        if repeat.end is not None and epoch_ms(repeat.end) < now_ms():
            return None
        engine = await self.engine()
        if not override and await engine.job_scheduler(job_scheduler_id) is not None:
            return None
        run_id = await engine.upsert_job_scheduler(
            job_scheduler_id,
            repeat.when,
            job_name,
            {} if job_data is None else job_data,
            start=repeat.start,
            end=repeat.end,
            limit=repeat.limit,
            immediately=repeat.immediately,
            **options,
        )
        record = await engine.job(run_id)
        return None if record is None else Job.of_record(self, record)  # type: ignore[arg-type]  # a Queue

    async def getJobScheduler(self, job_scheduler_id: str) -> dict[str, Any] | None:
        """Return a scheduler as it stands, or None."""
        found = await (await self.engine()).job_scheduler(job_scheduler_id)
        return None if found is None else told_scheduler(found)

    async def getJobSchedulers(
        self, start: int = 0, end: int = -1, asc: bool = False
    ) -> list[dict[str, Any]]:
        """Return a page of the schedulers, the one that is due last first, unless ``asc``."""
        found = await (await self.engine()).job_schedulers(start, end, latest_first=not asc)
        return [told_scheduler(one) for one in found]

    async def getJobSchedulersCount(self) -> int:
        """Return how many schedulers there are."""
        return await (await self.engine()).job_schedulers_count()

    async def isJobScheduler(self, job_scheduler_id: str) -> bool:
        """Tell whether there is a scheduler of this id."""
        return await (await self.engine()).job_scheduler(job_scheduler_id) is not None

    async def removeJobScheduler(self, job_scheduler_id: str) -> int:
        """Remove a scheduler and its next run; return 0, or 1 if there was none."""
        return int(not await (await self.engine()).remove_job_scheduler(job_scheduler_id))

    get_job_scheduler = getJobScheduler
    get_job_schedulers = getJobSchedulers
    get_job_schedulers_count = getJobSchedulersCount
    is_job_scheduler = isJobScheduler
    job_scheduler = jobScheduler
    remove_job_scheduler = removeJobScheduler
    upsert_job_scheduler = upsertJobScheduler
