"""Looking at a queue and its jobs; nothing here changes anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from framework.client.queue_base import FinishedState, QueueBase, check_whole, finished, known_state
from framework.model.job import Job, JobId, JobLook, JobState
from framework.model.metrics import Metrics
from framework.model.worker_info import WorkerInfo
from framework.store import reads
from framework.store.presence import list_workers, show_worker
from framework.wire.keys import may_be_job
from framework.wire.millis import instant_from_ms

# How often to look for jobs in place of ids that lead to none, as BullMQ does.
MOST_PAGES = 6
NEWEST_FIRST = frozenset({JobState.COMPLETED, JobState.FAILED})


class QueueGetters(QueueBase):
    """What a queue tells of itself."""

    async def job(self, job_id: str) -> Job[Any, Any] | None:
        """Return a job as it stands, or None.

        Wire: reads the hash ``J``.
        """
        if not may_be_job(job_id):
            return None
        fields = await reads.read_job(self._store, self._keys, JobId(job_id))
        return self._stored(JobId(job_id), fields) if fields else None

    async def look(self, job_id: str) -> JobLook[Any, Any] | None:
        """Return a job, where it stands and when it is due, all of one moment; or None.

        Whoever listens to the queue after the look's ``event_id`` hears all that follows.

        Wire: reads the hash ``J``, all structures and the stream ``events``.
        """
        if not may_be_job(job_id):
            return None
        wanted = JobId(job_id)
        state, due, event_id, fields = await reads.look_at_job(self._store, self._keys, wanted)
        return JobLook(self._stored(wanted, fields), state, due, event_id) if fields else None

    async def state(self, job_id: str) -> JobState:
        """Tell where a job stands; ``unknown`` if it is nowhere.

        Wire: looks for the id in all structures; changes nothing.
        """
        if not may_be_job(job_id):
            return JobState.UNKNOWN
        return await reads.job_state(self._store, self._keys, JobId(job_id))

    async def counts(self) -> dict[JobState, int]:
        """Return how many jobs are in each state.

        Wire: reads the lengths of all structures; waiting: ``wait`` and ``paused``.
        """
        return await reads.job_counts(self._store, self._keys)

    async def jobs(
        self,
        state: JobState | str,
        start: int = 0,
        stop: int = 49,
        *,
        newest_first: bool | None = None,
    ) -> list[Job[Any, Any]]:
        """Return a page of the jobs in one state; ids without a job are passed over.

        Wire: reads the state's list or set, then hashes.

        Args:
            start: Place of the first, from 0.
            stop: Place of the last, included; -1: to the end.
            newest_first: Unless given, finished jobs come newest first, others in the
                order in which they run.
        """
        check_whole(start=start, stop=stop)
        state = known_state(state)
        newest = state in NEWEST_FIRST if newest_first is None else newest_first
        found: dict[JobId, reads.RawFields] = {}
        wanted = stop - start + 1
        for _ in range(MOST_PAGES):
            ids = await reads.job_ids(
                self._store, self._keys, state, start, stop, newest_first=newest
            )
            found |= await reads.read_jobs(self._store, self._keys, ids)
            if stop < 0 or len(found) >= wanted or len(ids) < stop - start + 1:
                break
            start, stop = stop + 1, stop + wanted - len(found)
        return [self._stored(job_id, fields) for job_id, fields in found.items()]

    async def counts_per_priority(self, *priorities: int) -> dict[int, int]:
        """Return how many jobs wait by each of these priorities; 0 is none.

        Wire: reads ``wait``, ``paused`` and ``prioritized``.
        """
        for priority in priorities:
            check_whole(priorities=priority)
        return await reads.counts_per_priority(self._store, self._keys, priorities)

    async def logs(
        self, job_id: str, start: int = 0, stop: int = -1, *, newest_first: bool = False
    ) -> list[str]:
        """Return a page of a job's log, oldest first unless asked otherwise.

        Wire: reads the list ``J:logs``.

        Args:
            start: Place of the first row, from 0, in the order asked for.
            stop: Place of the last, included; -1: to the end.
        """
        check_whole(start=start, stop=stop)
        if not may_be_job(job_id):
            return []
        return await reads.read_logs(
            self._store, self._keys, JobId(job_id), start, stop, newest_first=newest_first
        )

    async def log_count(self, job_id: str) -> int:
        """Return how many rows a job's log has.

        Wire: reads the list ``J:logs``.
        """
        if not may_be_job(job_id):
            return 0
        return await reads.count_logs(self._store, self._keys, JobId(job_id))

    async def metrics(
        self, state: FinishedState = JobState.COMPLETED, start: int = 0, stop: int = -1
    ) -> Metrics:
        """Return how many jobs completed, or failed, in each minute.

        Counted are those that workers ended which keep metrics: ours if asked to
        (``@processor(metrics=…)``, setting ``metrics``), and BullMQ's.

        Wire: reads ``metrics:<state>`` and ``metrics:<state>:data``.

        Args:
            start: Place of the first minute, from 0, the newest first.
            stop: Place of the last, included; -1: to the end.

        Raises:
            OptionsError: Another state.
        """
        check_whole(start=start, stop=stop)
        counts, points, length = await reads.read_metrics(
            self._store, self._keys, finished(state), start, stop
        )
        count, previous_ms, previous_count = counts
        previous = instant_from_ms(previous_ms) if previous_ms else None
        return Metrics(count, tuple(points), length, previous, previous_count)

    async def workers(self) -> list[WorkerInfo]:
        """Return the workers that are connected now, of this framework and of BullMQ.

        Wire: reads the names of connections, ``<prefix>:<base64 of the queue>``.
        """
        return await list_workers(self._store, self._keys)

    @asynccontextmanager
    async def show_worker(self, name: str = "") -> AsyncIterator[None]:
        """Let `workers` and dashboards list a worker until the end of the block.

        For what works the queue by other means than a worker of this framework. It costs an idle
        connection.

        Wire: ``CLIENT SETNAME``, as BullMQ's workers do.

        Args:
            name: What it calls itself; letters that Redis takes in no name become ``-``.
        """
        tried, failure = anyio.Event(), None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(show_worker, self._store, self._keys, name, tried)
            await tried.wait()
            try:
                yield
            except Exception as error:  # raised below, so that no group wraps it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def meta(self) -> dict[str, str]:
        """Return the queue's settings as they stand in Redis: ``meta``.

        Wire: reads the hash ``meta``.
        """
        return await reads.read_meta(self._store, self._keys)

    async def version(self) -> str | None:
        """Return which library opened the queue, such as ``bullmq:6.7.0``; None: none did.

        Wire: reads the ``meta`` field ``version``.
        """
        return (await self.meta()).get("version")
