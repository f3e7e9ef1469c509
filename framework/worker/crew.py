"""All workers of a process, and what they share: a waker, a lock keeper."""

import asyncio  # noqa: TID251 - anyio has no way into the loop that does not wait for it
import os
import signal
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup, TaskStatus

from framework.errors import KeyTypeError
from framework.model.health import Phase
from framework.model.job import JobId, Token
from framework.store.presence import show_workers
from framework.store.queue_meta import open_queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.slots import slot_of
from framework.worker.calls import Calls
from framework.worker.hooks import Heard
from framework.worker.key_care import KeyCare
from framework.worker.locks import Holdings, LockKeeper, WhyLost
from framework.worker.pulse import Pulse
from framework.worker.schedules import ScheduleCare
from framework.worker.server_care import ServerCare
from framework.worker.tether import Tether
from framework.worker.waker import Waker
from framework.worker.watchdog import Watchdog
from framework.worker.worker import Work, Worker


class Crew:
    """The workers of one process.

    Args:
        store: Where the queues are.
        shutdown: How long running jobs may go on once it stops.
        metrics: For how long to keep how many jobs ended in each minute.
        pause_mode: Written into each queue; None leaves what is there.
        presence: Whether dashboards see the workers.
        care: Keeps the declared schedules.
        patience: How long a worker may take nothing while jobs wait; zero: for ever.
        looks_always: Whether somebody wants to know of each queue all the time.
        on_stuck: Called when a worker takes nothing, whatever is done about it.
        tether: Ties the process to a supervisor, which keeps its locks.
        is_extra: Another crew of the process is there for as long as the supervisor, and began the
            tether; this one joins it.
        stacks: As `Pulse` takes it.

    Attributes:
        server: Looks after Redis; where there is a supervisor, that says what is wrong.
        keys: Looks after the keys of its queues.
        listeners: What hears the events of all workers: its hooks and itself. Filled before `add`.
        watchdog: Looks after the workers, while they run.
        phase: What they are about.
    """

    def __init__(
        self,
        store: Store,
        *,
        shutdown: timedelta,
        metrics: timedelta = timedelta(0),
        pause_mode: str | None = None,
        presence: bool = True,
        care: ScheduleCare | None = None,
        patience: timedelta = timedelta(0),
        looks_always: bool = False,
        on_stuck: Callable[[], None] = lambda: None,
        tether: Tether | None = None,
        is_extra: bool = False,
        stacks: int | None = None,
    ) -> None:
        self._store = store
        self._shutdown = shutdown
        self._metrics = metrics
        self._pause_mode = pause_mode
        self._presence = presence
        self._care = care
        self._tether = tether
        self._joins = is_extra
        self._pulse = Pulse(tether.beat if tether is not None and not is_extra else None, stacks)
        self._leave: Callable[[], None] = lambda: None
        self._wakers: dict[int, Waker] = {}
        self._patience = patience.total_seconds()
        self._looks_always = looks_always
        self._on_stuck = on_stuck
        self._calls: dict[int, Calls] = {}
        self.workers: list[Worker] = []
        self.listeners: list[Heard] = []
        self.server = ServerCare(store, [], is_silent=tether is not None)
        self.keys = KeyCare(store, [])
        self.watchdog: Watchdog | None = None
        self.phase: Phase = "starting"

    def add(self, keys: QueueKeys, work: Work, name: str | None = None) -> None:
        """Add a worker before the crew runs; ``name`` as `Worker` takes it."""
        # A blocking read waits for keys of one slot.
        slot = slot_of(keys.base) if self._store.is_cluster else 0
        if slot not in self._wakers:
            self._wakers[slot] = Waker(self._store, keys["marker"])
            self._calls[slot] = Calls(self._store, keys["marker"])
        waker, unique = self._wakers[slot], uuid.uuid4().hex
        worker = Worker(self._store, keys, work, waker, unique, self._shutdown, self._metrics, name)
        worker.listeners += self.listeners
        self._calls[slot].watch(worker)
        self.workers.append(worker)

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return sum(worker.running for worker in self.workers)

    def stop(self, *, now: bool = False) -> None:
        """Stop all workers; ``now``: give running jobs back at once."""
        self.phase = "stopping"
        for worker in self.workers:
            worker.stop(now=now)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until stopped.

        Raises:
            FormatError: A queue was written by a newer release.
            RedisUnavailableError: At the start, Redis cannot be reached.
        """
        self.server.near = [waker.near for waker in self._wakers.values()]
        # Before the first write: a replica, which refuses it, is named.
        await self.server.look()
        # All of them before any worker takes a job: one that is refused ends the start.
        self.keys.queues = [worker.keys for worker in self.workers]
        for worker in self.workers:
            try:
                await open_queue(self._store, worker.keys, self._pause_mode)
            except KeyTypeError as error:  # the other queues of the process can be worked
                self._store.outage.begin(error)
        keeper = self._keep_locks()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._pulse.run)
                async with AsyncExitStack() as children:
                    for worker in self.workers:
                        for processes in (worker.work.children, worker.work.spare):
                            if processes is not None:
                                await children.enter_async_context(processes)
                    await self._serve(tasks, task_status)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(keeper.stop)
            self._leave()
            if self._tether is not None:
                self._tether.beat(0.0)

    def _keep_locks(self) -> LockKeeper:
        """See that locks are renewed: by the supervisor while it is there, else by a thread."""
        holdings, tether = self._holdings(), self._tether
        if tether is None:
            keeper = LockKeeper(self._store.address, holdings)
            keeper.start()
            return keeper
        keeper = LockKeeper(
            self._store.address,
            holdings,
            lambda: tether.renews_locks,
            lambda: tether.renewed_at,
        )

        def end_alone() -> None:
            keeper.take_over()
            os.kill(os.getpid(), signal.SIGTERM)

        if self._joins:
            self._leave = tether.join(holdings, keeper.take_over)
        else:
            tether.start(holdings, self._count_served, end_alone)
        keeper.start()
        return keeper

    def _count_served(self) -> int:
        return sum(worker.pump.fetched - len(worker.pump.held) for worker in self.workers)

    def _watch(self, tasks: TaskGroup) -> None:
        if self._patience:
            self.watchdog = Watchdog(
                self._store, self.workers, self._patience, self._looks_always, self._on_stuck
            )
            tasks.start_soon(self.watchdog.run)

    async def _serve(self, tasks: TaskGroup, task_status: TaskStatus[None]) -> None:
        """Run the workers and what helps them, until all workers have stopped."""
        readers = [one.run for one in self._wakers.values()]
        readers += [one.run for one in self._calls.values()]
        for read in readers:
            tasks.start_soon(read)
        tasks.start_soon(self._store.listen)
        tasks.start_soon(self.server.run)
        tasks.start_soon(self.keys.run)
        if self._care is not None:
            tasks.start_soon(self._care.run)
        if self._presence:
            shown = [(worker.keys, worker.pump.taker.name) for worker in self.workers]
            tasks.start_soon(show_workers, self._store, shown)
        async with anyio.create_task_group() as working:
            for worker in self.workers:
                await working.start(worker.run)
            self._watch(tasks)
            if self.phase == "starting":
                self.phase = "working"
            task_status.started()

    def _holdings(self) -> list[Holdings]:
        # A portal would wait for the loop, and while that is blocked all other locks would end.
        tell = asyncio.get_running_loop().call_soon_threadsafe

        def telling(worker: Worker) -> Holdings:
            def on_lost(job_id: JobId, token: Token, why: WhyLost) -> None:
                tell(worker.lost, job_id, token, why)

            return worker.holdings(on_lost)

        return [telling(worker) for worker in self.workers]
