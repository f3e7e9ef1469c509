"""Which way parcels of jobs go to Redis, and how many of them in one call."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from framework.errors import FrameworkError
from framework.store.parcels import Parcel, fail, twin_of
from framework.store.transitions.add import MOST_BYTES, MOST_JOBS
from framework.wire.keys import QueueKeys


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """The way of jobs with ties; all others go by their queue alone.

    Attributes:
        keys: The queue that remembers the calls.
    """

    keys: QueueKeys


Road = QueueKeys | Linked


class Roads:
    """The parcels that wait, on each road in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: dict[Road, deque[Parcel[Any, Any]]] = {}
        self._linked: dict[QueueKeys, Linked] = {}

    def linked(self, keys: QueueKeys) -> Linked:
        """Return the road of jobs with ties whose calls a queue remembers."""
        road = self._linked.get(keys)
        if road is None:
            road = self._linked[keys] = Linked(keys)
        return road

    def put(self, road: Road, parcel: Parcel[Any, Any], now: float) -> int:
        """Let a parcel wait from ``now`` on; return how many do on its road."""
        parcel.put_at = now
        waiting = self._waiting.get(road)
        if waiting is None:
            waiting = self._waiting[road] = deque()
        waiting.append(parcel)
        return len(waiting)

    def waits(self, road: Road) -> bool:
        """Tell whether a parcel waits."""
        return bool(self._waiting.get(road))

    def collect(self, road: Road, answered: int) -> list[Parcel[Any, Any]]:
        """Take the parcels of one call, without those whose callers were cancelled.

        Args:
            answered: How many parcels the last call had. Their callers may come again at once:
                they are to be as many as those of this call, so that they are busy while Redis is.
        """
        waiting = self._waiting[road]
        most = max(1, (len(waiting) + answered + 1) // 2) if answered else len(waiting)
        taken: list[Parcel[Any, Any]] = []
        count = size = 0
        while waiting and len(taken) < most:
            parcel = waiting[0]
            if not parcel.answer.done():
                count += len(parcel.jobs)
                size += parcel.size
                if taken and (count > MOST_JOBS or size > MOST_BYTES):
                    break
                taken.append(parcel)
            waiting.popleft()
        return taken

    def fail_overdue(self, error: FrameworkError, latest: float) -> None:
        """Fail who came before ``latest``: calls that fail must not queue up."""
        for waiting in self._waiting.values():
            while waiting and waiting[0].put_at <= latest:
                fail(waiting.popleft(), twin_of(error))

    def fail_rest(self) -> None:
        """Fail all who wait: nothing goes any more."""
        for waiting in self._waiting.values():
            for parcel in waiting:
                fail(parcel, RuntimeError("the application stopped before the job was sent"))
        self._waiting.clear()
