"""Handlers in threads, which nobody can stop: what happens to those that are left behind."""

import asyncio  # noqa: TID251 - a thread tells the loop that it ends, and does not wait
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import structlog
from anyio import CapacityLimiter, to_thread

from framework.di.plan import JobScope
from framework.errors import FrameworkError
from framework.model.job import Job

log = structlog.get_logger("framework.worker")


class ThreadLeftError(asyncio.CancelledError):
    """A call was cancelled, and its thread goes on.

    Attributes:
        ended: Set once the thread has left the handler.
    """

    def __init__(self, ended: anyio.Event, *args: object) -> None:
        super().__init__(*args)
        self.ended = ended


def in_thread(
    function: Callable[..., object], limiter: CapacityLimiter
) -> Callable[..., Awaitable[object]]:
    """Return ``function`` as something to await that runs in a thread.

    A cancelled call returns at once; the thread goes on until the function ends.
    """

    def guarded(
        thread: OneThread, *args: object, **kwargs: object
    ) -> tuple[object, BaseException | None]:
        # Some exceptions mean something else where a future carries them into the loop.
        thread.has_begun = True
        try:
            return function(*args, **kwargs), None
        except BaseException as error:  # raised again in the loop
            return None, error
        finally:
            thread.end()

    async def call(*args: object, **kwargs: object) -> object:
        thread = OneThread()
        try:
            result, error = await to_thread.run_sync(
                partial(guarded, thread, *args, **kwargs), limiter=limiter, abandon_on_cancel=True
            )
        except asyncio.CancelledError as cancelled:
            if thread.has_begun and (ended := thread.leave()) is not None:
                raise ThreadLeftError(ended, *cancelled.args) from cancelled
            raise
        if error is not None:
            raise error
        return result

    return call


class OneThread:
    """What is known of a handler's thread in the loop.

    The loop is told of its end only where a call was left: to wake it costs more than the call.
    Whoever comes second, the thread that ends or the call that leaves, sees that the other came.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self._has_ended = False
        self._left: tuple[asyncio.AbstractEventLoop, anyio.Event] | None = None

    def leave(self) -> anyio.Event | None:
        """Return what is set once the thread has left the handler; None: it has."""
        ended = anyio.Event()
        self._left = asyncio.get_running_loop(), ended
        return None if self._has_ended else ended

    def end(self) -> None:
        """Note that the handler has ended, in its thread."""
        self._has_ended = True
        if self._left is not None:
            loop, ended = self._left
            with suppress(RuntimeError):  # the loop may be gone by then
                loop.call_soon_threadsafe(ended.set)


async def close_once_ended(ended: anyio.Event, scope: JobScope, job: Job[Any, Any]) -> None:
    """Close what lives as long as a job once its thread has left it.

    When the worker has stopped meanwhile it is closed all the same, beneath the thread.
    """
    try:
        await ended.wait()
    finally:
        if not ended.is_set():
            log.warning("thread goes on, what its job used is closed", job=job.id, queue=job.queue)
        with anyio.CancelScope(shield=True):
            try:
                await scope.close(FrameworkError("the job was cancelled"))
            except Exception:
                log.exception("what a job used was not closed", job=job.id, queue=job.queue)
