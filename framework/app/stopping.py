"""How worker processes are stopped: asked first, and killed if they take too long."""

import signal

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.app.fleet import Fleet
from framework.app.systemd import Systemd
from framework.app.worker_process import WorkerProcess

log = structlog.get_logger("framework.run")

# What a worker that was told to stop may need beyond the time for its jobs.
GRACE_SECONDS = 10.0


class Stopping:
    """Ends worker processes, one of them or all.

    Args:
        fleet: The processes.
        tasks: Where it waits for those that are late.
        drain: For how many seconds their jobs may go on.
        systemd: Whom to tell.

    Attributes:
        code: The exit code of it all.
    """

    def __init__(self, fleet: Fleet, tasks: TaskGroup, drain: float, systemd: Systemd) -> None:
        self._fleet = fleet
        self._tasks = tasks
        self._grace = drain + GRACE_SECONDS
        self._systemd = systemd
        self._ended = anyio.Event()
        self.has_begun = False
        self.code = 0

    def stop(self, why: str, code: int | None = None) -> None:
        """Let all processes drain and end; the second time: without waiting for their jobs."""
        is_first = not self.has_begun
        self.has_begun = True
        self.code = self.code if code is None else code
        processes = list(self._fleet.all.values())
        self._fleet.tell_changed()
        log.info("stopping" if is_first else "stopping now", why=why, workers=len(processes))
        self._systemd.tell("STOPPING=1")
        # Of two signals of a kind that come at once a process would hear one.
        number = signal.SIGTERM if is_first else signal.SIGINT
        for process in processes:
            process.send(number)
            seconds = self._grace if is_first else GRACE_SECONDS
            self._tasks.start_soon(self._end_late, process, seconds)
        if not processes:
            self._ended.set()

    def retire(self, process: WorkerProcess) -> None:
        """Let one process drain and end: another one stands in its place."""
        process.is_retired = True
        process.send(signal.SIGTERM)
        self._tasks.start_soon(self._end_late, process, self._grace)

    def end(self, code: int | None = None) -> None:
        """Note that no process is left, or that there is nothing to wait for."""
        self.has_begun = True
        self.code = self.code if code is None else code
        self._ended.set()

    async def wait(self) -> None:
        """Wait until no process is left."""
        await self._ended.wait()

    @staticmethod
    async def _end_late(process: WorkerProcess, seconds: float) -> None:
        await anyio.sleep(seconds)
        if process.is_running:
            log.error("worker does not stop, it is killed", worker=process.index, pid=process.pid)
            process.send(signal.SIGKILL)
