"""What a Python program does with queues behind a gateway: ask, work and listen."""

from collections.abc import Callable
from datetime import timedelta
from ssl import SSLContext
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup, TaskStatus

from framework_gateway.client.address import Address, path_of
from framework_gateway.client.backoff import reconnect_delay
from framework_gateway.client.calls import Calls
from framework_gateway.client.link import Delay, Link
from framework_gateway.client.options import ONE_MS
from framework_gateway.client.remote_events import RemoteEvents
from framework_gateway.client.remote_queue import RemoteQueue
from framework_gateway.client.remote_worker import RemoteWorker
from framework_gateway.client.worker_session import Handler

HALF_A_MINUTE = timedelta(seconds=30)
TEN_SECONDS = timedelta(seconds=10)


class GatewayClient:
    """Queues behind a gateway, for a program that has no Redis. An async context manager.

    Each queue that is asked, each worker and each listener has a connection of its own, made when
    it is first needed. One that is lost is made anew, after 0.5 s at least and 30 s at most; not so
    where the gateway refuses the token (`GatewayRefusedError`) or has ended the connection with
    1000. Calls, `work` and iterations that run when the block ends, end too.

    Args:
        url: Where the gateway is, such as ``ws://gateway:8080`` or ``wss://jobs.example.com``.
        token: One of those that the gateway was started with.
        timeout: How long a call waits for its answer, and for a connection before that; None:
            for ever.
        ssl: How to check a ``wss://`` gateway's certificate; as Python does unless given.
        reconnect_delay: How long to wait before the next try, after so many failures in a row.

    Raises:
        OptionsError: The URL is not one of a gateway.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        timeout: timedelta | None = HALF_A_MINUTE,
        ssl: SSLContext | None = None,
        reconnect_delay: Delay = reconnect_delay,
    ) -> None:
        self._address = Address(url, token, ssl)
        self._timeout = timeout
        self._delay = reconnect_delay
        self._calls: dict[str, Calls] = {}
        self._workers: set[RemoteWorker] = set()
        self._listening: set[RemoteEvents] = set()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._opened(), None
        tasks.cancel_scope.cancel()
        for worker in self._workers:
            worker.stop()
        for events in list(self._listening):
            await events.close()
        # Not told of an error of the caller's, a group does not wrap it.
        await tasks.__aexit__(None, None, None)

    def queue(self, name: str) -> RemoteQueue:
        """Return a queue, to put jobs in line and to look after them.

        Calls of all that have one name share a connection.
        """
        calls = self._calls.get(name)
        if calls is None or calls.has_ended:
            calls = self._calls[name] = Calls(self._link(f"queue {name}", lambda: path_of(name)))
            self._opened().start_soon(calls.run)
        return RemoteQueue(name, calls, self._timeout)

    async def work(
        self,
        queue: str,
        handler: Handler,
        *,
        concurrency: int = 1,
        name: str = "",
        grace: timedelta = TEN_SECONDS,
        job_timeout: timedelta | None = None,
        lock_duration: timedelta | None = None,
        max_stalled_count: int | None = None,
        task_status: TaskStatus[RemoteWorker] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Work jobs of a queue, until cancelled or told to stop.

        ``worker = await tasks.start(client.work, "mail", send)`` returns once it is connected;
        ``worker.stop()`` then lets jobs in hand end. Cancelled, it gives them back at once, and
        no attempt is counted.

        Delivery is at least once. After a cut the jobs in hand are another's, and their handlers
        are cancelled.

        Args:
            handler: Works one job. What it returns is the job's result, and what it raises fails
                it: to be retried as the job asks, or with `UnrecoverableError` for good.
            concurrency: How many jobs at once.
            name: What it calls itself, to dashboards.
            grace: How long jobs in hand may take once it is told to stop; the rest goes back.
            job_timeout: How long one may take; then it fails and its handler is cancelled.
            lock_duration: How long its jobs stay with it should the gateway die; 30 s.
            max_stalled_count: How often a job's worker may vanish; as the gateway is set.

        Raises:
            GatewayRefusedError: The token does not open it, or not any more.
        """
        self._opened()
        path = path_of(
            queue,
            "process",
            str(concurrency),
            name=name or None,
            jobTimeout=ms_text(job_timeout),
            lockDuration=ms_text(lock_duration),
            maxStalledCount=None if max_stalled_count is None else str(max_stalled_count),
        )
        link = self._link(f"worker of {queue}", lambda: path)
        worker = RemoteWorker(link, handler, grace)
        self._workers.add(worker)
        try:
            await worker.run(task_status)
        finally:
            self._workers.discard(worker)

    def events(self, queue: str, *names: str, after: str | None = None) -> RemoteEvents:
        """Listen to a queue: ``async for event in client.events("mail", "completed")``.

        With ``async with`` it listens from there on, and ends with the block.

        Args:
            names: Of events; all unless named.
            after: Begin with what the queue's stream holds behind this event's id.
        """
        self._opened()
        events = RemoteEvents(queue, names, after, self._link, self._listening.discard)
        self._listening.add(events)
        return events

    def _link(self, where: str, path: Callable[[], str]) -> Link:
        return Link(self._address, path, where, self._delay)

    def _opened(self) -> TaskGroup:
        if self._tasks is None:
            raise RuntimeError("a GatewayClient is used within `async with`")
        return self._tasks


def ms_text(span: timedelta | None) -> str | None:
    """Return a time as a query has it."""
    return None if span is None else str(span // ONE_MS)
