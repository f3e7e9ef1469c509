"""Changing one job, or many: by their ids, since a `Job` is data alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from framework.client.queue_base import ANY, FinishedState, QueueBase, finished
from framework.errors import JobNotFoundError, PayloadError
from framework.model.job import JobId, JobState
from framework.model.options import MAX_PRIORITY
from framework.store import reads
from framework.store.transitions import removal, running, standing
from framework.wire.codes import NOT_FOUND
from framework.wire.keys import may_be_job
from framework.wire.millis import instant_to_ms
from framework.wire.options import MAX_INT, checked_delay, whole


def encoded(what: str, value: object) -> bytes:
    """Return a value as JSON text, or say what cannot be written."""
    try:
        return ANY.encode(value)
    except PayloadError as error:
        raise PayloadError(f"{what} cannot be written: {error}") from error


def checked(name: str, number: int, most: int) -> int:
    """Refuse what is no whole number from 0 to ``most``."""
    options: Mapping[str, int] = {name: number}
    return whole(options, name, most)


class QueueJobs(QueueBase):
    """What changes jobs."""

    async def retry_job(
        self,
        job_id: str,
        *,
        reset_attempts_made: bool = False,
        reset_attempts_started: bool = False,
    ) -> None:
        """Run a finished job again, by its priority; its attempts count on unless reset.

        What counts stalls and crashes against it is forgotten in any case.

        Wire: completed, failed -> waiting, prioritized; ``finishedOn``, ``processedOn``,
        ``returnvalue`` or ``failedReason``, ``stc``, ``defa`` go, ``atm`` and ``ats`` if
        asked; event ``waiting``. A parent depends on the child again.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It has not finished.
        """
        await standing.retry_job(
            self._store,
            self._keys,
            self._id(job_id),
            reset_attempts_made=reset_attempts_made,
            reset_attempts_started=reset_attempts_started,
        )

    async def rescue_job(self, job_id: str, *, isolate: bool = False) -> None:
        """Run a failed job again, one that is quarantined above all; its attempts count on.

        Wire: failed -> waiting, prioritized, as `retry_job`; with ``isolate`` the field
        ``fw.crashes`` stays, or becomes 2.

        Args:
            isolate: Let it stay suspect: it runs alone, and one more crash quarantines it again.
                Unless given, what counts crashes against it is forgotten.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It has not failed.
        """
        rescue: standing.Rescue = "isolate" if isolate else "forget"
        await standing.retry_job(self._store, self._keys, self._id(job_id), rescue=rescue)

    async def retry_jobs(
        self, state: FinishedState = JobState.FAILED, *, until: datetime | None = None
    ) -> int:
        """Run all jobs again that failed, or that completed; return how many.

        Wire: as `retry_job`, but all go to the end of the line, whatever their priority,
        and no attempts are reset.

        Args:
            until: Only those that finished no later; now unless given. Aware.
        """
        until_ms = self._store.clock.now_ms() if until is None else instant_to_ms(until, "until")
        return await standing.retry_jobs(self._store, self._keys, finished(state), until_ms)

    async def promote_job(self, job_id: str) -> None:
        """Let a delayed job wait in line now.

        Wire: delayed -> waiting, prioritized; field ``delay``; event ``waiting``.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It is not delayed, or it is held: resume it instead.
        """
        await standing.promote_job(self._store, self._keys, self._id(job_id))

    async def promote_jobs(self) -> int:
        """Let all delayed jobs wait in line now, whatever their priority; return how many.

        Those that `pause_job` holds stay.

        Wire: delayed -> waiting; field ``delay`` stays; events ``waiting``.
        """
        return await standing.promote_jobs(self._store, self._keys)

    async def change_delay(self, job_id: str, delay: timedelta) -> None:
        """Let a delayed job fall due ``delay`` from now.

        Wire: field ``delay``; event ``delayed``; wakes the workers if it is the next one.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It is not delayed, or it is held.
            OptionsError: A negative delay, or one that ends too far ahead.
        """
        delay_ms = checked_delay(delay)
        await standing.change_delay(self._store, self._keys, self._id(job_id), delay_ms)

    async def change_priority(self, job_id: str, priority: int, *, lifo: bool = False) -> None:
        """Give a job another priority, and its place in line if it waits.

        Wire: field ``priority``; waiting <-> prioritized.

        Args:
            priority: 0 to 2,097,151; 0 runs before all others, then 1, 2 and so on.
            lifo: Run it before those of the same priority.

        Raises:
            JobNotFoundError: There is no such job.
            OptionsError: The priority is out of its range.
        """
        priority = checked("priority", priority, MAX_PRIORITY)
        await standing.change_priority(
            self._store, self._keys, self._id(job_id), priority, lifo=lifo
        )

    async def update_data(self, job_id: str, data: object) -> None:
        """Replace a job's data; a worker that runs it now goes on with what it has.

        Wire: field ``data``.

        Raises:
            JobNotFoundError: There is no such job.
            PayloadError: JSON cannot hold the data.
        """
        text = encoded("the data", data)
        await running.update_data(self._store, self._keys, self._id(job_id), text)

    async def update_progress(self, job_id: str, progress: object) -> None:
        """Store how far a job is, for who works it elsewhere.

        Wire: field ``progress``; event ``progress``.

        Raises:
            JobNotFoundError: There is no such job.
            PayloadError: JSON cannot hold the progress.
        """
        text = encoded("the progress", progress)
        await running.update_progress(self._store, self._keys, self._id(job_id), text)

    async def add_log(self, job_id: str, row: str, *, keep: int | None = None) -> int:
        """Append a row to a job's log; return how many there are.

        Wire: list ``J:logs``. Not sent twice: a lost reply raises.

        Args:
            keep: Keep so many rows, the newest; as the job's ``keep_logs`` says unless given.

        Raises:
            JobNotFoundError: There is no such job.
        """
        wanted = self._id(job_id)
        if keep is None:
            fields = await reads.read_job(self._store, self._keys, wanted)
            if not fields:
                raise JobNotFoundError(job_id=job_id, queue=self.name, code=NOT_FOUND)
            keep = self._stored(wanted, fields).options.get("keep_logs")
        return await running.add_log(self._store, self._keys, wanted, row, keep)

    async def clear_logs(self, job_id: str, *, keep: int = 0) -> None:
        """Delete a job's log, but for the newest ``keep`` rows. Wire: list ``J:logs``."""
        keep = checked("keep", keep, MAX_INT)
        await running.clear_logs(self._store, self._keys, self._id(job_id), keep)

    async def remove(self, job_id: str, with_children: bool = True) -> bool:
        """Delete a job that does not run, and the jobs below it; return whether there was one.

        A tree of more than 1,000 jobs goes in parts, children first.

        Wire: event ``removed`` in the queue of each; a parent that waited for it alone is
        released; a deduplication id that it holds is free.

        Args:
            with_children: Also those that have finished, in whatever queues.

        Raises:
            JobLockedError: A worker runs it or a job below it.
            SchedulerJobError: It is the next run of a schedule.
        """
        if not may_be_job(job_id):
            return False
        return await removal.remove_job(
            self._store, self._keys, JobId(job_id), with_children=with_children
        )
