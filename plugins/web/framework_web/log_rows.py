"""The rows that jobs log, which no event tells of: one look a second, however many watch a job."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from framework import Queue

LOOK_SECONDS = 1.0
MOST_ROWS = 1000


class LogRows:
    """The log of one job, as all who watch it see it.

    Args:
        queue: The job's queue.
        job_id: The job.

    Attributes:
        watchers: How many watch it.
    """

    def __init__(self, queue: Queue, job_id: str) -> None:
        self.watchers = 0
        self._queue = queue
        self._job_id = job_id
        self._count = 0
        self._looked = float("-inf")
        self._looking = anyio.Lock()

    async def behind(self, known: int, *, now: bool = False) -> list[str]:
        """Return the rows behind so many that are known; 1,000 at most.

        Args:
            now: Look at Redis even if somebody did a moment ago.
        """
        async with self._looking:
            if now or anyio.current_time() - self._looked >= LOOK_SECONDS * 0.9:
                self._count = await self._queue.log_count(self._job_id)
                self._looked = anyio.current_time()
        if self._count <= known:
            return []
        return await self._queue.logs(self._job_id, known, min(self._count, known + MOST_ROWS) - 1)


class Logs:
    """The logs of all jobs that somebody watches."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], LogRows] = {}

    @asynccontextmanager
    async def watch(self, queue: Queue, job_id: str) -> AsyncIterator[LogRows]:
        """Watch the log of a job until the end of the block."""
        place = queue.name, job_id
        rows = self._rows.setdefault(place, LogRows(queue, job_id))
        rows.watchers += 1
        try:
            yield rows
        finally:
            rows.watchers -= 1
            if not rows.watchers:
                del self._rows[place]
