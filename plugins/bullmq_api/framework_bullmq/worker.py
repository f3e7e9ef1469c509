"""A worker: it takes the jobs of a queue and calls a processor with each."""

import asyncio  # it begins by itself, where no task group is
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio

from framework import RedisUnavailableError, RunningWorker
from framework_bullmq.background import AGAIN_SECONDS, Landlord
from framework_bullmq.event_emitter import EventEmitter
from framework_bullmq.hearing import Hearing, made_for
from framework_bullmq.job import Job
from framework_bullmq.job_scheduler import JobScheduler
from framework_bullmq.millis import span_of
from framework_bullmq.processing import Processing
from framework_bullmq.queue import Queue
from framework_bullmq.queue_base import NOTHING, read_place
from framework_bullmq.worker_options import engine_keywords, read_worker_options


class Worker(EventEmitter):
    """Takes the jobs of a queue, on the engine's own worker.

    It begins by itself, in the running event loop, unless ``autorun`` is False: then await `run`.
    Events: ``active`` (job, "waiting"), ``completed`` (job, result), ``failed`` (job, error),
    ``progress`` (job, progress), ``stalled`` (job id), ``drained``, ``error`` (error), ``paused``,
    ``resumed``, ``closed``.

    Args:
        name: The queue's name.
        processor: Called with the job; with its token too, and a signal of who cancels it, if it
            takes them. What it returns is the job's result, what it raises fails the attempt.
            None to take jobs by hand, with `getNextJob`.
        opts: ``concurrency`` (1), ``connection`` and ``prefix`` as of a Queue, ``autorun``,
            ``name`` (what dashboards call it), ``lockDuration``, ``stalledInterval`` (30,000 ms),
            ``maxStalledCount`` (1), ``limiter``, ``metrics``, ``settings``, ``maxStartedAttempts``,
            ``removeOnComplete`` and ``removeOnFail`` of jobs that do not say it themselves.

    Raises:
        OptionsError: An option that there is not, or that is refused.
    """

    def __init__(
        self,
        name: str,
        processor: Callable[..., Any] | None,
        opts: Mapping[str, Any] = NOTHING,
    ) -> None:
        super().__init__()
        self.opts = read_worker_options(opts)
        self.name = name
        self.processor = processor
        self.workerName: str | None = self.opts.get("name")
        self._tenant = Landlord(read_place(self.opts))
        self.queue = Queue.of_tenant(name, self._tenant, self.opts)
        self.prefix, self.keys = self.queue.prefix, self.queue.keys
        self.qualifiedName = self.queue.qualifiedName
        self.running = self.paused = self.closing = self.closed = False
        self._worker: RunningWorker | None = None
        self._closing = anyio.Event()
        self._ended = anyio.Event()
        self._starting = anyio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._processing: Processing | None = None
        self._target: type[Hearing] | None = None
        if processor is not None:
            self._processing = Processing(self, processor)
            keywords = engine_keywords(self.opts, self.queue)
            self._target = made_for(self, self._processing, keywords)
            if self.opts["autorun"]:
                self._spawn(self.run)

    async def run(self) -> None:
        """Work until this is closed; cancelled, it gives running jobs back at once.

        Raises:
            RuntimeError: It runs already, or has no processor.
            FormatError, SettingsError: The queue, or the connection, cannot be used.
            Exception: What ended the application behind it.
        """
        if self.running:
            raise RuntimeError("Worker is already running")
        if self._target is None:
            raise RuntimeError("Worker has no processor: take its jobs with getNextJob")
        self.running = True
        try:
            await self._begin(self._target)
            await self._tenant.until(self._closing)
        except asyncio.CancelledError:
            await self._leave_work()
            raise
        finally:
            self.running = False
            self._ended.set()

    async def pause(self, do_not_wait_active: bool = False) -> None:
        """Take no more jobs until `resume`; return once those that run have ended, unless told."""
        if self.paused:
            return
        self.paused = True
        async with self._starting:
            worker = self._worker
        if worker is not None:
            worker.end()
            if not do_not_wait_active:
                await worker.stop()
        self.emit("paused")

    def resume(self) -> None:
        """Take jobs again."""
        if self.paused:
            self.paused = False
            if self.running and self._target is not None:
                self._spawn(partial(self._begin, self._target))
            self.emit("resumed")

    async def close(self, force: bool = False) -> None:
        """Take no more jobs, and return once those that run have ended.

        Args:
            force: Ask them to end, cancel them, and give them back at once.
        """
        self.closing = True
        if force:
            self.cancelAllJobs("the worker closes")
        async with self._starting:
            worker = self._worker
        if worker is not None:
            await worker.stop(now=force)
        self._closing.set()
        if self.running:
            await self._ended.wait()
        if not self.closed:  # another call may wait too, or have waited in vain
            self.closed = True
            await self._tenant.leave()
            self.emit("closed")

    async def getNextJob(self, token: str) -> Job | None:
        """Take the next job by hand; None if none may be taken now.

        Args:
            token: What holds it. End it with `Job.moveToCompleted` or `Job.moveToFailed`.
        """
        engine = await self.queue.engine()
        duration = span_of("lockDuration", self.opts["lockDuration"])
        held = await engine.next_job(token, lock_duration=duration)
        return None if held is None else Job.of_record(self.queue, held.job, held=held)

    async def nextJobFromJobData(
        self,
        job_data: Mapping[str, Any] | None = None,
        job_id: str | None = None,
        limit_until: int = 0,
        delay_until: int = 0,
        token: str | None = None,
    ) -> Job | None:
        """Return the job that `Job.moveToCompleted` took by hand, of what that returned."""
        if job_data is None:
            return None
        job = Job.fromJSON(self.queue, job_data, job_id)
        job.token = token
        return job

    async def rateLimit(self, expire_time_ms: int) -> None:
        """Let no job of the queue start for a while; then raise `RateLimitError`."""
        await self.queue.rateLimit(expire_time_ms)

    def cancelJob(self, job_id: str, reason: str | None = None) -> bool:
        """Ask a job that runs here to end; return whether its processor takes a signal."""
        if self._processing is None:
            return False
        controller = self._processing.controllers.get(str(job_id))
        if controller is None:
            return False
        controller.abort(reason)
        return True

    def cancelAllJobs(self, reason: str | None = None) -> None:
        """Ask all jobs that run here to end, whose processor takes a signal."""
        if self._processing is not None:
            for controller in tuple(self._processing.controllers.values()):
                controller.abort(reason)

    @property
    def jobScheduler(self) -> JobScheduler:
        """The queue's `JobScheduler`."""
        return self.queue.jobScheduler

    async def _leave_work(self) -> None:
        """End what `run` began, whose task was cancelled; jobs are given back."""
        if self._worker is not None:
            with anyio.CancelScope(shield=True):
                await self._worker.stop(now=True)

    async def _begin(self, target: type[Hearing]) -> None:
        """Start the engine's worker, once Redis is there."""
        async with self._starting:
            while not (self.closing or self.paused):
                try:
                    app = await self._tenant.app()
                    self._worker = await app.workers.start(target, name=self.workerName)
                except RedisUnavailableError as error:
                    self.emit("error", error)
                    with anyio.move_on_after(AGAIN_SECONDS):
                        await self._closing.wait()
                else:
                    return

    def _spawn(self, function: Callable[[], Any]) -> None:
        async def run() -> None:
            try:
                await function()
            except Exception as error:  # nobody else would hear of it
                self.emit("error", error)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    cancel_all_jobs = cancelAllJobs
    cancel_job = cancelJob
    get_next_job = getNextJob
    job_scheduler = jobScheduler
    next_job_from_job_data = nextJobFromJobData
    rate_limit = rateLimit
