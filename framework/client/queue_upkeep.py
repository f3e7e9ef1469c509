"""Looking after a queue and its jobs."""

from framework.client.queue_base import QueueBase
from framework.model.job import JobId
from framework.store import reads
from framework.store.transitions import admin
from framework.wire.keys import may_be_job


class QueueUpkeep(QueueBase):
    """What keeps a queue in order."""

    async def pause(self) -> None:
        """Let no worker of the fleet take a job; running ones go on.

        Wire: ``meta`` field ``paused``; event ``paused``.
        """
        await admin.pause_queue(self._store, self._keys)

    async def resume(self) -> None:
        """Let workers take jobs again.

        Wire: the ``meta`` field goes, a list ``paused`` of BullMQ 5 is merged; ``resumed``.
        """
        await admin.resume_queue(self._store, self._keys)

    async def is_paused(self) -> bool:
        """Tell whether the queue is paused."""
        return await reads.is_paused(self._store, self._keys)

    async def remove(self, job_id: str) -> bool:
        """Delete a job that does not run; return whether there was one.

        Wire: event ``removed``. Its children stay.

        Raises:
            JobLockedError: A worker runs it now.
            SchedulerJobError: It is the next run of a schedule.
        """
        if not may_be_job(job_id):
            return False
        return await admin.remove_job(self._store, self._keys, JobId(job_id))
