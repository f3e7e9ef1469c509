"""A queue by its name: untyped adds, and looking after its jobs."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import Any

from typing_extensions import Unpack

from framework.client.bulk import parts_of
from framework.client.line import FreshJob, FreshJobs, Line, check_name, merged, new_job
from framework.client.producer import HALF_A_MINUTE
from framework.model.events import QueueEvent
from framework.model.job import Job, JobId, JobState
from framework.model.options import JobOptions
from framework.store import reads
from framework.store.event_stream import follow_events, last_event_id
from framework.store.transitions import admin
from framework.wire.job_hash import StoredJob
from framework.wire.keys import may_be_job
from framework.wire.options import AddOptions
from framework.wire.payload import codec_of

ANY = codec_of(Any)
NEWEST_FIRST = frozenset({JobState.COMPLETED, JobState.FAILED})


NO_OPTIONS = JobOptions()


def worded_item(
    name: str, data: object, options: JobOptions = NO_OPTIONS
) -> tuple[str, object, AddOptions]:
    """Check one item of a bulk but for its data."""
    return check_name(name), data, merged({}, options)


class Queue:
    """One queue. Ask for it as ``Annotated[Queue, Named("mail")]``.

    Attributes:
        name: The queue's name.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._store = line.store
        self._keys = line.keys
        self.name = line.keys.queue

    async def add(
        self, name: str, data: object = None, **options: Unpack[JobOptions]
    ) -> Job[Any, Any]:
        """Put one job in line, by its name. Wire and errors as `Producer.add`.

        Args:
            name: The job's name.
            data: Anything JSON can hold.
        """
        new = new_job(check_name(name), ANY, data, merged({}, options))
        added = await self._line.adder.add(self._keys, new)
        return FreshJob(self.name, new, added, data, (ANY, ANY))

    async def add_bulk(
        self, jobs: Iterable[tuple[str, object] | tuple[str, object, JobOptions]]
    ) -> Sequence[Job[Any, Any]]:
        """Put many jobs in line, each ``(name, data)`` or ``(name, data, options)``.

        Sent as `Producer.add_bulk` does; names and options of all are checked before the
        first is sent.
        """
        items = [worded_item(*item) for item in jobs]
        parts = parts_of(items, lambda item: new_job(item[0], ANY, item[1], item[2]))
        news, added = await self._line.adder.add_bulk(self._keys, parts)
        return FreshJobs(self.name, news, added, [item[1] for item in items], (ANY, ANY))

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

    async def result(self, job: Job[Any, Any] | str, *, timeout: timedelta = HALF_A_MINUTE) -> Any:  # noqa: ANN401 - whatever the job returned
        """Wait for what a job returns; see `Producer.result`."""
        job_id = JobId(job if isinstance(job, str) else job.id)
        return await self._line.results.wait(job_id, ANY, timeout)

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

    async def events(self, *, after: str | None = None) -> AsyncIterator[QueueEvent]:
        """Follow what happens in the queue, whoever does it.

        Args:
            after: The id of the last event known; from now on unless given.
        """
        after = await last_event_id(self._store, self._keys) if after is None else after
        async for events in follow_events(self._store, self._keys, after):
            for event in events:
                yield event

    def _stored(self, job_id: JobId, fields: reads.RawFields) -> Job[Any, Any]:
        job: StoredJob[Any, Any] = StoredJob(self.name, job_id, fields, (ANY, ANY))
        return job
