"""One worker: it takes the jobs of one queue, runs them, and starts what helps it."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import ceil
from os import getpid

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from framework.declare.hooks import Heard as Scope
from framework.declare.spec import ProcessorSpec
from framework.model.events import Drained
from framework.model.job import JobId, Token
from framework.store.event_stream import follow_events, last_event_id
from framework.store.store import Store
from framework.store.transitions.asking import read_asks
from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import Fetched, Taker
from framework.wire.keys import QueueKeys
from framework.wire.millis import to_ms
from framework.worker.audit import watch_flows
from framework.worker.children import Children
from framework.worker.deliveries import Settled
from framework.worker.executor import Executor
from framework.worker.hook_line import HookLine
from framework.worker.hooks import Heard, Hooks
from framework.worker.locks import Holdings, OnLost, WhyLost
from framework.worker.pacing import Pacing
from framework.worker.pump import Pump
from framework.worker.runner import RunsJobs
from framework.worker.slots import Slots
from framework.worker.stalled import watch_for_stalled
from framework.worker.suspects import Suspects
from framework.worker.waker import Waker

log = structlog.get_logger("framework.worker")

# How long outcomes may take to reach Redis once all jobs have ended.
DELIVERY_SECONDS = 5.0
# And how long hooks may go on after that.
HOOK_SECONDS = 3.0
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker runs.

    Attributes:
        spec: The processor, as declared.
        target: Its instance, or the function; None if only child processes have it.
        named: The handlers by job name.
        catch_all: What runs every other name; None fails them.
        children: The processes that its jobs run in, if they do.
        spare: Those for jobs that may have ended a worker; None: they run as all others.
        max_crashes: From how many crashes on those are quarantined; None: never.
    """

    spec: ProcessorSpec
    target: object
    named: Mapping[bytes, RunsJobs]
    catch_all: RunsJobs | None
    children: Children | None = None
    spare: Children | None = None
    max_crashes: int | None = None


@dataclass(slots=True)
class Worker:
    """Takes jobs of one queue and runs them.

    Args:
        store: Where the queue is.
        keys: The queue.
        work: What runs the jobs.
        waker: Wakes it when jobs come.
        uuid: Unique in the fleet; begins all its tokens.
        shutdown: How long running jobs may go on once it stops.
        metrics: For how long to keep how many jobs ended in each minute, unless its processor
            says; zero: do not count.
        name: What it calls itself; its host and process id unless given.

    Attributes:
        listeners: What hears its events beside its processor.
    """

    store: Store
    keys: QueueKeys
    work: Work
    waker: Waker
    uuid: str
    shutdown: timedelta
    metrics: timedelta = timedelta(0)
    name: str | None = None
    pump: Pump = field(init=False)
    listeners: list[Heard] = field(default_factory=list[Heard])
    _slots: Slots | None = None
    _executor: Executor | None = None
    _lanes_left: int = 0
    _stop: anyio.Event = field(default_factory=anyio.Event)
    _hurry: anyio.Event = field(default_factory=anyio.Event)
    _delivered: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        spec = self.work.spec
        limiter = spec.limiter
        taker = Taker(
            token=f"{self.uuid}:",
            lock_ms=to_ms(spec.lock_duration),
            name=self.name or f"{socket.gethostname()}:{getpid()}",
            limit_max=limiter.max if limiter else "",
            limit_ms=to_ms(limiter.duration) if limiter else "",
            metrics=ceil((self.metrics if spec.metrics is None else spec.metrics) / MINUTE),
        )
        self.pump = Pump(
            self.store,
            self.keys,
            taker,
            spec.concurrency,
            self._jobs_came,
            self._is_idle,
            self._is_drained,
            self._refused,
        )

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return len(self._slots.running) if self._slots else 0

    def holdings(self, on_lost: OnLost) -> Holdings:
        """Return what its lock keeper must know."""
        return Holdings(self.keys, self.pump.held, self.pump.taker.lock_ms, on_lost, self.uuid)

    def lost(self, job_id: JobId, token: Token, why: WhyLost) -> None:
        """Cancel a job that was removed, or whose lock another worker may have."""
        if self._slots is None or self.pump.held.get(job_id) != token:
            return
        if not self._slots.cancel(job_id, why):
            self.pump.forget_aside(job_id)

    async def heed_asks(self) -> None:
        """Read what is asked of the jobs that run here, and do it.

        Raises:
            RedisUnavailableError: No answer.
        """
        asks = await read_asks(self.store, self.keys, self.uuid, list(self.pump.held))
        if self._slots is not None:
            self._slots.heed({ask.job_id: ask for ask in asks})

    def stop(self, *, now: bool = False) -> None:
        """Take no more jobs, and end once those that run have; ``now``: do not wait for them."""
        self._stop.set()
        if now:
            self._hurry.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until stopped; the queue is open."""
        spec = self.work.spec
        heard = self._hooks("worker")
        async with anyio.create_task_group() as helpers:
            interval_ms = to_ms(spec.stalled_interval)
            helpers.start_soon(
                watch_for_stalled,
                self.store,
                self.keys,
                interval_ms,
                spec.max_stalled_count,
                heard,
                helpers,
                self.pump.look,
            )
            helpers.start_soon(watch_flows, self.store, self.keys, interval_ms)
            await self._follow_queue(helpers)
            async with anyio.create_task_group() as serving:
                self._start(serving, helpers, heard)
                task_status.started()
                await self._stop.wait()
                await self._drain(serving)
            if serving.cancel_scope.cancelled_caught and self._delivered.is_set():
                log.warning("hooks cut off, they did not end", queue=self.keys.queue)
            helpers.cancel_scope.cancel()

    def _start(self, serving: TaskGroup, helpers: TaskGroup, hooks: Hooks) -> None:
        work = self.work
        executor = Executor(
            self.store,
            self.keys,
            work.spec,
            work.named,
            work.catch_all,
            hooks,
            self.pump,
            HookLine(hooks, serving),
            helpers,
        )
        if work.spare is not None:
            executor.suspects = Suspects(executor, work.spare, work.max_crashes)
        # The pump may begin with less room.
        concurrency = work.spec.concurrency
        self._executor = executor
        self._slots = Slots(self.pump, concurrency, executor.execute, serving)
        self._lanes_left = Pacing(concurrency).lanes
        for _ in range(self._lanes_left):
            serving.start_soon(self._run_lane)
        self.waker.watch(self.pump)

    async def _run_lane(self) -> None:
        await self.pump.run_lane(self.store.lane())
        self._lanes_left -= 1
        if self._lanes_left == 0:
            self._delivered.set()

    def _jobs_came(self) -> None:
        if self._slots is not None:
            self._slots.rouse()

    def _is_idle(self) -> None:
        self.waker.pump_is_idle(self.pump)

    def _refused(self, job: Fetched, code: int) -> tuple[Ending, Settled | None] | None:
        return self._executor.refused(job, code) if self._executor is not None else None

    def _is_drained(self) -> None:
        if self._executor is not None:
            queue = self.keys.queue
            self._executor.told.put("drained", Drained(queue))

    async def _drain(self, serving: TaskGroup) -> None:
        self.waker.forget(self.pump)
        self.pump.stop_fetching()
        with anyio.move_on_after(self.shutdown.total_seconds()):
            await self._delivered_or_hurried()
        slots = self._slots
        if slots is not None and slots.running:
            count = slots.cancel_all("stop")
            log.warning("jobs given back, they run again", jobs=count, queue=self.keys.queue)
        with anyio.move_on_after(DELIVERY_SECONDS):
            await self._delivered.wait()
        if slots is not None:
            slots.close()
        serving.cancel_scope.deadline = anyio.current_time() + HOOK_SECONDS
        if not self._delivered.is_set():
            log.error("outcomes not delivered, these jobs run again", queue=self.keys.queue)
            serving.cancel_scope.cancel()

    async def _delivered_or_hurried(self) -> None:
        async with anyio.create_task_group() as race:
            for event in (self._delivered, self._hurry):
                race.start_soon(self._end_race, event, race)

    @staticmethod
    async def _end_race(event: anyio.Event, race: TaskGroup) -> None:
        await event.wait()
        race.cancel_scope.cancel()

    def _hooks(self, scope: Scope) -> Hooks:
        own = self.work.spec.hooks, self.work.target
        return Hooks([own, *self.listeners], scope, self.keys.queue)

    async def _follow_queue(self, helpers: TaskGroup) -> None:
        """Hear the events of the whole queue, if any hook wants them."""
        hooks = self._hooks("queue")
        if hooks:
            after = await last_event_id(self.store, self.keys)
            helpers.start_soon(partial(self._tell, hooks, after))

    async def _tell(self, hooks: Hooks, after: str) -> None:
        async for events in follow_events(self.store, self.keys, after):
            for event in events:
                if hooks.hears(event.event):
                    await hooks.call(event.event, event)
