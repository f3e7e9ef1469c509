"""One blocking read for all queues of a process: it waits for markers and wakes pumps.

In a cluster there is one for each slot, since a read cannot wait on two.

A marker is a wake-up that only one worker gets. So it is taken only for queues with room,
and put back when no fetch follows.
"""

from collections.abc import Mapping

import anyio
import structlog

from framework.errors import FrameworkError, KeyTypeError
from framework.store.markers import Marker, MarkerReader
from framework.store.store import Store
from framework.worker.parking import Parking
from framework.worker.pump import Pump

log = structlog.get_logger("framework.worker")

# Look at each idle queue at least so often, should a marker ever be lost (BullMQ's drainDelay).
LONGEST_SECONDS = 5.0
REFUSED_SECONDS = 5.0
# While a marker cannot be waited for.
ODD_SECONDS = 0.5
AGAIN_SECONDS = 0.01


class Waker:
    """Wakes the pumps of one process.

    Args:
        store: Where the queues are.
        near: A key of one of them: in a cluster all must be in its slot.
    """

    def __init__(self, store: Store, near: str) -> None:
        self._store = store
        self.near = near
        self._pumps: dict[str, Pump] = {}
        self._blocked_on: frozenset[str] = frozenset()
        self._parking = Parking()
        self._news = anyio.Event()
        self._until_ms = 0.0
        self._looked: dict[str, float] = {}

    def watch(self, pump: Pump) -> None:
        """Care for a pump from now on."""
        self._pumps[pump.keys["marker"]] = pump

    def forget(self, pump: Pump) -> None:
        """Care for a pump no longer."""
        self._pumps.pop(pump.keys["marker"], None)

    def pump_is_idle(self, pump: Pump) -> None:
        """Note that a pump has just looked, and has nothing to do until it is woken."""
        self._looked[pump.keys["marker"]] = anyio.current_time()
        if pump.keys["marker"] not in self._blocked_on or self._is_due_sooner(pump):
            self._parking.wake()
            self._news.set()

    def _is_due_sooner(self, pump: Pump) -> bool:
        return 0 < pump.line.due_ms < self._until_ms

    async def run(self) -> None:
        """Wake pumps until cancelled."""
        reader = MarkerReader(self._store, self.near, self._has_handed_over)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._interrupt, reader)
                while True:
                    await self._turn(reader)
        finally:
            with anyio.CancelScope(shield=True):
                await reader.aclose()

    async def _interrupt(self, reader: MarkerReader) -> None:
        """Break a wait that no longer covers every idle pump."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            while self._misses_some():
                try:
                    if await reader.interrupt():
                        break
                except FrameworkError as error:
                    self._store.outage.begin(error)
                # The wait is still on its way to Redis, or connects first.
                await anyio.sleep(AGAIN_SECONDS)

    def _misses_some(self) -> bool:
        """Tell whether a wait is under way that some idle pump needs otherwise."""
        return bool(self._blocked_on) and any(
            pump.is_idle and (key not in self._blocked_on or self._is_due_sooner(pump))
            for key, pump in self._pumps.items()
        )

    async def _turn(self, reader: MarkerReader) -> None:
        idle = {key: pump for key, pump in self._pumps.items() if pump.is_idle}
        if not idle:
            await self._parking.wait()
            return
        seconds, due = self._next_due(idle)
        if due:
            for pump in due:
                self._looked[pump.keys["marker"]] = anyio.current_time()
                pump.look()
            await anyio.lowlevel.checkpoint()
            return
        self._blocked_on = frozenset(idle)
        self._until_ms = self._store.clock.now_ms() + seconds * 1000
        try:
            marker = await reader.wait(list(idle), seconds)
        except FrameworkError as error:
            await self._refused(error, idle)
            return
        finally:
            self._blocked_on = frozenset()
        if marker is not None:
            await self._give_up(reader, marker)
        elif reader.was_cut:
            for pump in idle.values():
                pump.look()
            await anyio.lowlevel.checkpoint()

    async def _refused(self, error: FrameworkError, idle: Mapping[str, Pump]) -> None:
        """Wait after a read that failed; if one marker is no marker, the others go without."""
        self._store.outage.begin(error)
        if not isinstance(error, KeyTypeError):
            await anyio.sleep(REFUSED_SECONDS)
            return
        await anyio.sleep(ODD_SECONDS)
        for pump in idle.values():
            pump.look()

    def _next_due(self, idle: Mapping[str, Pump]) -> tuple[float, list[Pump]]:
        """Return how long to block, and the pumps that must look at once."""
        now, now_ms = anyio.current_time(), self._store.clock.now_ms()
        seconds, due = LONGEST_SECONDS, []
        for key, pump in idle.items():
            left = self._looked.get(key, now) + LONGEST_SECONDS - now
            if pump.line.due_ms:
                left = min(left, (pump.line.due_ms - now_ms) / 1000)
            if left <= 0:
                due.append(pump)
            seconds = min(seconds, left)
        return seconds, due

    def _has_handed_over(self, marker: Marker) -> bool:
        """Wake the pump that a marker is for, in the turn in which it came; unless it is full."""
        pump = self._pumps.get(marker.key)
        if pump is None or not pump.has_room:
            return False
        if marker.due_ms > self._store.clock.now_ms() + 1:
            known = pump.line.due_ms
            pump.line.due_ms = min(known, int(marker.due_ms)) if known else int(marker.due_ms)
        else:
            pump.look()
        return True

    async def _give_up(self, reader: MarkerReader, marker: Marker) -> None:
        try:
            await reader.put_back(marker)
        except FrameworkError as error:
            self._store.outage.begin(error)
