"""The parent of worker processes: starts them, keeps their locks, replaces them, stops them.

It imports no user code, so nothing that a handler does can hold it up.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from framework.app.brake import Brake
from framework.app.kept_locks import KeptLocks
from framework.app.lookout import Limits, look_after
from framework.app.process_answers import Answer, answers_of_process, answers_of_processes
from framework.app.server_watch import watch_servers
from framework.app.settings import Settings
from framework.app.systemd import Systemd
from framework.app.worker_process import WorkerProcess
from framework.store.store import Store

log = structlog.get_logger("framework.run")

SOFTWARE = 70
LOOK_SECONDS = 1.0
# How often a process is heard that talks without end.
HEAR_SECONDS = 0.05
# What a worker that was told to stop may need beyond the time for its jobs.
GRACE_SECONDS = 10.0
# How long the jobs of the last dead may take to be given back before we end too.
GIVE_BACK_SECONDS = 10.0
READY_SECONDS = 120.0


class Supervisor:
    """Runs worker processes until it is told to stop.

    Args:
        start: Starts a worker process of this index.
        processes: How many.
        settings: Ours, the workers read their own.
        limits: When to replace one that is well.
        systemd: Whom to tell how we are.
    """

    def __init__(
        self,
        start: Callable[[int], WorkerProcess],
        processes: int,
        settings: Settings,
        limits: Limits,
        systemd: Systemd,
    ) -> None:
        self._start_process = start
        self._count = processes
        self._settings = settings
        self._limits = limits
        self._systemd = systemd
        self._brakes = {index: Brake(settings.max_restarts) for index in range(1, processes + 1)}
        self._slots: dict[int, WorkerProcess] = {}
        self._all: dict[int, WorkerProcess] = {}
        self._replacing: int | None = None
        self._turn = anyio.Lock()
        self._has_begun = False
        self._stopping = anyio.Event()
        self._ended = anyio.Event()
        self._changed = anyio.Event()
        self._code = 0
        self._dead = 0

    async def run(self, first: WorkerProcess, early: Sequence[signal.Signals] = ()) -> int:
        """Supervise until stopped; return the exit code.

        Args:
            first: The first process, started already.
            early: The signals to stop that came before this could hear them.
        """
        store = Store(self._settings.url, timeout=self._settings.timeout.total_seconds(), copies=0)
        async with store:
            self._locks = KeptLocks(store, lambda: list(self._all.values()))
            async with anyio.create_task_group() as tasks:
                self._tasks: TaskGroup = tasks
                self._adopt(first)
                await tasks.start(self._heed_signals)
                for received in early:
                    self._stop(received.name)
                tasks.start_soon(self._locks.run)
                tasks.start_soon(store.watch)
                tasks.start_soon(watch_servers, store, lambda: list(self._all.values()))
                tasks.start_soon(self._start_all, first)
                tasks.start_soon(self._look_after_all)
                if self._systemd.watchdog_seconds:
                    tasks.start_soon(self._feed_watchdog)
                await self._ended.wait()
                with anyio.move_on_after(GIVE_BACK_SECONDS):
                    await self._until(lambda: not self._dead)
                tasks.cancel_scope.cancel()
        log.info("stopped")
        return self._code

    def answer(self, path: str) -> Answer:
        """Answer a probe; called in threads."""
        live_seconds = self._settings.live_timeout.total_seconds()
        told = {
            index: answers_of_process(process, live_seconds)
            for index, process in self._slots.copy().items()
        }
        return answers_of_processes(told, path)

    # Starting

    def _adopt(self, process: WorkerProcess) -> WorkerProcess:
        self._slots[process.index] = self._all[process.pid] = process
        self._tasks.start_soon(self._mind, process)
        return process

    def _start(self, index: int) -> WorkerProcess:
        return self._adopt(self._start_process(index))

    async def _start_all(self, first: WorkerProcess) -> None:
        """Start the others once the first takes jobs; if it cannot, the whole start has failed."""
        await self._settled(first)
        if self._stopping.is_set():
            return
        if not first.is_ready:
            self._end(first.code if first.code and first.code > 0 else SOFTWARE)
            return
        self._has_begun = True
        others = [self._start(index) for index in range(2, self._count + 1)]
        for process in others:
            await self._settled(process)
        self._systemd.tell("READY=1")

    async def _settled(self, process: WorkerProcess) -> bool:
        """Wait until a process takes jobs or has ended; return whether it takes jobs."""
        await self._until(lambda: process.is_ready or not process.is_running)
        return process.is_ready

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _tell_changed(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    # Listening

    async def _mind(self, process: WorkerProcess) -> None:
        """Hear a process until it has ended, then see to what it leaves behind."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, process)
            await self._until(lambda: not process.is_running)
            tasks.cancel_scope.cancel()
        await self._bury(process)

    async def _listen(self, process: WorkerProcess) -> None:
        while True:
            await anyio.wait_readable(process.ears)
            was_ready = process.is_ready
            if not process.hear():
                return
            if process.is_ready != was_ready:
                self._tell_changed()
            await anyio.sleep(HEAR_SECONDS)

    async def _heed_signals(self, *, task_status: TaskStatus[None]) -> None:
        heeded = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        with anyio.open_signal_receiver(*heeded) as signals:
            task_status.started()
            self._reap()
            async for received in signals:
                if received == signal.SIGCHLD:
                    self._reap()
                elif received == signal.SIGHUP:
                    self._tasks.start_soon(self._restart_all)
                else:
                    self._stop(received.name)

    def _reap(self) -> None:
        """Take leave of ended children: ours, and as the first process of a container, of any."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self._all:
                process = self._all.pop(pid)
                process.hear()
                process.has_ended(status)
                self._dead += 1
        self._tell_changed()

    # Endings

    async def _bury(self, process: WorkerProcess) -> None:
        """See to what a process leaves behind, and to who comes after it."""
        if self._stopping.is_set() and not self._all:
            self._ended.set()
        elif self._has_begun and not self._stopping.is_set():
            self._tell_end(process)
            if not process.is_retired:
                self._tasks.start_soon(self._start_again, process)
        try:
            if process.code != 0 or any(holder.held for holder in process.holders):
                await self._locks.give_back(process)
        finally:
            self._dead -= 1
            self._tell_changed()
            process.close()

    def _tell_end(self, process: WorkerProcess) -> None:
        if process.is_retired and process.code == 0:
            return
        stack = process.take_stacks()
        facts = {"stack": stack} if stack else {}
        log.error(
            "worker died", worker=process.index, pid=process.pid, ending=process.ending, **facts
        )

    async def _start_again(self, dead: WorkerProcess) -> None:
        index = dead.index
        if self._replacing == index:
            return
        brake = self._brakes[index]
        pause = brake.died(has_worked=dead.has_worked or dead.is_seasoned)
        if pause is None:
            log.error(
                "a worker dies again and again without having done a job: giving up",
                worker=index,
                in_a_row=brake.in_a_row,
                last=dead.ending,
                fix="read what it said last; FRAMEWORK_MAX_RESTARTS allows more",
            )
            self._code = SOFTWARE
            self._stop("crash loop")
            return
        await anyio.sleep(pause)
        if not self._stopping.is_set() and self._slots.get(index) is dead:
            log.info("worker starts again", worker=index, pid=self._start(index).pid)

    def _end(self, code: int) -> None:
        self._code = code
        self._stopping.set()
        self._ended.set()

    # Replacing

    async def _restart_all(self) -> None:
        """Replace one process after the other, each by one that takes jobs already."""
        log.info("rolling restart", processes=self._count)
        usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._systemd.tell("RELOADING=1", f"MONOTONIC_USEC={usec}")
        done = 0
        for index in sorted(self._slots):
            if not await self._replace(index, "rolling restart"):
                break
            done += 1
        self._systemd.tell("READY=1")
        if not self._stopping.is_set():
            log.info("rolling restart done", replaced=done, processes=self._count)

    async def _replace(self, index: int, why: str) -> bool:
        """Start a new process, and once it takes jobs stop the old one; return whether it does."""
        async with self._turn:
            old = self._slots[index]
            if self._stopping.is_set():
                return False
            self._replacing = index
            new = self._start_process(index)
            self._all[new.pid] = new
            self._tasks.start_soon(self._mind, new)
            new.is_retired = True  # until it stands in for the old one, its end is no crash
            with anyio.move_on_after(READY_SECONDS):
                await self._settled(new)
            self._replacing = None
            if not (new.is_ready and new.is_running):
                if self._stopping.is_set():
                    return False
                new.send(signal.SIGKILL)
                log.error("the new worker does not start, the old one goes on", worker=index)
                if not old.is_running:
                    self._tasks.start_soon(self._start_again, old)
                return False
            new.is_retired = False
            self._slots[index] = new
            log.info("worker replaced", worker=index, pid=new.pid, old=old.pid, why=why)
            self._retire(old)
            return True

    def _retire(self, process: WorkerProcess) -> None:
        process.is_retired = True
        process.send(signal.SIGTERM)
        self._tasks.start_soon(self._end_late, process, self._grace)

    @property
    def _grace(self) -> float:
        return self._settings.shutdown_timeout.total_seconds() + GRACE_SECONDS

    @staticmethod
    async def _end_late(process: WorkerProcess, seconds: float) -> None:
        await anyio.sleep(seconds)
        if process.is_running:
            log.error("worker does not stop, it is killed", worker=process.index, pid=process.pid)
            process.send(signal.SIGKILL)

    # Stopping

    def _stop(self, why: str) -> None:
        """Let all processes drain and end; the second time: without waiting for their jobs."""
        is_first = not self._stopping.is_set()
        self._stopping.set()
        self._tell_changed()
        log.info("stopping" if is_first else "stopping now", why=why, workers=len(self._all))
        self._systemd.tell("STOPPING=1")
        for process in self._all.values():
            process.send(signal.SIGTERM)
            seconds = self._grace if is_first else GRACE_SECONDS
            self._tasks.start_soon(self._end_late, process, seconds)
        if not self._all:
            self._ended.set()

    # Looking after

    async def _look_after_all(self) -> None:
        limit = self._settings.max_block.total_seconds()
        while True:
            await anyio.sleep(LOOK_SECONDS)
            for process in list(self._all.values()):
                look_after(process, limit)
            if self._stopping.is_set() or self._turn.locked():
                continue
            for index, process in self._slots.items():
                why = self._limits.reached_by(process)
                if why is not None and process.is_running and not process.is_retired:
                    self._tasks.start_soon(self._replace, index, why)
                    break

    async def _feed_watchdog(self) -> None:
        while True:
            self._systemd.tell("WATCHDOG=1")
            await anyio.sleep(self._systemd.watchdog_seconds)
