"""Asking where a job stands."""

from framework import JobState
from framework_bullmq.job_base import JobBase

STATES = {
    "active": JobState.ACTIVE,
    "completed": JobState.COMPLETED,
    "delayed": JobState.DELAYED,
    "failed": JobState.FAILED,
    "paused": JobState.WAITING,
    "prioritized": JobState.PRIORITIZED,
    "wait": JobState.WAITING,
    "waiting": JobState.WAITING,
    "waiting-children": JobState.WAITING_CHILDREN,
}


class JobStates(JobBase):
    """What tells where a job stands, each time anew."""

    async def getState(self) -> str:
        """Return where it stands: ``waiting``, ``active`` ..., ``unknown`` if it is nowhere."""
        return await self.queue.getJobState(self.id)

    async def isInList(self, list_name: str) -> bool:
        """Tell whether it is in one of the lists ``wait`` and ``active``."""
        return await self._is(STATES.get(list_name))

    async def isInZSet(self, set: str) -> bool:
        """Tell whether it is in one of the sorted sets: ``delayed``, ``completed`` ..."""
        return await self._is(STATES.get(set))

    async def isActive(self) -> bool:
        """Tell whether it runs."""
        return await self._is(JobState.ACTIVE)

    async def isCompleted(self) -> bool:
        """Tell whether it has completed."""
        return await self._is(JobState.COMPLETED)

    async def isDelayed(self) -> bool:
        """Tell whether it is delayed."""
        return await self._is(JobState.DELAYED)

    async def isFailed(self) -> bool:
        """Tell whether it has failed for good."""
        return await self._is(JobState.FAILED)

    async def isWaiting(self) -> bool:
        """Tell whether it waits in line, without a priority."""
        return await self._is(JobState.WAITING)

    async def isWaitingChildren(self) -> bool:
        """Tell whether it waits for children."""
        return await self._is(JobState.WAITING_CHILDREN)

    async def _is(self, state: JobState | None) -> bool:
        return state is not None and await self.getState() == state

    get_state = getState
    is_in_list = isInList
    is_in_z_set = isInZSet
    is_active = isActive
    is_completed = isCompleted
    is_delayed = isDelayed
    is_failed = isFailed
    is_waiting = isWaiting
    is_waiting_children = isWaitingChildren
