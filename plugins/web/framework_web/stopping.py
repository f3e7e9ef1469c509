"""Ends streams once the process is told to stop: a server waits for them, uvicorn for ever."""

import asyncio  # noqa: TID251 - by a loop's own method alone may a signal handler speak to it
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import anyio

SIGNALS = (signal.SIGINT, signal.SIGTERM)

Before = Callable[[int, FrameType | None], Any] | int | signal.Handlers


class Stopping:
    """Hears signals while streams are open, and hands each on to who heard it before."""

    def __init__(self) -> None:
        self._scopes: dict[anyio.CancelScope, asyncio.AbstractEventLoop] = {}
        self._before: dict[int, Before] = {}

    @contextmanager
    def ends(self) -> Iterator[None]:
        """Leave what is within once a signal comes. In another thread than the main one: never."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with anyio.CancelScope() as scope:
            if not self._scopes:
                self._listen()
            self._scopes[scope] = asyncio.get_running_loop()
            try:
                yield
            finally:
                del self._scopes[scope]
                if not self._scopes:
                    self._listen_no_more()

    def _listen(self) -> None:
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before is not None:  # else it is not Python's, and could not be put back
                self._before[number] = before
                signal.signal(number, self._heed)

    def _listen_no_more(self) -> None:
        for number, before in self._before.items():
            if signal.getsignal(number) == self._heed:
                signal.signal(number, before)
        self._before.clear()

    def _heed(self, number: int, frame: FrameType | None) -> None:
        for scope, loop in self._scopes.items():
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(scope.cancel)
        before = self._before.get(number)
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, before)
            signal.raise_signal(number)


stopping = Stopping()
