"""How one worker process takes the place of another: of one that died, or is to go."""

import signal
import time

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.app.brake import Brake
from framework.app.fleet import Fleet
from framework.app.stopping import Stopping
from framework.app.systemd import Systemd
from framework.app.worker_process import WorkerProcess

log = structlog.get_logger("framework.run")

UNAVAILABLE = 69
SOFTWARE = 70
READY_SECONDS = 120.0
# Until the next try where the system had no room for a process.
NO_START_SECONDS = 1.0


class Replacing:
    """Puts new processes in the places of others.

    Args:
        fleet: The processes.
        stopping: Ends those that are to go.
        tasks: Where new ones are started later.
        most: How many times in a row a process may die without having been of use.
        systemd: Whom to tell.
    """

    def __init__(
        self, fleet: Fleet, stopping: Stopping, tasks: TaskGroup, most: int, systemd: Systemd
    ) -> None:
        self._fleet = fleet
        self._stopping = stopping
        self._tasks = tasks
        self._most = most
        self._systemd = systemd
        self._brakes: dict[int, Brake] = {}
        self._turn = anyio.Lock()
        self._index: int | None = None

    @property
    def is_busy(self) -> bool:
        """Whether some process is being replaced."""
        return self._turn.locked()

    async def start_again(self, dead: WorkerProcess) -> None:
        """Start a process in the place of one that died, if not too many have."""
        index = dead.index
        if self._index == index:
            return
        brake = self._brakes.setdefault(index, Brake(self._most))
        pause = brake.died(
            has_worked=dead.has_worked or dead.is_seasoned, was_refused=dead.code == UNAVAILABLE
        )
        if pause is None:
            log.error(
                "a worker dies again and again without having done a job: giving up",
                worker=index,
                in_a_row=brake.in_a_row,
                last=dead.ending,
                fix="read what it said last; FRAMEWORK_MAX_RESTARTS allows more",
            )
            self._stopping.stop("crash loop", SOFTWARE)
            return
        await anyio.sleep(pause)
        while self._is_wanted(dead):
            try:
                pid = self._fleet.start(index).pid
            except OSError as error:
                tell_no_start(index, error)
                await anyio.sleep(NO_START_SECONDS)
            else:
                log.info("worker starts again", worker=index, pid=pid)

    def _is_wanted(self, dead: WorkerProcess) -> bool:
        """Whether nobody stands, or is about to stand, where this one stood."""
        is_first = self._fleet.slots.get(dead.index) is dead and self._index != dead.index
        return is_first and not self._stopping.has_begun

    async def restart_all(self) -> None:
        """Replace one process after the other, each by one that takes jobs already."""
        if self._stopping.has_begun:
            return
        count = len(self._fleet.slots)
        log.info("rolling restart", processes=count)
        usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._systemd.tell("RELOADING=1", f"MONOTONIC_USEC={usec}")
        done = 0
        for index in sorted(self._fleet.slots):
            if not await self.replace(index, "rolling restart"):
                break
            done += 1
        if not self._stopping.has_begun:
            self._systemd.tell("READY=1")
            log.info("rolling restart done", replaced=done, processes=count)

    async def replace(self, index: int, why: str) -> bool:
        """Start a new process, and once it takes jobs stop the old one; return whether it does."""
        async with self._turn:
            old = self._fleet.slots[index]
            if self._stopping.has_begun:
                return False
            try:
                new = self._fleet.start_beside(index)
            except OSError as error:
                tell_no_start(index, error)
                return False
            self._index = index
            new.is_retired = True  # until it stands in for the old one, its end is no crash
            with anyio.move_on_after(READY_SECONDS):
                await self._fleet.settled(new)
            self._index = None
            if not (new.is_ready and new.is_running):
                self._give_up(new, old)
                return False
            new.is_retired = False
            self._fleet.slots[index] = new
            log.info("worker replaced", worker=index, pid=new.pid, old=old.pid, why=why)
            self._stopping.retire(old)
            return True

    def _give_up(self, new: WorkerProcess, old: WorkerProcess) -> None:
        if self._stopping.has_begun:
            return
        new.send(signal.SIGKILL)
        log.error("the new worker does not start, the old one goes on", worker=new.index)
        if not old.is_running:
            self._tasks.start_soon(self.start_again, old)


def tell_no_start(index: int, error: OSError) -> None:
    """Say that the system refused a process."""
    log.error(
        "no worker process can be started",
        worker=index,
        error=str(error),
        fix="see to memory, ulimit -n and ulimit -u; it is tried again",
    )
