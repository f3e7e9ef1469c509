"""Outcomes in, jobs out: what one worker holds, and what waits to be delivered.

While a call is under way running jobs go on ending; the next one takes their endings and asks for
as many jobs as there are free slots. So batches form by themselves, and a lone job still travels in
one round trip. `Pacing` says when a call leaves, `Traffic` carries it.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from framework.model.clock import Clock
from framework.model.job import JobId, Token
from framework.store.lane import Lane
from framework.store.store import Store
from framework.store.transitions.ending import Ending, given_back
from framework.store.transitions.exchange import Exchanged, Fetched, Taker
from framework.wire.codes import error_for
from framework.wire.job_hash import CANCEL_FIELD
from framework.wire.keys import QueueKeys
from framework.worker.deliveries import Delivery, Refused, Settled, how_many_fit
from framework.worker.line import Line, is_cut
from framework.worker.pacing import Pacing
from framework.worker.traffic import Load, Traffic
from framework.worker.trip import Trip

log = structlog.get_logger("framework.worker")


@dataclass(slots=True)
class Pump:
    """Moves jobs between Redis and the slots of one worker.

    Args:
        store: Where the queue is.
        keys: The queue.
        taker: For whom jobs are taken.
        concurrency: How many jobs may be held at once.
        on_jobs: Called when jobs have come into ``ready``.
        on_idle: Called when the pump waits for a wake-up.
        on_drained: Called when a call ended jobs and left nothing to do.
        on_refused: Asked for another ending where one was refused.

    Attributes:
        aside: Jobs that were taken and need no slot yet.
        fetched: How many jobs have come.
        answered: How many calls that asked for jobs have come back.
        fetched_at: When the last jobs came, by ``time.monotonic``.
    """

    store: Store
    keys: QueueKeys
    taker: Taker
    concurrency: int
    on_jobs: Callable[[], None]
    on_idle: Callable[[], None]
    on_drained: Callable[[], None]
    on_refused: Refused
    ready: deque[Fetched] = field(default_factory=deque[Fetched])
    aside: deque[Fetched] = field(default_factory=deque[Fetched])
    held: dict[JobId, Token] = field(default_factory=dict[JobId, Token])
    line: Line = field(default_factory=Line)
    is_fetching: bool = True
    fetched: int = 0
    answered: int = 0
    fetched_at: float | None = None
    pacing: Pacing = field(init=False)
    traffic: Traffic = field(init=False)
    _endings: list[Delivery] = field(default_factory=list[Delivery])
    # How many slots are taken; an ending that waits takes none, but its lock is held.
    _taken: int = 0

    def __post_init__(self) -> None:
        self.pacing = Pacing(self.concurrency)
        self.traffic = Traffic(self, self.store, self.keys, self.taker)

    @property
    def clock(self) -> Clock:
        """What tells scripts the time."""
        return self.store.clock

    @property
    def free(self) -> int:
        """How many more jobs may be asked for."""
        return self.concurrency - self._taken - self.traffic.asked

    @property
    def has_room(self) -> bool:
        """Whether it could take a job now."""
        return self.is_fetching and self.free > 0

    @property
    def is_hungry(self) -> bool:
        """Whether it has a slot without a job, be it asked for or not."""
        return self.is_fetching and self._taken < self.concurrency

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return self.traffic.calls

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a wake-up: it has room, and no call is under way."""
        return self.traffic.calls == 0 and self.has_room

    @property
    def is_over(self) -> bool:
        """Whether no call will ever leave again."""
        return not self.is_fetching and self.is_empty

    def resize(self, concurrency: int) -> None:
        """Hold so many jobs at once from now on; what is held beyond that may end."""
        grows = concurrency > self.concurrency
        self.concurrency = concurrency
        self.pacing = Pacing(max(1, concurrency))
        if grows:
            self.look()

    def rest(self) -> None:
        """Note that no call leaves now."""
        if self.is_idle:
            self.on_idle()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held and nothing waits to be delivered."""
        return not (self._taken or self._endings or self.traffic.calls)

    def finish(self, job: Fetched, ending: Ending, settled: Settled | None = None) -> None:
        """Hand over how a run ended; its slot is free from now on, its lock is kept.

        Args:
            job: What was run.
            ending: From the functions of ``transitions.ending``.
            settled: Called with the code once Redis has answered.
        """
        self._taken -= 1
        self._endings.append((ending, settled, job))
        traffic, endings = self.traffic, len(self._endings)
        is_full = endings >= self.pacing.half and self.is_fetching
        if self._taken == 0 or (is_full and traffic.has_lane):
            traffic.go()  # nothing else can end in this turn, or no more goes with one call
        elif not traffic.will_go and self._may_call():
            traffic.go_soon()

    def _may_call(self) -> bool:
        return self.pacing.may_call(
            self.traffic.calls, len(self._endings), self.free, line_flows=self._is_rich
        )

    @property
    def _is_rich(self) -> bool:
        """Whether so many jobs wait, as far as was seen, that two calls find some."""
        return self.line_flows and not self.line.is_hearsay and self.is_fetching

    def drop(self, job: Fetched) -> None:
        """Forget a job that is no longer ours."""
        self._taken -= 1
        self._let_go(job.id, job.token)
        self.traffic.go_soon()

    def set_aside(self, job: Fetched) -> None:
        """Keep a job that a slot took, and free that slot; `take_back` brings it to one again."""
        self._taken -= 1
        self.aside.append(job)
        self.traffic.go_soon()

    def take_back(self) -> None:
        """Bring the first that was set aside to a slot, if there is one."""
        if self.aside:
            self._taken += 1
            self.ready.appendleft(self.aside.popleft())
            self.on_jobs()

    def forget_aside(self, job_id: JobId) -> None:
        """Forget a job that is no longer ours, if it was set aside."""
        for job in self.aside:
            if job.id == job_id:
                self.aside.remove(job)
                self._let_go(job_id, job.token)
                return

    def _let_go(self, job_id: JobId, token: Token) -> None:
        """Keep the lock of this run no longer."""
        if self.held.get(job_id) == token:
            del self.held[job_id]

    @property
    def line_flows(self) -> bool:
        """Whether more jobs wait than were taken."""
        return not self.line.is_dry

    def look(self) -> None:
        """Look for jobs: somebody said that there may be some."""
        self.line.is_dry = False
        self.line.was_called = self.traffic.calls > 0
        self.line.is_hearsay = not self.line.was_called
        self.line.due_ms = 0
        self.traffic.go()

    def stop_fetching(self) -> None:
        """Take no more jobs, and give back those that no slot has begun."""
        self.is_fetching = False
        self._taken += len(self.aside)
        self.ready.extendleft(reversed(self.aside))
        self.aside.clear()
        while self.ready:
            job = self.ready.pop()  # the last first: each goes to the front
            self.finish(job, given_back(job.id, job.token))
        self.traffic.go_soon()

    async def run_lane(self, lane: Lane) -> None:
        """Lend a lane until fetching has stopped and all is delivered."""
        await self.traffic.run_lane(lane)

    def next_load(self) -> Load:
        """Take what goes with a call now, and tell how many jobs it asks for."""
        flows = self.line_flows and self.is_fetching
        if not (self._endings or (flows and self.free > 0)) or not self._may_call():
            return [], 0
        endings, free = len(self._endings), self.free
        calls, idle = self.traffic.calls, self.traffic.idle_seconds
        count, want = self.pacing.load(calls, endings, free, line_flows=self._is_rich, idle=idle)
        count = min(count, how_many_fit(self._endings))
        batch = self._endings[:count]
        del self._endings[:count]
        return batch, want if self.is_fetching else 0

    def settle(self, trip: Trip, came: Exchanged, jobs: list[Fetched]) -> None:
        """Do what a call's answer asks for."""
        self._receive(came, jobs, trip.want)
        for place, reason in came.cancelled.items():
            trip.batch[place][2].fields[CANCEL_FIELD] = reason
        for (ending, settled, job), code in zip(trip.batch, came.codes, strict=True):
            if code and self._ends_otherwise(ending, job, code):
                continue
            self._let_go(job.id, job.token)
            if settled is not None:
                settled(code)

    def _ends_otherwise(self, ending: Ending, job: Fetched, code: int) -> bool:
        """See to an ending that was refused; return whether another one takes its place."""
        instead = None if ending.is_final_failure else self.on_refused(job, code)
        if instead is None:
            refusal = error_for(code, job_id=job.id, queue=self.keys.queue)
            log.warning("outcome refused", error=str(refusal), code=code)
            return False
        # Its slot is free already, its lock is still ours.
        self._endings.append((*instead, job))
        return True

    def _receive(self, reply: Exchanged, jobs: list[Fetched], want: int) -> None:
        if want:
            got = len(reply.jobs)
            self.answered += 1
            if got:
                self.fetched += got
                self.fetched_at = time.monotonic()
            is_dry = got < want and not is_cut(reply.jobs)
            self.line.is_dry = is_dry and not self.line.was_called
            self.line.was_called = self.line.is_hearsay = False
            limited = self.clock.now_ms() + reply.limited_ms if reply.limited_ms else 0
            self.line.due_ms = limited or reply.next_due_ms
        if jobs:
            self._taken += len(jobs)
            for job in jobs:
                self.held[job.id] = job.token
            self.ready.extend(jobs)
            if self.is_fetching:
                self.on_jobs()
            else:
                self.stop_fetching()
        if reply.is_drained:
            self.on_drained()
