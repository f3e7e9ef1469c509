"""Looking at a queue and its jobs."""

from collections.abc import Iterable, Sequence
from typing import Any

from framework import JobState, OptionsError
from framework_bullmq.job import Job
from framework_bullmq.job_states import STATES
from framework_bullmq.queue_base import QueueBase

ALL = (
    "active", "completed", "delayed", "failed", "prioritized", "waiting", "waiting-children",
)  # fmt: skip


def state_of(type: str) -> JobState | None:
    """Return the state that a type of BullMQ's names; None for ``paused``, which is no more one."""
    if type == "paused":
        return None
    if type not in STATES:
        known = ", ".join(sorted(STATES))
        raise OptionsError("types", f"there is no {type!r}; there are: {known}")
    return STATES[type]


class QueueGetters(QueueBase):
    """What a queue tells of itself. Pages are from ``start`` to ``end``, included; -1: the last."""

    async def getJob(self, job_id: str) -> Job | None:
        """Return a job as it stands, or None."""
        record = await (await self.engine()).job(str(job_id))
        return None if record is None else Job.of_record(self, record)  # type: ignore[arg-type]  # a Queue

    async def getJobState(self, job_id: str) -> str:
        """Return where a job stands; ``unknown`` if it is nowhere."""
        return str(await (await self.engine()).state(str(job_id)))

    async def getJobs(
        self, types: Sequence[str] | str, start: int = 0, end: int = -1, asc: bool = False
    ) -> list[Job]:
        """Return a page of the jobs of each type, one type after the other.

        Args:
            types: One, or several; none: all.
            asc: The oldest first.
        """
        engine = await self.engine()
        found: list[Job] = []
        for state in map(state_of, self.sanitizeJobTypes(types)):
            if state is not None:
                records = await engine.jobs(state, start, end, newest_first=not asc)
                found += [Job.of_record(self, record) for record in records]  # type: ignore[arg-type]  # a Queue
        return found

    async def getActive(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the jobs that run, the first to have begun first."""
        return await self.getJobs("active", start, end, asc=True)

    async def getWaiting(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the jobs that wait, the next one first."""
        return await self.getJobs("waiting", start, end, asc=True)

    async def getPrioritized(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the jobs that wait by a priority, the next one first."""
        return await self.getJobs("prioritized", start, end, asc=True)

    async def getDelayed(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the delayed jobs, the one that is due next first."""
        return await self.getJobs("delayed", start, end, asc=True)

    async def getWaitingChildren(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the jobs that wait for children."""
        return await self.getJobs("waiting-children", start, end, asc=True)

    async def getCompleted(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the completed jobs, the newest first."""
        return await self.getJobs("completed", start, end)

    async def getFailed(self, start: int = 0, end: int = -1) -> list[Job]:
        """Return a page of the failed jobs, the newest first."""
        return await self.getJobs("failed", start, end)

    async def getJobCounts(self, *types: str) -> dict[str, int]:
        """Return how many jobs there are of each type; of all types unless some are given."""
        counts = await (await self.engine()).counts()
        states = {one: state_of(one) for one in self.sanitizeJobTypes(types)}
        return {one: counts.get(state, 0) if state else 0 for one, state in states.items()}

    async def getJobCountByTypes(self, *types: str) -> int:
        """Return how many jobs there are of these types in all."""
        return sum((await self.getJobCounts(*types)).values())

    async def getCompletedCount(self) -> int:
        """Return how many jobs have completed."""
        return await self.getJobCountByTypes("completed")

    async def getDelayedCount(self) -> int:
        """Return how many jobs are delayed."""
        return await self.getJobCountByTypes("delayed")

    async def getFailedCount(self) -> int:
        """Return how many jobs have failed."""
        return await self.getJobCountByTypes("failed")

    async def getWaitingCount(self) -> int:
        """Return how many jobs wait."""
        return await self.getJobCountByTypes("waiting")

    async def getCountsPerPriority(self, priorities: Iterable[int]) -> dict[str, int]:
        """Return how many jobs wait by each of these priorities; 0 is none."""
        counts = await (await self.engine()).counts_per_priority(*priorities)
        return {str(priority): count for priority, count in counts.items()}

    async def getJobLogs(
        self, job_id: str, start: int = 0, end: int = -1, asc: bool = True
    ) -> dict[str, Any]:
        """Return a page of a job's log as ``{"logs": [...], "count": how many in all}``."""
        engine = await self.engine()
        rows = await engine.logs(str(job_id), start, end, newest_first=not asc)
        return {"logs": rows, "count": await engine.log_count(str(job_id))}

    async def getDeduplicationJobId(self, id: str) -> str | None:
        """Return the job that holds a deduplication id, or None."""
        return await (await self.engine()).deduplication_job_id(id)

    async def get_workers(self) -> list[dict[str, str]]:
        """Return the workers that are connected: ``name``, ``addr``, ``age`` and ``idle`` in s."""
        return [
            {
                "name": worker.name,
                "addr": worker.address,
                "age": str(int(worker.age.total_seconds())),
                "idle": str(int(worker.idle.total_seconds())),
            }
            for worker in await (await self.engine()).workers()
        ]

    async def get_workers_count(self) -> int:
        """Return how many workers are connected."""
        return len(await self.get_workers())

    def sanitizeJobTypes(self, types: Sequence[str] | str) -> list[str]:
        """Return types, each once, or all if there are none."""
        given = [types] if isinstance(types, str) else list(types)
        return list(dict.fromkeys(given)) or list(ALL)

    get_job = getJob
    get_job_state = getJobState
    get_jobs = getJobs
    get_active = getActive
    get_waiting = getWaiting
    get_prioritized = getPrioritized
    get_delayed = getDelayed
    get_waiting_children = getWaitingChildren
    get_completed = getCompleted
    get_failed = getFailed
    get_job_counts = getJobCounts
    get_job_count_by_types = getJobCountByTypes
    get_completed_count = getCompletedCount
    get_delayed_count = getDelayedCount
    get_failed_count = getFailedCount
    get_waiting_count = getWaitingCount
    get_counts_per_priority = getCountsPerPriority
    get_job_logs = getJobLogs
    get_deduplication_job_id = getDeduplicationJobId
    sanitize_job_types = sanitizeJobTypes
