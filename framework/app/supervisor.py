"""The parent of worker processes: starts them, keeps their locks, replaces them, stops them.

It imports no user code, so nothing that a handler does can hold it up.
"""

import signal
import time
from collections.abc import Callable, Sequence

import anyio
import structlog
from anyio.abc import TaskStatus

from framework.app.fleet import Fleet
from framework.app.kept_locks import KeptLocks
from framework.app.lookout import Limits, look_after
from framework.app.process_answers import Answer, answers_of_process, answers_of_processes
from framework.app.replacing import SOFTWARE, Replacing
from framework.app.server_watch import watch_servers
from framework.app.settings import Settings
from framework.app.stopping import Stopping
from framework.app.systemd import Systemd
from framework.app.worker_process import WorkerProcess
from framework.store.store import Store

log = structlog.get_logger("framework.run")

LOOK_SECONDS = 1.0
# How long the jobs of the last dead may take to be given back before we end too.
GIVE_BACK_SECONDS = 10.0


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
        self._count = processes
        self._settings = settings
        self._limits = limits
        self._systemd = systemd
        self._fleet = Fleet(start, self._bury)
        self._has_begun = False
        self._all_started = anyio.Event()

    async def run(self, first: WorkerProcess, early: Sequence[signal.Signals] = ()) -> int:
        """Supervise until stopped; return the exit code.

        Args:
            first: The first process, started already.
            early: The signals that came before this could hear them.
        """
        store = Store(self._settings.url, timeout=self._settings.timeout.total_seconds(), copies=0)
        fleet, settings = self._fleet, self._settings
        async with store:
            self._locks = KeptLocks(store, self._running)
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                drain = settings.shutdown_timeout.total_seconds()
                self._stopping = Stopping(fleet, tasks, drain, self._systemd)
                self._replacing = Replacing(
                    fleet, self._stopping, tasks, settings.max_restarts, self._systemd
                )
                fleet.open(tasks)
                fleet.adopt(first)
                await tasks.start(self._heed_signals)
                for received in early:
                    self._heed(received)
                tasks.start_soon(self._locks.run)
                tasks.start_soon(store.watch)
                tasks.start_soon(watch_servers, store, self._running)
                tasks.start_soon(store.listen)
                tasks.start_soon(self._start_all, first)
                tasks.start_soon(self._look_after_all)
                if self._systemd.watchdog_seconds:
                    tasks.start_soon(self._feed_watchdog)
                await self._stopping.wait()
                with anyio.move_on_after(GIVE_BACK_SECONDS):
                    await fleet.until(lambda: not fleet.dead)
                tasks.cancel_scope.cancel()
        log.info("stopped")
        return self._stopping.code

    def answer(self, path: str) -> Answer:
        """Answer a probe; called in threads."""
        live_seconds = self._settings.live_timeout.total_seconds()
        told = {
            index: answers_of_process(process, live_seconds)
            for index, process in self._fleet.slots.copy().items()
        }
        return answers_of_processes(told, path)

    def _running(self) -> list[WorkerProcess]:
        return list(self._fleet.all.values())

    async def _start_all(self, first: WorkerProcess) -> None:
        """Start the others once the first takes jobs; if it cannot, the whole start has failed."""
        fleet = self._fleet
        await fleet.settled(first)
        if self._stopping.has_begun:
            return
        if not first.is_ready:
            if first.code is None or first.code <= 0:  # else it has said why itself
                tell_end(first, "worker died before it took jobs; there is no second try")
            self._stopping.end(first.code if first.code and first.code > 0 else SOFTWARE)
            return
        self._has_begun = True
        others = [fleet.start(index) for index in range(2, self._count + 1)]
        for process in others:
            await fleet.settled(process)
        if not self._stopping.has_begun:
            self._systemd.tell("READY=1")
        self._all_started.set()

    async def _reload(self) -> None:
        """Replace all, once all have started: they may have imported what was there before."""
        await self._all_started.wait()
        await self._replacing.restart_all()

    async def _heed_signals(self, *, task_status: TaskStatus[None]) -> None:
        heeded = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        with anyio.open_signal_receiver(*heeded) as signals:
            task_status.started()
            self._fleet.reap()
            async for received in signals:
                if received == signal.SIGCHLD:
                    self._fleet.reap()
                else:
                    self._heed(received)

    def _heed(self, received: signal.Signals) -> None:
        if received == signal.SIGHUP:
            self._tasks.start_soon(self._reload)
        else:
            self._stopping.stop(received.name)

    async def _bury(self, process: WorkerProcess) -> None:
        """See to what a process leaves behind, and to who comes after it."""
        if self._stopping.has_begun and not self._fleet.all:
            self._stopping.end()
        elif self._has_begun and not self._stopping.has_begun:
            tell_end(process)
            if not process.is_retired:
                self._tasks.start_soon(self._replacing.start_again, process)
        if process.code != 0 or any(holder.held for holder in process.holders):
            await self._locks.give_back(process)

    async def _look_after_all(self) -> None:
        limit = self._settings.max_block.total_seconds()
        looked = time.monotonic()
        while True:
            await anyio.sleep(LOOK_SECONDS)
            late = time.monotonic() - looked - LOOK_SECONDS
            looked += LOOK_SECONDS + late
            for process in self._running():
                if late > LOOK_SECONDS:  # we stood still: what we did not hear was no silence
                    process.excuse(late)
                look_after(process, limit)
            if self._stopping.has_begun or self._replacing.is_busy:
                continue
            for index, process in self._fleet.slots.items():
                why = self._limits.reached_by(process)
                if why is not None and process.is_running and not process.is_retired:
                    self._tasks.start_soon(self._replacing.replace, index, why)
                    break

    async def _feed_watchdog(self) -> None:
        while True:
            self._systemd.tell("WATCHDOG=1")
            await anyio.sleep(self._systemd.watchdog_seconds)


def tell_end(process: WorkerProcess, event: str = "worker died") -> None:
    """Say how a process ended that nobody told to."""
    if process.is_retired and process.code == 0:
        return
    stack = process.take_stacks()
    facts = {"stack": stack} if stack else {}
    log.error(event, worker=process.index, pid=process.pid, ending=process.ending, **facts)
