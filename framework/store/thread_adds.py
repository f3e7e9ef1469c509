"""Adds by threads that run no event loop: a switch of threads each way, and no task."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from framework.store.dispatcher import Dispatcher
from framework.store.transitions.add import Call, NewJob
from framework.wire.keys import QueueKeys

# How often a thread that waits looks whether the loop still runs.
LOOK_SECONDS = 1.0


class ThreadAnswer:
    """Where the answer to a thread will be; to the loop it is what a future is.

    Args:
        told: Called in the loop once there is one.
    """

    def __init__(self, told: "Callable[[ThreadAnswer], None]") -> None:
        self._told = told
        self._lock = threading.Lock()
        self._lock.acquire()
        self._call: Call | None = None
        self._error: Exception | None = None

    def done(self) -> bool:
        """Tell whether it is there."""
        return self._call is not None or self._error is not None

    def set_result(self, call: Call) -> None:
        """Give it, in the loop."""
        self._call = call
        self._tell()

    def set_exception(self, error: Exception) -> None:
        """Tell why there is none, in the loop."""
        self._error = error
        self._tell()

    def _tell(self) -> None:
        self._told(self)
        self._lock.release()

    def wait(self, loop: asyncio.AbstractEventLoop) -> Call:
        """Wait for it, in the thread."""
        while not self._lock.acquire(timeout=LOOK_SECONDS):
            if not loop.is_running():
                break
        if self._call is None:
            raise self._error or RuntimeError("the event loop ended while the job was sent")
        return self._call


class ThreadAdds:
    """Takes the jobs of threads into the loop.

    Args:
        dispatcher: Sends them.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._loop: asyncio.AbstractEventLoop | None = None
        self._here = (0, 0)
        self._waiting: set[ThreadAnswer] = set()
        self._all_told = anyio.Event()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Let threads add by way of this loop; in the end, wait for those that have begun."""
        self._loop = asyncio.get_running_loop()
        self._here = (os.getpid(), threading.get_ident())
        try:
            yield
        finally:
            self._loop = None
            self._all_told = anyio.Event()
            if self._waiting:
                await self._all_told.wait()

    def add(self, keys: QueueKeys, job: NewJob) -> Call:
        """Add one job, in a thread; see `Adder.add`.

        Raises:
            RuntimeError: The application does not run, or not in this process; or it is the
                thread of its loop.
        """
        loop, (pid, thread) = self._loop, self._here
        if loop is None:
            raise RuntimeError("the application is not running: use it as 'with app.sync()'")
        if pid != os.getpid():
            raise RuntimeError("this process was forked; enter an application of its own here")
        if thread == threading.get_ident():
            raise RuntimeError("this waits for the event loop, so not in its thread: use Producer")
        answer = ThreadAnswer(self._note)
        loop.call_soon_threadsafe(self._begin, keys, job, answer)
        return answer.wait(loop)

    def _begin(self, keys: QueueKeys, job: NewJob, answer: ThreadAnswer) -> None:
        self._waiting.add(answer)
        if self._loop is None:
            answer.set_exception(RuntimeError("the application stopped before the job was sent"))
            return
        try:
            self._dispatcher.put(keys, (job,), answer)
        except Exception as error:  # whatever it is, the thread must hear of it
            answer.set_exception(error)

    def _note(self, answer: ThreadAnswer) -> None:
        self._waiting.discard(answer)
        if not self._waiting:
            self._all_told.set()
