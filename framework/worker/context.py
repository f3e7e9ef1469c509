"""What a running job may do: report progress, write log rows, save its data."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import from_thread

from framework.errors import PayloadError
from framework.model.job import Job, JobId, Token
from framework.store.store import Store
from framework.store.transitions.running import add_log, save_data, update_progress
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.payload import Codec, codec_of
from framework.worker.slots import Slot

T = TypeVar("T")
R = TypeVar("R")

Report = Callable[[object], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one job, as its context sees it."""

    store: Store
    keys: QueueKeys
    job: StoredJob[Any, Any]
    token: Token
    data: Codec[Any]
    slot: Slot
    report: Report


class Context:
    """What a job may do while it runs. Ask for it by its type in ``process``.

    Attributes:
        job_id: The running job.
        attempt: Which attempt this is, from 1.
    """

    __slots__ = ("_run", "_scope", "attempt", "job_id")

    def __init__(self, run: Run) -> None:
        self._run = run
        # The slot goes on with another job and scope while a thread still looks at this one's.
        self._scope = run.slot.scope
        self.job_id: JobId = run.job.id
        self.attempt: int = run.job.attempts_made + 1

    @property
    def cancelled(self) -> bool:
        """Whether the job should end now: the worker stops, or the lock was lost."""
        return self._scope.cancel_called

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
        run = self._run
        try:
            text = codec_of(Any).encode(progress)
        except PayloadError as error:
            raise PayloadError(f"the progress cannot be written: {error}") from error
        await update_progress(run.store, run.keys, run.job.id, text)
        await run.report(progress)

    async def log(self, row: object) -> None:
        """Append a row to the job's log, as dashboards show it.

        Wire: list ``J:logs``, cut to the job's ``keep_logs``.

        Args:
            row: Its text; anything else is turned into one.

        Raises:
            JobNotFoundError: The job was removed meanwhile.
            RedisUnavailableError: No answer; the row may have been written.
        """
        run = self._run
        row = str(row).encode(errors="replace").decode()
        await add_log(run.store, run.keys, run.job.id, row, run.job.stored_options.keep_logs)

    async def save(self, job: Job[T, R], data: T) -> Job[T, R]:
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
        """
        run = self._run
        text = run.data.encode(data)
        await save_data(run.store, run.keys, run.job.id, run.token, text)
        fields = {**run.job.fields, b"data": text}
        saved: StoredJob[T, R] = StoredJob(job.queue, job.id, fields, run.job.codecs)
        return saved


class SyncContext:
    """`Context` for handlers that run in a thread: the same without ``await``.

    Attributes:
        job_id: The running job.
        attempt: Which attempt this is, from 1.
    """

    __slots__ = ("_context", "attempt", "job_id")

    def __init__(self, run: Run) -> None:
        self._context = Context(run)
        self.job_id = self._context.job_id
        self.attempt = self._context.attempt

    @property
    def cancelled(self) -> bool:
        """Whether the job should end now; a thread cannot be stopped, so look now and then."""
        return self._context.cancelled

    def progress(self, progress: object) -> None:
        """Report how far the job is; see `Context.progress`."""
        from_thread.run(self._context.progress, progress)

    def log(self, row: object) -> None:
        """Append a row to the job's log; see `Context.log`."""
        from_thread.run(self._context.log, row)

    def save(self, job: Job[T, R], data: T) -> Job[T, R]:
        """Replace the job's data; see `Context.save`."""
        return from_thread.run(self._context.save, job, data)
