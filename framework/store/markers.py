"""The blocking read over markers: the wake-ups of idle workers."""

from collections.abc import Sequence
from dataclasses import dataclass

from redis import exceptions

from framework.store.answers import is_passing, translate
from framework.store.connection import HeldConnection, pack
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


class MarkerReader:
    """Waits for markers on a connection of its own.

    Args:
        store: Where they are.
        near: One of them: in a cluster all must be in its slot.

    Attributes:
        was_cut: Whether the last read broke off: a wake-up may be lost with its reply.
    """

    def __init__(self, store: Store, near: str | None = None) -> None:
        self._store = store
        self._near = near
        self.was_cut = False
        self._held: HeldConnection = store.hold(near)
        self._client_id: int | None = None
        self._patience = Patience(None, store.outage)

    async def wait(self, keys: Sequence[str], seconds: float) -> Marker | None:
        """Take the first marker of any queue; None when there was none in time.

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
            reply = await self._held.call(command, deadline=seconds + 1)
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
        if reply is None:
            return None
        key, member, score = reply
        return Marker(key.decode(), 0 if member == b"0" else float(score))

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
