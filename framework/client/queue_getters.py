"""Looking at a queue and its jobs; nothing here changes anything."""

from typing import Any

from framework.client.queue_base import QueueBase
from framework.model.job import Job, JobId, JobState
from framework.store import reads
from framework.wire.keys import may_be_job

NEWEST_FIRST = frozenset({JobState.COMPLETED, JobState.FAILED})


class QueueGetters(QueueBase):
    """What a queue tells of itself."""

    async def job(self, job_id: str) -> Job[Any, Any] | None:
        """Return a job as it stands, or None."""
        if not may_be_job(job_id):
            return None
        fields = await reads.read_job(self._store, self._keys, JobId(job_id))
        return self._stored(JobId(job_id), fields) if fields else None

    async def state(self, job_id: str) -> JobState:
        """Tell where a job stands; ``unknown`` if it is nowhere."""
        if not may_be_job(job_id):
            return JobState.UNKNOWN
        return await reads.job_state(self._store, self._keys, JobId(job_id))

    async def counts(self) -> dict[JobState, int]:
        """Return how many jobs are in each state."""
        return await reads.job_counts(self._store, self._keys)

    async def jobs(
        self,
        state: JobState | str,
        start: int = 0,
        stop: int = 49,
        *,
        newest_first: bool | None = None,
    ) -> list[Job[Any, Any]]:
        """Return a page of the jobs in one state; those that vanish meanwhile are left out.

        Args:
            start: Place of the first, from 0.
            stop: Place of the last, included; -1: to the end.
            newest_first: Unless given, finished jobs come newest first, others in the
                order in which they run.
        """
        state = JobState(state)
        newest = state in NEWEST_FIRST if newest_first is None else newest_first
        ids = await reads.job_ids(self._store, self._keys, state, start, stop, newest_first=newest)
        found = await reads.read_jobs(self._store, self._keys, ids)
        return [self._stored(job_id, fields) for job_id, fields in found.items()]

    async def logs(self, job_id: str, start: int = 0, stop: int = -1) -> list[str]:
        """Return rows of a job's log, oldest first; ``stop`` is included, -1: to the end."""
        if not may_be_job(job_id):
            return []
        return await reads.read_logs(self._store, self._keys, JobId(job_id), start, stop)
