"""Takes parcels of jobs to Redis: on each road one call at a time, on a few lanes.

Where nothing is under way a parcel goes at once, in its caller's turn; what comes meanwhile goes
together with the next call, which leaves as soon as an answer is there. Tasks of this module's
own do the rest: the first call to a queue, jobs with ties, and whatever went wrong.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from framework.errors import FormatError, FrameworkError, RedisUnavailableError
from framework.store.connection import REPLY_SECONDS
from framework.store.lane import Lane, Numbered
from framework.store.parcels import Parcel, answer, fail, fail_each, share_out
from framework.store.queue_meta import open_queue
from framework.store.roads import Linked, Road, Roads
from framework.store.sent_call import SentCall
from framework.store.store import Store
from framework.store.transitions.add import AddedJob, add_call, call_of
from framework.store.transitions.add_linked import LinkedJob, add_linked
from framework.wire.keys import QueueKeys

LANES = 2


class Shipment(SentCall):
    """Parcels that travel in one call; it asks for the reply itself.

    Args:
        dispatcher: Told of the reply.
        road: Theirs.
        lane: Its own until it is over.
        parcels: Of at least one caller that waits.

    Attributes:
        call: As it is sent; None: not yet worded.
        now_ms: The time that it tells.
        trouble: Why it must be sent again.
    """

    __slots__ = ("_dispatcher", "call", "lane", "now_ms", "parcels", "road", "sent_at", "trouble")

    def __init__(
        self, dispatcher: "Dispatcher", road: Road, lane: Lane, parcels: list[Parcel[Any, Any]]
    ) -> None:
        self._dispatcher = dispatcher
        self.road = road
        self.lane = lane
        self.parcels = parcels
        self.call: Numbered | None = None
        self.now_ms = 0
        self.sent_at = 0.0
        self.trouble: Exception | None = None

    @override
    def landed(self, reply: Sequence[Any]) -> None:
        self._dispatcher.landed(self, reply)

    @override
    def set_exception(self, error: Exception) -> None:
        self.trouble = error
        self._dispatcher.hand_over(self)

    def fail(self) -> None:
        """Tell the callers that nobody hears the reply."""
        for parcel in self.parcels:
            fail(parcel, RuntimeError("the application stopped while the job was sent"))


class Dispatcher:
    """Sends what all producers of a process put.

    Args:
        store: Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deadline = min(REPLY_SECONDS, store.timeout)
        self.roads = Roads()
        self._due: deque[Road] = deque()
        self._under_way: dict[Road, Shipment] = {}
        self._free: list[Lane] = []
        self._handed: deque[Shipment] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._opened: set[QueueKeys] = set()
        self._is_running = False

    async def run(self) -> None:
        """Send what is put, until cancelled; then fail what is left."""
        self._loop = asyncio.get_running_loop()
        self._free = [self._store.lane() for _ in range(LANES)]
        carriers = [asyncio.create_task(self._carry()) for _ in range(LANES)]
        self._is_running = True
        try:
            await asyncio.gather(*carriers)
        finally:
            self._is_running = False
            for carrier in carriers:
                carrier.cancel()
            # Before anything is awaited: that would only be cancelled once more.
            self._fail_rest()
            await asyncio.gather(*carriers, return_exceptions=True)

    def put(
        self,
        road: Road,
        jobs: Sequence[Any],
        answer: Any = None,  # noqa: ANN401 - a future, or what a thread has in its place
    ) -> Parcel[Any, Any]:
        """Send jobs as a parcel, now or with the next call of its road."""
        if not self._is_running:
            raise RuntimeError("the application is not running: use it as 'async with'")
        parcel: Parcel[Any, Any] = Parcel(jobs, answer or self._loop.create_future())
        if road in self._under_way:
            self.roads.put(road, parcel, self._loop.time())
        elif self._free and not self.roads.waits(road):
            self._ship(road, [parcel])
        elif self.roads.put(road, parcel, self._loop.time()) == 1:
            self._due.append(road)
        return parcel

    def landed(self, shipment: Shipment, reply: object) -> None:
        """Send what waits, then answer: callers go on while Redis works."""
        shipment.lane.heard()
        self._release(shipment)
        try:
            share_out(shipment.parcels, call_of(reply, shipment.now_ms))
        except Exception as error:  # a reply of no known shape
            fail_each(shipment.parcels, error)

    def hand_over(self, shipment: Shipment) -> None:
        """Leave a shipment to a carrier."""
        self._handed.append(shipment)
        if self._idle:
            self._idle.pop().set_result(None)

    def _dispatch(self, last: Shipment | None = None) -> None:
        while self._due and self._free and self._is_running:
            road = self._due.popleft()
            answered = len(last.parcels) if last is not None and last.road is road else 0
            parcels = self.roads.collect(road, answered)
            if parcels:
                self._ship(road, parcels)

    def _ship(self, road: Road, parcels: list[Parcel[Any, Any]]) -> None:
        shipment = Shipment(self, road, self._free.pop(), parcels)
        self._under_way[road] = shipment
        try:
            if isinstance(road, Linked) or not self._has_sent(shipment, road):
                self.hand_over(shipment)
        except Exception as error:  # one caller's odd job must not end all other callers' adds
            fail_each(parcels, error)
            self._release(shipment)

    def _has_sent(self, shipment: Shipment, keys: QueueKeys) -> bool:
        if keys not in self._opened:
            return False
        call = self._worded(shipment, keys)
        is_sent = shipment.lane.send_now(call, self._deadline, shipment)
        shipment.sent_at = self._loop.time()  # after it: Redis is at work by now
        return is_sent

    def _worded(self, shipment: Shipment, keys: QueueKeys) -> Numbered:
        parcels = shipment.parcels
        jobs = (
            parcels[0].jobs if len(parcels) == 1 else [job for one in parcels for job in one.jobs]
        )
        shipment.now_ms = self._store.clock.now_ms()
        shipment.call = add_call(shipment.lane, keys, jobs, shipment.now_ms)
        return shipment.call

    def _release(self, shipment: Shipment) -> None:
        road = shipment.road
        self._free.append(shipment.lane)
        del self._under_way[road]
        if self.roads.waits(road):
            self._due.append(road)
        if self._due:
            self._dispatch(shipment)

    async def _carry(self) -> None:
        while True:
            while not self._handed:
                await self._something_handed()
            shipment = self._handed.popleft()
            try:
                await self._deliver(shipment)
            finally:
                self._release(shipment)

    async def _something_handed(self) -> None:
        idle: asyncio.Future[None] = self._loop.create_future()
        self._idle.append(idle)
        try:
            await idle
        finally:
            if idle in self._idle:
                self._idle.remove(idle)

    async def _deliver(self, shipment: Shipment) -> None:
        parcels, road = shipment.parcels, shipment.road
        try:
            if isinstance(road, Linked):
                await self._send_linked(shipment.lane, road.keys, parcels)
            else:
                await self._send(shipment, road)
        except FrameworkError as error:
            fail_each(parcels, error)
            if isinstance(error, RedisUnavailableError):
                latest = self._loop.time() - self._store.timeout
                self.roads.fail_overdue(error, latest)
        except Exception as error:  # one caller's odd job must not end all other callers' adds
            fail_each(parcels, error)
        except BaseException:
            shipment.fail()
            raise

    async def _send(self, shipment: Shipment, keys: QueueKeys) -> None:
        seconds = self._store.timeout
        await self._open(keys)
        call = shipment.call or self._worded(shipment, keys)
        if shipment.trouble is not None:
            seconds -= self._loop.time() - shipment.sent_at
        reply = await shipment.lane.insist(call, seconds=seconds, trouble=shipment.trouble)
        share_out(shipment.parcels, call_of(reply, shipment.now_ms))

    async def _send_linked(
        self,
        lane: Lane,
        keys: QueueKeys,
        parcels: Sequence[Parcel[LinkedJob, Sequence[AddedJob]]],
    ) -> None:
        ready = [parcel for parcel in parcels if await self._can_open(parcel)]
        jobs = [parcel.jobs for parcel in ready]
        now_ms = self._store.clock.now_ms()
        said = await add_linked(lane, keys, jobs, now_ms, seconds=self._store.timeout)
        for parcel, one_said in zip(ready, said, strict=True):
            answer(parcel, one_said)

    async def _can_open(self, parcel: Parcel[LinkedJob, Sequence[AddedJob]]) -> bool:
        """Open the queues of a parcel; a queue that is too new fails this caller alone."""
        try:
            for keys in dict.fromkeys(job.keys for job in parcel.jobs):
                await self._open(keys)
        except FormatError as error:
            fail(parcel, error)
        return not parcel.answer.done()

    async def _open(self, keys: QueueKeys) -> None:
        if keys not in self._opened:
            await open_queue(self._store, keys)
            self._opened.add(keys)

    def _fail_rest(self) -> None:
        for shipment in self._under_way.values():
            shipment.fail()
        self.roads.fail_rest()
        self._due.clear()
