"""The calls of a pump under way: each on a lane of its own, until its answer is seen to.

A call leaves, and its answer is taken, within a turn of the event loop. What takes waiting is left
to the tasks that lend the lanes: to connect, to send again, to ask if late jobs are still ours.
"""

import asyncio  # noqa: TID251 - anyio has no way to call back at the end of a turn
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from framework.store.connection import REPLY_SECONDS
from framework.store.lane import Lane
from framework.store.store import Store
from framework.store.transitions.exchange import Exchanged, Fetched, Taker
from framework.wire.keys import QueueKeys
from framework.worker.deliveries import Delivery
from framework.worker.late import still_ours
from framework.worker.parking import Parking
from framework.worker.trip import Trip, TripLane

# What a call delivers, and how many jobs it asks for; neither: no call leaves.
Load = tuple[list[Delivery], int]


class Home(Protocol):
    """Where calls come from: a pump."""

    @property
    def is_over(self) -> bool:
        """Whether no call will ever leave again."""
        ...

    def next_load(self) -> Load:
        """Take what goes with a call now, and tell how many jobs it asks for."""
        ...

    def settle(self, trip: Trip, came: Exchanged, jobs: list[Fetched]) -> None:
        """Do what a call's answer asks for."""
        ...

    def rest(self) -> None:
        """Note that no call leaves now."""
        ...


@dataclass(slots=True)
class Traffic:
    """Sends what a pump loads on the lanes that it was lent.

    Args:
        home: The pump.
        store: Where the queue is.
        keys: The queue.
        taker: For whom jobs are taken.

    Attributes:
        calls: How many are under way.
        asked: How many jobs those ask for.
        will_go: Whether calls are made at the end of this turn.
    """

    home: Home
    store: Store
    keys: QueueKeys
    taker: Taker
    calls: int = 0
    asked: int = 0
    will_go: bool = False
    _tokens: int = 0
    _last_end: float = 0.0
    _free_lanes: list[TripLane] = field(default_factory=list[TripLane])
    _open_lanes: int = 0
    _handed: deque[Trip] = field(default_factory=deque[Trip])
    _carriers: Parking = field(default_factory=Parking)

    @property
    def has_lane(self) -> bool:
        """Whether a call could leave."""
        return bool(self._free_lanes)

    @property
    def idle_seconds(self) -> float:
        """For how long no call has been under way."""
        return 0.0 if self.calls else time.monotonic() - self._last_end

    async def run_lane(self, lane: Lane) -> None:
        """Lend a lane until no call will leave any more."""
        self._open_lanes += 1
        self._free_lanes.append(TripLane(lane, self.keys, self.taker))
        self.go()
        try:
            while not self.home.is_over:
                if self._handed:
                    await self._carry(self._handed.popleft())
                else:
                    await self._carriers.wait()
        finally:
            self._open_lanes -= 1

    def go_soon(self) -> None:
        """Make calls at the end of this turn: what ends until then goes with them."""
        if not self.will_go:
            self.will_go = True
            asyncio.get_running_loop().call_soon(self.go)

    def go(self) -> None:
        """Make the calls that are worth it."""
        self.will_go = False
        while self._free_lanes:
            batch, want = self.home.next_load()
            if not (batch or want):
                break
            self._send(self._free_lanes.pop(), batch, want)
        if self.home.is_over:
            self._carriers.wake_all()
        else:
            self.home.rest()

    def _send(self, on: TripLane, batch: list[Delivery], want: int) -> None:
        endings = [ending for ending, _, _ in batch]
        now_ms, now = self.store.clock.now_ms(), time.monotonic()
        trip = Trip(self, on, batch, endings, want, self._tokens, now_ms, now)
        self._tokens += want
        self.asked += want
        self.calls += 1
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
            jobs = await still_ours(self.store, self.keys, jobs, self.taker.lock_ms)
        self._settle(trip, came, jobs)

    def _is_late(self, trip: Trip) -> bool:
        """Tell whether jobs may have been taken so long ago that others have them."""
        return (time.monotonic() - trip.sent) * 1000 >= self.taker.lock_ms / 2

    def _settle(self, trip: Trip, came: Exchanged, jobs: list[Fetched]) -> None:
        """Have an answer seen to, and make the next calls."""
        self.asked -= trip.want
        self.calls -= 1
        self._last_end = time.monotonic()
        self._free_lanes.append(trip.on)
        self.home.settle(trip, came, jobs)
        self.go()
