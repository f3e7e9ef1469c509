"""What a running job may do."""

from typing import Any, TypeVar

from framework.errors import PayloadError
from framework.model.job import Job, JobId, JobOf
from framework.wire.job_hash import StoredJob
from framework.wire.payload import codec_of
from framework.worker.context_parts import (
    ContextFamily,
    ContextLeaving,
    ContextSteps,
    leave_if_asked,
)
from framework.worker.run import Run
from framework.worker.slots import WhyCancelled

T = TypeVar("T")
R = TypeVar("R")


class Context(ContextLeaving, ContextSteps, ContextFamily):
    """What a job may do while it runs. Ask for it by its type in ``process``.

    Attributes:
        job_id: The running job.
        attempt: Which attempt this is, from 1.
        token: What holds the job: who knows it may work it by hand, see `Queue.held_job`.
    """

    __slots__ = ("attempt", "job_id", "token")

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.job_id: JobId = run.job.id
        self.attempt: int = run.job.attempts_made + 1
        self.token: str = run.token

    @property
    def cancelled(self) -> bool:
        """Whether to end now: the job was cancelled, the worker stops, or the lock was lost."""
        return self._run.is_cancelled

    @property
    def why_cancelled(self) -> WhyCancelled | None:
        """Why to end now, where that is known; a handler that is cancelled may look.

        ``stop``: the worker stops; ``lost`` or ``expired``: another may have the job; ``removed``:
        the job is gone; ``cancelled``: somebody cancelled it.
        """
        return self._run.why_cancelled

    async def progress(self, progress: object) -> None:
        """Report how far the job is.

        Wire: field ``progress``; event ``progress``, which `on_event("progress")` and
        BullMQ's ``QueueEvents`` hear.

        Args:
            progress: A number, text, or anything JSON can hold, such as
                ``{"percentage": 50, "message": "half way"}``.

        Raises:
            PayloadError: JSON cannot hold it.
            JobNotFoundError: The job was removed meanwhile.
        """
        try:
            text = codec_of(Any).encode(progress)
        except PayloadError as error:
            raise PayloadError(f"the progress cannot be written: {error}") from error
        await self._run.progress(text, progress)

    async def log(self, row: object) -> None:
        """Append a row to the job's log, as dashboards show it.

        Wire: list ``J:logs``, cut to the job's ``keep_logs``.

        Args:
            row: Its text; anything else is turned into one.

        Raises:
            JobNotFoundError: The job was removed meanwhile.
            RedisUnavailableError: No answer; the row may have been written.
        """
        await self._run.log(str(row).encode(errors="replace").decode())

    async def stream(self, chunk: object) -> None:
        """Append a chunk to what the job streams to whoever follows it, then or later.

        Followers read it with `Queue.chunks`. About the newest 10,000 chunks of a job are kept,
        until the job is removed, or a day after the last one. An attempt that follows a failed one
        goes on behind its chunks; each says of which attempt it is.

        Wire: stream ``J:chunks``; field ``fw.chunks``; refused unless this worker holds the lock.

        Args:
            chunk: Text, or anything JSON can hold, models included.

        Raises:
            PayloadError: JSON cannot hold it.
            LockLostError: The job is no longer this worker's.
            JobNotFoundError: The job was removed meanwhile.
            RedisUnavailableError: No answer; the chunk may have been written.
        """
        try:
            text = codec_of(Any).encode(chunk)
        except PayloadError as error:
            raise PayloadError(f"the chunk cannot be written: {error}") from error
        await self._run.stream(text)

    async def save(self, job: JobOf[T, R], data: T) -> Job[T, R]:
        """Replace the job's data, so that a later attempt begins with it.

        Inside a transaction of a job-scoped provider this saves before it commits;
        commit first where the order matters.

        Wire: field ``data``; refused unless this worker holds the lock.

        Returns:
            The job with its new data.

        Raises:
            PayloadError: The data does not fit its type.
            LockLostError: The job is no longer this worker's.
            JobNotFoundError: The job was removed meanwhile.
            Parked: The data is saved, and somebody asked to hold the job.
        """
        run = self._run
        text = run.data.encode(data)
        await run.save("data", text)
        leave_if_asked(run)
        fields = {**run.job.fields, b"data": text}
        saved: StoredJob[T, R] = StoredJob(run.job.keys, job.id, fields, run.job.codecs)
        return saved
