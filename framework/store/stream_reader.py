"""The blocking read over streams of one queue, on one connection however many they are."""

from collections.abc import Sequence

import anyio
from redis import exceptions

from framework.store.answers import is_passing, translate
from framework.store.connection import HeldConnection, pack
from framework.store.patience import Patience
from framework.store.store import Store
from framework.wire.stream_id import FIRST

MOST_ENTRIES = 500
# How long one read waits.
BLOCK_MS = 5000
# A read that was sent, and that Redis has not seen yet, cannot be ended.
AGAIN_SECONDS = 0.005

# Its id, and field, value, field, value …
Entry = tuple[bytes, Sequence[bytes]]


async def last_id(store: Store, key: str) -> str:
    """Return the id of a stream's newest entry, ``0-0`` where there is none."""
    newest = await store.command("XREVRANGE", key, "+", "-", "COUNT", 1)
    return newest[0][0].decode() if newest else FIRST


async def first_id(store: Store, key: str) -> str | None:
    """Return the id of a stream's oldest entry; None where there is none."""
    oldest = await store.command("XRANGE", key, "-", "+", "COUNT", 1)
    return oldest[0][0].decode() if oldest else None


async def read_page(store: Store, key: str, after: str, until: str) -> list[Entry]:
    """Return the entries behind one id, up to and with another; 500 at most."""
    page = await store.command("XRANGE", key, f"({after}", until, "COUNT", MOST_ENTRIES)
    return [
        (entry_id, [part for pair in fields.items() for part in pair]) for entry_id, fields in page
    ]


class StreamReader:
    """Waits for entries of streams on a connection of its own.

    Args:
        store: Where they are.
        near: The key of one: in a cluster all must be in its slot.

    Attributes:
        after: Which streams to read, and the last known id of each.
        was_cut: Whether the last read broke off: what it would have read may be gone when it can
            be read again.
    """

    def __init__(self, store: Store, near: str) -> None:
        self._store = store
        self._near = near
        self._held: HeldConnection = store.hold(near)
        self._client_id: int | None = None
        self._patience = Patience(None, store.outage)
        self.after: dict[str, str] = {}
        self.was_cut = False
        self._is_outdated = False

    def follow(self, key: str, after: str) -> None:
        """Read another stream too, from its entry behind ``after`` on."""
        self.after[key] = after
        self._is_outdated = True

    def leave(self, key: str) -> None:
        """Read a stream no more."""
        del self.after[key]

    async def read(self) -> list[tuple[str, list[Entry]]]:
        """Return what has come to each stream; nothing if none has for a while.

        Raises:
            RedisRefusedError: Redis refuses to be read.
        """
        self.was_cut = False
        try:
            if self._client_id is None:
                self._client_id = await self._held.call(pack("CLIENT", "ID"))
            read = ("XREAD", "COUNT", MOST_ENTRIES, "BLOCK", BLOCK_MS, "STREAMS")
            self._is_outdated = False
            command = pack(*read, *self.after.keys(), *self.after.values())
            reply = await self._held.call(command, deadline=BLOCK_MS / 1000 + 1)
        except (exceptions.RedisError, OSError) as error:
            self._client_id = None
            self.was_cut = True
            told = translate(error, self._store.address)
            if not is_passing(error):
                raise told from error
            self._store.outage.begin(told)
            await self._patience.wait()
            return []
        self._patience = Patience(None, self._store.outage)
        return [self._taken(*one) for one in reply or ()]

    def _taken(self, key: bytes, entries: list[Entry]) -> tuple[str, list[Entry]]:
        """Note how far a stream was read."""
        name = key.decode()
        if name in self.after and entries:
            self.after[name] = entries[-1][0].decode()
        return name, entries

    async def hurry(self) -> None:
        """End the read that is under way, from another task, unless it reads all it should."""
        while self._is_outdated and self._client_id is not None:
            command = ("CLIENT", "UNBLOCK", self._client_id)
            if not await self._store.command(*command, near=self._near):
                await anyio.sleep(AGAIN_SECONDS)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._store.release(self._held)
