"""The worker processes of a supervisor: which run, what they say, and that they have ended."""

import os
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from framework.app.worker_process import WorkerProcess

# How often a process is heard that talks without end.
HEAR_SECONDS = 0.05


class Fleet:
    """Starts worker processes, hears them, and notices their ends.

    Args:
        start: Starts a worker process of this index.
        bury: Sees to what a process leaves behind that has ended.

    Attributes:
        slots: Who works now, by index.
        all: Who runs, by process id: those too that are on their way in or out.
        dead: How many have ended and are not buried yet.
    """

    def __init__(
        self,
        start: Callable[[int], WorkerProcess],
        bury: Callable[[WorkerProcess], Awaitable[None]],
    ) -> None:
        self._start = start
        self._bury = bury
        self._changed = anyio.Event()
        self._tasks: TaskGroup | None = None
        self.slots: dict[int, WorkerProcess] = {}
        self.all: dict[int, WorkerProcess] = {}
        self.dead = 0

    def open(self, tasks: TaskGroup) -> None:
        """Begin: processes are heard in this task group."""
        self._tasks = tasks

    def start(self, index: int) -> WorkerProcess:
        """Start a process that stands at its index from now on."""
        return self.adopt(self._start(index))

    def start_beside(self, index: int) -> WorkerProcess:
        """Start a process that is to stand at its index later."""
        return self._mind(self._start(index))

    def adopt(self, process: WorkerProcess) -> WorkerProcess:
        """Let a process that was started stand at its index."""
        self.slots[process.index] = process
        return self._mind(process)

    async def settled(self, process: WorkerProcess) -> bool:
        """Wait until a process takes jobs or has ended; return whether it takes jobs."""
        await self.until(lambda: process.is_ready or not process.is_running)
        return process.is_ready

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that `tell_changed` may have brought about."""
        while not condition():
            await self._changed.wait()

    def tell_changed(self) -> None:
        """Let all look anew who wait."""
        self._changed.set()
        self._changed = anyio.Event()

    def reap(self) -> None:
        """Take leave of ended children: ours, and as the first process of a container, of any."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self.all:
                process = self.all.pop(pid)
                process.hear()
                process.has_ended(status)
                self.dead += 1
        self.tell_changed()

    def _mind(self, process: WorkerProcess) -> WorkerProcess:
        if self._tasks is None:
            raise RuntimeError("the fleet is not open")
        self.all[process.pid] = process
        self._tasks.start_soon(self._stay_with, process)
        return process

    async def _stay_with(self, process: WorkerProcess) -> None:
        """Hear a process until it has ended, then see to what it leaves behind."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, process)
            await self.until(lambda: not process.is_running)
            tasks.cancel_scope.cancel()
        try:
            await self._bury(process)
        finally:
            self.dead -= 1
            self.tell_changed()
            process.close()

    async def _listen(self, process: WorkerProcess) -> None:
        while True:
            await anyio.wait_readable(process.ears)
            was_ready = process.is_ready
            if not process.hear():
                return
            if process.is_ready != was_ready:
                self.tell_changed()
            await anyio.sleep(HEAR_SECONDS)
