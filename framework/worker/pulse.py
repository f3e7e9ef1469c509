"""Sees when the event loop is blocked, and says by which job and where.

While a handler keeps the loop for itself no other job of the process goes on. A thread looks
four times a second. What keeps even threads from running (a C extension that holds the
interpreter) is seen by the supervisor, to which this gives a sign of life.
"""

import faulthandler
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType

import anyio
import structlog

from framework.worker.executor import Executor

log = structlog.get_logger("framework.worker")

TURN_SECONDS = 1.0
BEAT_SECONDS = 0.25
BLOCKED_SECONDS = 5.0
# The frames of a stack that are told, from the innermost.
FRAMES = 12


class Pulse:
    """Watches the event loop that `run` runs in.

    Args:
        beat: Called in a thread four times a second, with the seconds since the loop last turned.
        stacks: A file, by its descriptor, for the stacks of a process whose threads stand still
            too, or that crashes.
    """

    def __init__(
        self, beat: Callable[[float], None] | None = None, stacks: int | None = None
    ) -> None:
        self._beat = beat
        self._stacks = stacks
        self._turned = time.monotonic()
        self._stopped = threading.Event()
        self._reported = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        loop_thread = threading.get_ident()
        thread = threading.Thread(target=self._watch, args=[loop_thread], name="pulse", daemon=True)
        if self._stacks is not None:
            faulthandler.enable(self._stacks)
        thread.start()
        try:
            while True:
                self._turned = time.monotonic()
                if self._stacks is not None:
                    faulthandler.dump_traceback_later(
                        BLOCKED_SECONDS - TURN_SECONDS, file=self._stacks
                    )
                await anyio.sleep(TURN_SECONDS)
        finally:
            self._stopped.set()
            if self._stacks is not None:
                faulthandler.cancel_dump_traceback_later()

    def _watch(self, loop_thread: int) -> None:
        looked, last, seen = time.monotonic(), self._turned, 0.0
        while not self._stopped.wait(BEAT_SECONDS):
            turned, now = self._turned, time.monotonic()
            age = now - turned
            # Who freezes the whole process does not block its loop: only what was seen counts.
            seen = min(now - looked, TURN_SECONDS) + (seen if turned == last else 0.0)
            looked, last = now, turned
            if age > BLOCKED_SECONDS and turned != self._reported:
                self._reported = turned
                self._report(age, sys._current_frames().get(loop_thread))  # noqa: SLF001 - the one way there is
            if self._beat is not None:
                self._beat(max(0.0, min(age, seen) - TURN_SECONDS))

    @staticmethod
    def _report(age: float, frame: FrameType | None) -> None:
        stack = traceback.format_stack(frame)[-FRAMES:] if frame else []
        log.warning(
            "event loop blocked: nothing else runs in this process",
            seconds=round(age, 1),
            **job_in(frame),
            fix='await something, or declare run_in="thread"',
            stack="".join(stack).rstrip(),
        )


def job_in(frame: FrameType | None) -> dict[str, str]:
    """Return which job a stack of frames runs."""
    while frame is not None:
        if frame.f_code is Executor.execute.__code__ and "job" in frame.f_locals:
            job = frame.f_locals["job"]
            return {"job": job.id, "queue": job.queue, "name": job.name}
        frame = frame.f_back
    return {}
