"""The HTTP workers that run in this gateway: kept as the registry has them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from framework import Context, FrameworkError, Job, Queues, RunningWorker, Workers, processor
from framework_gateway.callback.call import Caller
from framework_gateway.callback.record import HttpWorker, digest_of, read_worker
from framework_gateway.callback.registry import Registry
from framework_gateway.errors import AnswerError
from framework_gateway.settings import GatewaySettings
from framework_gateway.strict_json import json_of

log = structlog.get_logger("framework.gateway")

Handler = Callable[[Job[Any], Context], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Running:
    """A worker that runs, or a record that cannot.

    Attributes:
        digest: Of what was stored.
        record: What was stored; None if it could not be read.
        worker: What runs.
        shown: Ends that it is listed.
    """

    digest: str
    record: HttpWorker | None = None
    worker: RunningWorker | None = None
    shown: anyio.CancelScope | None = None


class HttpCrew:
    """The HTTP workers of one gateway.

    Args:
        registry: Says which there are.
        workers: Starts them.
        queues: Lists them.
        caller: Calls their endpoints.
        settings: The gateway's.
        tasks: Where those that leave are waited for.
    """

    def __init__(
        self,
        registry: Registry,
        workers: Workers,
        queues: Queues,
        caller: Caller,
        settings: GatewaySettings,
        tasks: TaskGroup,
    ) -> None:
        self._registry = registry
        self._workers = workers
        self._queues = queues
        self._caller = caller
        self._settings = settings
        self._tasks = tasks
        self._running: dict[str, Running] = {}
        self._leaving: set[RunningWorker] = set()
        self._started = 0
        self._is_closed = False
        self._changing = anyio.Lock()

    def told(self) -> list[dict[str, object]]:
        """Return what runs: ``[{"queue", "url", "concurrency", "running"}]``; no query in a URL."""
        return [
            {
                "queue": queue,
                "url": one.record.endpoint.url.partition("?")[0],
                "concurrency": one.record.concurrency,
                "running": one.worker.running,
            }
            for queue, one in sorted(self._running.items())
            if one.record is not None and one.worker is not None
        ]

    async def reconcile(self, queue: str) -> None:
        """Run the worker of a queue as the registry has it now, or none.

        Raises:
            FrameworkError: It cannot be started now.
        """
        async with self._changing:
            await self._set(queue, await self._registry.one(queue))

    async def reconcile_all(self) -> None:
        """Run all workers as the registry has them now; what cannot be started is logged."""
        async with self._changing:
            stored = await self._registry.all()
            for queue in {*stored, *self._running}:
                try:
                    await self._set(queue, stored.get(queue))
                except FrameworkError as error:
                    log.warning("http worker not started", queue=queue, error=str(error))

    async def _set(self, queue: str, stored: bytes | None) -> None:
        known = self._running.get(queue)
        digest = None if stored is None else digest_of(stored)
        if self._is_closed or digest == (None if known is None else known.digest):
            return
        if known is not None:
            del self._running[queue]
            self._part_with(known)
        if stored is not None and digest is not None:
            self._running[queue] = await self._run(queue, stored, digest)

    async def _run(self, queue: str, stored: bytes, digest: str) -> Running:
        try:
            record = read_worker(json_of(stored), self._settings)
        except AnswerError as error:
            log.error("http worker cannot be read, passed over", queue=queue, error=error.message)  # noqa: TRY400 - the text says all
            return Running(digest)
        if record.queue != queue:
            log.error("http worker stands under another queue, passed over", queue=queue)
            return Running(digest)
        self._started += 1
        # A label of its own: the one before may still be ending its jobs.
        label = f"callback {self._started}"
        worker = await self._workers.start(self._processor(record), label=label)
        shown = anyio.CancelScope()
        self._tasks.start_soon(self._show, queue, shown)
        log.info("http worker started", queue=queue, host=record.endpoint.host)
        return Running(digest, record, worker, shown)

    async def _show(self, queue: str, shown: anyio.CancelScope) -> None:
        """Let the workers that are listed for the queue have this one among them."""
        with shown:
            async with self._queues.get(queue).show_worker("http"):
                await anyio.sleep_forever()

    def _processor(self, record: HttpWorker) -> Handler:
        endpoint, caller = record.endpoint, self._caller

        @processor(
            record.queue,
            concurrency=record.concurrency,
            limiter=record.limiter,
            remove_on_complete=record.remove_on_complete,
            remove_on_fail=record.remove_on_fail,
            max_stalled_count=record.max_stalled_count,
        )
        async def call(job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - whatever it answers
            return await caller.call(endpoint, job, ctx.token)

        return call

    def _part_with(self, known: Running) -> None:
        """Let a worker take no more jobs, and end those it has."""
        if known.shown is not None:
            known.shown.cancel()
        if known.worker is not None:
            known.worker.end()
            self._leaving.add(known.worker)
            self._tasks.start_soon(self._see_off, known.worker)
            log.info("http worker stopped", queue=known.worker.queue)

    async def _see_off(self, worker: RunningWorker) -> None:
        await worker.stop()
        self._leaving.discard(worker)

    async def close(self) -> None:
        """Let all calls end, for as long as the application lets jobs go on; then give back."""
        self._is_closed = True
        running = [one.worker for one in self._running.values() if one.worker is not None]
        async with anyio.create_task_group() as tasks:
            for worker in {*running, *self._leaving}:
                tasks.start_soon(worker.stop)
        self._running.clear()
