"""The blocking read over markers: the wake-ups of idle workers."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from typing_extensions import override

from framework.store.answers import is_passing, is_stale, translate
from framework.store.connection import Command, HeldConnection, pack
from framework.store.patience import Patience
from framework.store.store import Store


@dataclass(frozen=True, slots=True)
class Marker:
    """A wake-up that was taken.

    Attributes:
        key: The marker key of its queue.
        due_ms: 0: there may be a job now; else when the next delayed job is due.
    """

    key: str
    due_ms: float


Told = Callable[[Marker], bool]


def marker_of(reply: Any) -> Marker | None:  # noqa: ANN401 - replies have any shape
    """Return what ``BZPOPMIN`` said."""
    if reply is None:
        return None
    key, member, score = reply
    return Marker(key.decode(), 0 if member == b"0" else float(score))


class Wait(asyncio.Future[Any]):
    """A read under way: what it brings is told in the turn in which it comes.

    Args:
        told: Told of a marker; it returns whether that is seen to.
    """

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    @override
    def set_result(self, replies: list[Any]) -> None:
        (reply,) = replies
        if isinstance(reply, Exception):
            self.set_exception(reply)
        else:
            marker = marker_of(reply)
            super().set_result(None if marker is None or self._told(marker) else marker)


class MarkerReader:
    """Waits for markers on a connection of its own.

    Args:
        store: Where they are.
        near: One of them: in a cluster all must be in its slot.
        told: Told of each marker at once; what it sees to is not returned.

    Attributes:
        was_cut: Whether the last read broke off: a wake-up may be lost with its reply.
    """

    def __init__(self, store: Store, near: str | None = None, told: Told | None = None) -> None:
        self._store = store
        self._told = told or (lambda _: False)
        self._near = near
        self.was_cut = False
        self._held: HeldConnection = store.hold(near)
        self._client_id: int | None = None
        self._patience = Patience(None, store.outage)

    async def wait(self, keys: Sequence[str], seconds: float) -> Marker | None:
        """Take the first marker of any queue; None when there is none to see to in time.

        Args:
            keys: Marker keys.
            seconds: How long to wait; at least a millisecond is.

        Raises:
            RedisRefusedError: Redis refuses the read.
        """
        self.was_cut = False
        try:
            if self._client_id is None:
                self._client_id = await self._held.call(pack("CLIENT", "ID"))
            command = pack("BZPOPMIN", *keys, f"{max(seconds, 0.001):.3f}")
            marker = await self._ask(command, deadline=seconds + 1)
        except (exceptions.RedisError, OSError) as error:
            self._client_id = None
            told = translate(error, self._store.address)
            if not is_passing(error):
                raise told from error
            self.was_cut = True
            self._store.outage.begin(told)
            await self._patience.wait()
            return None
        self._patience = Patience(None, self._store.outage)
        return marker

    async def _ask(self, command: Command, deadline: float) -> Marker | None:
        marker: Marker | None
        asker = Wait(self._told)
        if not self._held.send_now(command, deadline, asker):
            marker = marker_of(await self._held.call(command, deadline))
            return None if marker is None or self._told(marker) else marker
        try:
            marker = await asker
        except BaseException as error:
            # What still comes would be taken for a later answer.
            if not isinstance(error, exceptions.ResponseError) or is_stale(error):
                await self._held.drop()
            raise
        return marker

    async def interrupt(self) -> bool:
        """End the wait that is under way, from another task; return whether Redis knew it yet."""
        if self._client_id is None:
            return False
        return bool(
            await self._store.command("CLIENT", "UNBLOCK", self._client_id, near=self._near)
        )

    async def put_back(self, marker: Marker) -> None:
        """Leave a wake-up to another worker."""
        member = "1" if marker.due_ms else "0"
        # Another may have left a sooner one meanwhile.
        await self._store.command("ZADD", marker.key, "LT", repr(marker.due_ms), member)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._store.release(self._held)
