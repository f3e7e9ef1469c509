"""Cancelling one job, or holding it, from any process."""

from framework.client.queue_base import ANY, QueueBase
from framework.errors import JobNotFoundError, OptionsError
from framework.model.job import Effect
from framework.store import reads
from framework.store.endings import options_of
from framework.store.transitions import asking
from framework.store.transitions.ending import KEEP_ALL
from framework.wire.codes import NOT_FOUND
from framework.wire.failure import writable
from framework.wire.job_hash import StoredJob


class QueueAsking(QueueBase):
    """What stops one job."""

    async def cancel(self, job_id: str, reason: str = "") -> Effect:
        """Fail a job for good, wherever it stands; no retry follows.

        A job that waits has failed at once. A running one is stopped: an async handler is
        cancelled, a thread sees ``ctx.cancelled``, a process is ended; what lives as long as the
        job is closed with the cancellation, and whatever the handler makes of it, the job fails,
        unless Redis heard before that it had ended. On a worker of BullMQ's, or held by hand,
        nobody can stop it: `Effect.LATER`. There it may still complete; if it starts again,
        it fails. So does the next run of a schedule once it is due; the schedule goes on.

        Wire: any but completed, failed -> failed; ``failedReason`` is ``cancelled`` or
        ``cancelled: <reason>``; event ``failed``. Parents, deduplication and retention as
        of any job that fails. Of one that runs: fields ``fw.cancelled``, ``defa``.

        Args:
            reason: Why, for whoever looks at the job.

        Returns:
            ``DONE`` it has failed, ``ASKED`` its worker was told, ``LATER`` as said above.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It has finished.
            OptionsError: The reason is no text.
        """
        if not isinstance(reason, str):  # callers may have no type checker
            raise OptionsError("reason", f"it is a text, got {reason!r}")
        wanted = self._id(job_id)
        fields = await reads.read_job(self._store, self._keys, wanted)
        if not fields:
            raise JobNotFoundError(job_id=job_id, queue=self.name, code=NOT_FOUND)
        job: StoredJob[object, object] = StoredJob(self._keys, wanted, fields, (ANY, ANY))
        keep = options_of(job).keep_failed or KEEP_ALL
        text = writable(f"cancelled: {reason}" if reason else "cancelled")
        return await asking.cancel_job(self._store, self._keys, wanted, text, keep)

    async def pause_job(self, job_id: str) -> Effect:
        """Hold one job until `resume_job`; the queue and its other jobs go on.

        A job that waits is held at once: it is ``delayed`` with ``is_held``, and neither time nor
        `promote_jobs` lets it run. A running one leaves at its next checkpoint
        (``ctx.checkpoint``, ``ctx.save``, ``ctx.step``, or where it parks or is retried), and is
        held then; ``ctx.pausing`` tells it. If it ends before, it has ended. On a worker of
        BullMQ's nobody tells it: `Effect.LATER`.

        A second call changes nothing.

        Wire: waiting, prioritized, waiting-children -> delayed, due at 2^41-1 ms; field
        ``fw.held``; event ``delayed``. A promotion by BullMQ lets it run.

        Returns:
            ``DONE`` it is held, ``ASKED`` its worker was told, ``LATER`` as said above.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It has finished.
            SchedulerJobError: It is the next run of a schedule.
        """
        return await asking.hold_job(self._store, self._keys, self._id(job_id))

    async def resume_job(self, job_id: str) -> None:
        """Let a held job go on.

        What was waiting goes to the end of the line, or, with a priority, to where it
        stood; what was delayed waits for the rest of its time; what was running runs
        next. What was only asked of a running job is withdrawn.

        Wire: delayed -> waiting, prioritized, delayed, waiting-children; field ``fw.held``
        goes; event of that state.

        Raises:
            JobNotFoundError: There is no such job.
            WrongStateError: It is not held.
        """
        await asking.release_job(self._store, self._keys, self._id(job_id))
