"""The main thread of a child process, where handlers run: signals reach it alone."""

import asyncio  # noqa: TID251 - an answer is set from another thread
import signal
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from types import FrameType

Outcome = tuple[object, BaseException | None]
Task = tuple[Callable[[], object], Context, Callable[[Outcome], None]]

EXIT_TERMINATED = 128 + signal.SIGTERM


class MainThread:
    """Runs functions for the loop, which is in another thread."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._is_busy = False
        self._is_ending = False

    def listen(self) -> None:
        """Take signals: Ctrl-C and SIGTERM of others are the worker's to see to."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_terminate)

    def work(self) -> None:
        """Run what comes until `close`. Call it in the main thread."""
        while (task := self._tasks.get()) is not None:
            function, context, tell = task
            try:
                self._is_busy = True
                outcome: Outcome = (context.run(function), None)
            except BaseException as error:  # raised again where it is awaited
                outcome = (None, error)
            self._is_busy = False
            tell(outcome)

    async def run(self, function: Callable[[], object]) -> object:
        """Run a function in the main thread, and wait for it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()

        def tell(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(set_unless_done, answer, outcome)

        self._tasks.put((function, copy_context(), tell))
        result, error = await answer
        if error is not None:
            raise error
        return result

    def interrupt(self) -> None:
        """Send SIGTERM to what runs: it raises `SystemExit` there."""
        self._is_ending = True
        ident = threading.main_thread().ident
        if self._is_busy and ident is not None:
            signal.pthread_kill(ident, signal.SIGTERM)

    def close(self) -> None:
        """Let `work` return."""
        self._tasks.put(None)

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        # A service manager may signal all processes at once, while the worker still drains.
        if self._is_ending and self._is_busy:
            raise SystemExit(EXIT_TERMINATED)


def set_unless_done(answer: asyncio.Future[Outcome], outcome: Outcome) -> None:
    """Answer, if anybody still waits."""
    if not answer.done():
        answer.set_result(outcome)
