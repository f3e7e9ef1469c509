"""A job: what is known of it, and what can be done with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from framework_bullmq.custom_errors import MovedError
from framework_bullmq.job_moves import JobMoves
from framework_bullmq.job_states import JobStates
from framework_bullmq.millis import span_of
from framework_bullmq.record import AnyRecord, facts_of, unsaved
from framework_bullmq.spelling import read_options
from framework_bullmq.translated import in_bullmq_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from framework import Context, HeldJob
    from framework_bullmq.queue import Queue
    from framework_bullmq.queue_events import QueueEvents

NO_OPTIONS: Mapping[str, Any] = {}


class Job(JobMoves, JobStates):
    """One job of a queue. Get it from a queue, a worker or a flow.

    Each attribute is as it was when the job was read, with what this object changed since.

    Attributes:
        id: Unique within its queue.
        name: What kind of job it is.
        data: The payload.
        opts: What it was added with.
        queue: Its queue.
        progress: What its processor last reported.
        returnvalue: What its processor returned.
        failedReason: The last error's text.
        stacktrace: One text per failed attempt, newest last.
        attemptsMade: How many attempts have ended.
        attemptsStarted: How many have begun.
        timestamp, processedOn, finishedOn: Milliseconds since 1970; 0: not yet.
        token: What holds it, if it runs here or was taken by hand.
    """

    def __init__(
        self,
        queue: Queue,
        name: str,
        data: Any,  # noqa: ANN401 - whatever JSON can hold
        opts: Mapping[str, Any] = NO_OPTIONS,
        job_id: str | None = None,
    ) -> None:
        super().__init__(queue, unsaved(queue.name, queue.prefix, name, data, opts, job_id))
        if not self.id:
            self.id = None

    @classmethod
    def of_record(
        cls,
        queue: Queue,
        record: AnyRecord,
        *,
        run: Context | None = None,
        held: HeldJob | None = None,
    ) -> Job:
        """Return a job over what the engine read; see `JobBase`."""
        job = cls.__new__(cls)
        JobMoves.__init__(job, queue, record, run=run, held=held)
        return job

    @staticmethod
    async def fromId(queue: Queue, jobId: str) -> Job | None:
        """Return a job, or None."""
        return await queue.getJob(jobId)

    @staticmethod
    def fromJSON(queue: Queue, rawData: Mapping[str, Any], jobId: str | None = None) -> Job:
        """Return a job of its hash, as Redis has it."""
        job = Job(queue, "", None, job_id=jobId)
        vars(job).update(facts_of(rawData, jobId))
        return job

    @staticmethod
    async def addJobLog(queue: Queue, jobId: str, logRow: str, keepLogs: int = 0) -> int:
        """Append a row to a job's log; return how many there are.

        Args:
            keepLogs: Keep so many, the newest; 0: as the job says.
        """
        engine = await queue.engine()
        with in_bullmq_words("addLog"):
            return await engine.add_log(str(jobId), str(logRow), keep=keepLogs or None)

    async def waitUntilFinished(self, queueEvents: QueueEvents | None = None, ttl: int = 0) -> Any:  # noqa: ANN401 - whatever it returned
        """Wait until it has finished; return what its processor returned.

        Args:
            queueEvents: As in BullMQ; the engine hears the queue by itself.
            ttl: Milliseconds to wait; 0: for ever.

        Raises:
            JobFailedError: It failed for good.
            ResultTimeoutError: It took longer.
        """
        timeout = span_of("ttl", ttl) if ttl else timedelta(days=3650)
        self.returnvalue = await (await self._engine()).result(self.id, timeout=timeout)
        return self.returnvalue

    async def getChildrenValues(self) -> dict[str, Any]:
        """Return what its completed children returned, by their full keys: ``bull:pages:7``."""
        return await (await self._engine()).children_values(self.id)

    async def updateData(self, data: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Replace the data. Of the job that runs here it is refused if its lock was lost."""
        with in_bullmq_words("updateData"):
            if self._run is not None:
                await self._run.save(self._record, data)
            else:
                await (await self._engine()).update_data(self.id, data)
        self.data = data

    async def updateProgress(self, progress: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Tell how far it is: a number, text, or what JSON can hold."""
        with in_bullmq_words("updateProgress"):
            if self._run is not None:
                await self._run.progress(progress)
            else:
                await (await self._engine()).update_progress(self.id, progress)
        self.progress = progress

    async def log(self, logRow: str) -> int:
        """Append a row to its log; return how many there are."""
        return await Job.addJobLog(self.queue, self.id, logRow, self.opts.get("keepLogs", 0))

    async def promote(self) -> None:
        """Let it wait in line now; it is delayed."""
        with in_bullmq_words("promote", "delayed"):
            await (await self._engine()).promote_job(self.id)
        self.delay = 0

    async def changeDelay(self, delay: int) -> None:
        """Let it fall due so many milliseconds from now; it is delayed."""
        with in_bullmq_words("changeDelay", "delayed"):
            await (await self._engine()).change_delay(self.id, span_of("delay", delay))
        self.delay = delay

    async def changePriority(self, opts: Mapping[str, Any]) -> None:
        """Give it another ``priority``; with ``lifo`` before others of the same."""
        asked = read_options("changePriority", opts, frozenset({"priority", "lifo"}))
        priority = asked.get("priority", 0)
        with in_bullmq_words("changePriority"):
            engine = await self._engine()
            await engine.change_priority(self.id, priority, lifo=bool(asked.get("lifo")))
        self.priority = priority

    async def retry(self, state: str = "failed", opts: Mapping[str, Any] = NO_OPTIONS) -> None:
        """Run it again; it has failed, or, as ``state`` says, completed.

        Args:
            state: ``failed`` or ``completed``.
            opts: ``resetAttemptsMade``, ``resetAttemptsStarted``.
        """
        names = frozenset({"resetAttemptsMade", "resetAttemptsStarted"})
        asked = read_options("retry", opts, names)
        if await self.getState() not in {state, "unknown"}:
            raise MovedError(f"Job {self.id} is not in the {state} state. reprocessJob")
        with in_bullmq_words("reprocessJob", state):
            await (await self._engine()).retry_job(
                self.id,
                reset_attempts_made=bool(asked.get("resetAttemptsMade")),
                reset_attempts_started=bool(asked.get("resetAttemptsStarted")),
            )
        self.failedReason = self.returnvalue = None
        self.finishedOn = self.processedOn = 0

    async def remove(self, opts: Mapping[str, Any] = NO_OPTIONS) -> None:
        """Delete it, and with ``removeChildren``, which holds unless told, those below it.

        Raises:
            JobLockedError: A worker runs it or one below it.
        """
        await self.queue.remove_job(self.id, opts)

    add_job_log = addJobLog
    change_delay = changeDelay
    change_priority = changePriority
    extend_lock = JobMoves.extendLock
    from_id = fromId
    from_json = fromJSON
    get_children_values = getChildrenValues
    move_to_completed = JobMoves.moveToCompleted
    move_to_delayed = JobMoves.moveToDelayed
    move_to_failed = JobMoves.moveToFailed
    move_to_waiting_children = JobMoves.moveToWaitingChildren
    update_data = updateData
    update_progress = updateProgress
    wait_until_finished = waitUntilFinished
