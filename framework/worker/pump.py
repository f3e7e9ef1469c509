"""Outcomes in, jobs out: at most two exchange calls in flight for one worker.

While a call is in flight, running jobs go on ending; the next call takes all their endings
and asks for as many jobs as there are free slots. So batches form by themselves, and a
lone job still travels in one round trip.
"""

import asyncio  # noqa: TID251 - anyio has no way to call back at the end of a turn
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from framework.errors import FrameworkError
from framework.model.clock import Clock
from framework.model.job import JobId, Token
from framework.store.connection import REPLY_SECONDS
from framework.store.lane import Lane
from framework.store.patience import Patience
from framework.store.store import Store
from framework.store.transitions.ending import Ending, given_back
from framework.store.transitions.exchange import Exchanged, Fetched, Taker
from framework.store.transitions.running import extend_locks
from framework.wire.codes import error_for
from framework.wire.job_hash import CANCEL_FIELD
from framework.wire.keys import QueueKeys
from framework.worker.deliveries import Delivery, Refused, Settled, how_many_fit
from framework.worker.line import Line, is_cut
from framework.worker.pacing import Pacing
from framework.worker.parking import Parking
from framework.worker.trip import Trip, TripLane

log = structlog.get_logger("framework.worker")


@dataclass(slots=True)
class Counts:
    """How many jobs are where."""

    held: int = 0
    asked: int = 0
    calls: int = 0
    tokens: int = 0


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
    _counts: Counts = field(default_factory=Counts)
    _endings: list[Delivery] = field(default_factory=list[Delivery])
    _free_lanes: list[TripLane] = field(default_factory=list[TripLane])
    _open_lanes: int = 0
    _handed: deque[Trip] = field(default_factory=deque[Trip])
    _carriers: Parking = field(default_factory=Parking)
    _will_go: bool = False

    def __post_init__(self) -> None:
        self.pacing = Pacing(self.concurrency)

    @property
    def clock(self) -> Clock:
        """What tells scripts the time."""
        return self.store.clock

    @property
    def free(self) -> int:
        """How many more jobs may be asked for."""
        return self.concurrency - self._counts.held - self._counts.asked

    @property
    def has_room(self) -> bool:
        """Whether it could take a job now."""
        return self.is_fetching and self.free > 0

    @property
    def is_hungry(self) -> bool:
        """Whether it has a slot without a job, be it asked for or not."""
        return self.is_fetching and self._counts.held < self.concurrency

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return self._counts.calls

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a wake-up: it has room, and no call is under way."""
        return self._counts.calls == 0 and self.has_room

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held and nothing waits to be delivered."""
        return not (self._counts.held or self._endings or self._counts.calls)

    def finish(self, job: Fetched, ending: Ending, settled: Settled | None = None) -> None:
        """Hand over how a run ended; its slot is free from now on, its lock is kept.

        Args:
            job: What was run.
            ending: From the functions of ``transitions.ending``.
            settled: Called with the code once Redis has answered.
        """
        counts = self._counts
        counts.held -= 1
        self._endings.append((ending, settled, job))
        endings = len(self._endings)
        if counts.held == 0 or (endings >= self.pacing.half and self._free_lanes):
            self._go()  # nothing else can end in this turn, or no more goes with one call
        elif self.pacing.may_call(counts.calls, endings, self.free, line_flows=self.line_flows):
            self._go_soon()

    def drop(self, job: Fetched) -> None:
        """Forget a job that is no longer ours."""
        self._counts.held -= 1
        self._let_go(job.id, job.token)
        self._go_soon()

    def set_aside(self, job: Fetched) -> None:
        """Keep a job that a slot took, and free that slot; `take_back` brings it to one again."""
        self._counts.held -= 1
        self.aside.append(job)
        self._go_soon()

    def take_back(self) -> None:
        """Bring the first that was set aside to a slot, if there is one."""
        if self.aside:
            self._counts.held += 1
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
        self.line.was_called = self._counts.calls > 0
        self.line.due_ms = 0
        self._go()

    def stop_fetching(self) -> None:
        """Take no more jobs, and give back those that no slot has begun."""
        self.is_fetching = False
        self._counts.held += len(self.aside)
        self.ready.extendleft(reversed(self.aside))
        self.aside.clear()
        while self.ready:
            job = self.ready.pop()  # the last first: each goes to the front
            self.finish(job, given_back(job.id, job.token))
        self._go_soon()

    async def run_lane(self, lane: Lane) -> None:
        """Lend a lane until fetching has stopped and all is delivered.

        What takes waiting is done here: to connect, to send again, to ask once more.
        """
        self._open_lanes += 1
        self._free_lanes.append(TripLane(lane, self.keys, self.taker))
        self._go()
        try:
            while self.is_fetching or not self.is_empty:
                if self._handed:
                    await self._carry(self._handed.popleft())
                else:
                    await self._carriers.wait()
        finally:
            self._open_lanes -= 1

    def _go_soon(self) -> None:
        """Make calls at the end of this turn: what ends until then goes with them."""
        if not self._will_go:
            self._will_go = True
            asyncio.get_running_loop().call_soon(self._go)

    def _go(self) -> None:
        """Make the calls that are worth it."""
        self._will_go = False
        while self._free_lanes and (self._endings or (self.has_room and self.line_flows)):
            batch, want = self._next_call()
            if not (batch or want):
                break
            self._send(self._free_lanes.pop(), batch, want)
        if not self.is_fetching:
            if self.is_empty:
                self._carriers.wake_all()
        elif self.is_idle:
            self.on_idle()

    def _next_call(self) -> tuple[list[Delivery], int]:
        calls, endings, free = self._counts.calls, len(self._endings), self.free
        flows = self.line_flows and self.is_fetching
        if not self.pacing.may_call(calls, endings, free, line_flows=flows):
            return [], 0
        count = self.pacing.endings_to_send(calls, endings, free, line_flows=flows)
        count = min(count, how_many_fit(self._endings))
        batch = self._endings[:count]
        del self._endings[:count]
        if not self.is_fetching or (self.line.is_dry and not batch):
            return batch, 0
        return batch, self.pacing.jobs_to_ask_for(free)

    def _send(self, on: TripLane, batch: list[Delivery], want: int) -> None:
        counts = self._counts
        endings = [ending for ending, _, _ in batch]
        now_ms, now = self.clock.now_ms(), time.monotonic()
        trip = Trip(self, on, batch, endings, want, counts.tokens, now_ms, now)
        counts.tokens += want
        counts.asked += want
        counts.calls += 1
        try:
            trip.call = on.word(trip)
        except Exception as error:  # it ends the worker, not a turn of the loop
            trip.failure = error
        if trip.call is None or not on.lane.send_now(trip.call, REPLY_SECONDS, trip):
            self.hand_over(trip)

    def hand_over(self, trip: Trip) -> None:
        """Leave to a lane's task what cannot be done at once."""
        self._handed.append(trip)
        self._carriers.wake()

    def landed(self, trip: Trip, reply: Sequence[Any]) -> None:
        """Take a reply in the turn in which it comes."""
        if not self._open_lanes:
            return  # cut off: nobody delivers any more
        trip.on.lane.heard()
        try:
            came = trip.came = trip.on.read(trip, reply)
            if came.jobs and self._is_late(trip):
                self.hand_over(trip)
            else:
                self._settle(trip, came, came.jobs)
        except Exception as error:  # a reply of no known shape
            trip.failure = error
            self.hand_over(trip)

    async def _carry(self, trip: Trip) -> None:
        """See a trip to its end, whatever it takes."""
        if trip.failure is not None or trip.call is None:
            raise trip.failure or RuntimeError("a call without words")
        came = trip.came
        if came is None:
            lane = trip.on.lane
            reply = await lane.insist(trip.call, seconds=None, trouble=trip.trouble)
            came = trip.on.read(trip, reply)
        jobs = came.jobs
        if jobs and self._is_late(trip):
            jobs = await self._still_ours(jobs)
        self._settle(trip, came, jobs)

    def _settle(self, trip: Trip, came: Exchanged, jobs: list[Fetched]) -> None:
        """Do what a call's answer asks for, and make the next ones."""
        self._counts.asked -= trip.want
        self._counts.calls -= 1
        self._free_lanes.append(trip.on)
        self._receive(came, jobs, trip.want)
        for place, reason in came.cancelled.items():
            trip.batch[place][2].fields[CANCEL_FIELD] = reason
        for (ending, settled, job), code in zip(trip.batch, came.codes, strict=True):
            if code and self._ends_otherwise(ending, job, code):
                continue
            self._let_go(job.id, job.token)
            if settled is not None:
                settled(code)
        self._go()

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

    def _is_late(self, trip: Trip) -> bool:
        """Tell whether jobs may have been taken so long ago that others have them."""
        return (time.monotonic() - trip.sent) * 1000 >= self.taker.lock_ms / 2

    async def _still_ours(self, jobs: list[Fetched]) -> list[Fetched]:
        """Drop what others have, after a blocked loop or a cut line."""
        pairs = [(job.id, job.token) for job in jobs]
        lost = await self._lost_among(pairs)
        for job_id in lost:
            log.warning("job lost before it began", job=job_id, queue=self.keys.queue)
        return [job for job in jobs if job.id not in lost]

    async def _lost_among(self, pairs: Sequence[tuple[JobId, Token]]) -> set[JobId]:
        """Ask until Redis answers, as the call before did."""
        patience = Patience(None, self.store.outage)
        while True:
            try:
                return await extend_locks(self.store, self.keys, pairs, self.taker.lock_ms)
            except FrameworkError as error:
                self.store.outage.begin(error)
                await patience.wait()

    def _receive(self, reply: Exchanged, jobs: list[Fetched], want: int) -> None:
        if want:
            got = len(reply.jobs)
            self.answered += 1
            if got:
                self.fetched += got
                self.fetched_at = time.monotonic()
            is_dry = got < want and not is_cut(reply.jobs)
            self.line.is_dry = is_dry and not self.line.was_called
            self.line.was_called = False
            limited = self.clock.now_ms() + reply.limited_ms if reply.limited_ms else 0
            self.line.due_ms = limited or reply.next_due_ms
        if jobs:
            self._counts.held += len(jobs)
            for job in jobs:
                self.held[job.id] = job.token
            self.ready.extend(jobs)
            if self.is_fetching:
                self.on_jobs()
            else:
                self.stop_fetching()
        if reply.is_drained:
            self.on_drained()
