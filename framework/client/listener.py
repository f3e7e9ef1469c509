"""One who listens to a queue: first what was missed, then what comes, in order and each once."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

import anyio

from framework.errors import FrameworkError
from framework.model.events import Chunk, QueueEvent
from framework.model.spans import check_span
from framework.store.store import Store
from framework.store.stream_reader import first_id, last_id, read_page
from framework.wire.stream_id import FIRST, order_of

NEWEST = "+"
# A job that was removed ends too.
ENDINGS = frozenset({"completed", "failed", "removed"})


class Item(Protocol):
    """What an entry of a stream says."""

    @property
    def id(self) -> str:
        """The entry's id."""
        ...


ItemT = TypeVar("ItemT", bound=Item)


class Tap(Generic[ItemT]):
    """What one listener hears of one stream.

    Args:
        store: Where it is.
        key: The stream.
        after: The id of the last entry known.
        read: Makes an item of an entry; None where it is not wanted.
        most: How many items wait in memory; more are read again from Redis.
        news: Called when there is something to take.

    Attributes:
        after: The id of the last item taken.
        has_gap: Entries behind it were trimmed before they were read, or it was lost itself.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        after: str,
        read: Callable[[bytes, Sequence[bytes]], ItemT | None],
        most: int,
        news: Callable[[], None],
    ) -> None:
        self.key = key
        self.after = after
        self.has_gap = False
        self._store = store
        self._read = read
        self._most = most
        self._news = news
        self._waiting: deque[ItemT] = deque()
        self._begins = (0, 0)
        # What was there before it began to listen is read from Redis, up to this id.
        self._until: str | None = None
        self._is_behind = True

    def offer(self, item: ItemT, order: tuple[int, int]) -> None:
        """Take in what has come just now."""
        if self._is_behind or order <= self._begins:
            return
        if len(self._waiting) < self._most:
            self._waiting.append(item)
        else:
            self._fall_behind()
        self._news()

    def doubt(self, position: str) -> None:
        """Read again from Redis what may have been lost.

        Args:
            position: As of `join`.
        """
        if not self._waiting and self._until is None and not self._is_behind:
            self.after = later(position, self.after)
        self._fall_behind()
        self._news()

    def _fall_behind(self) -> None:
        self._waiting.clear()
        self._is_behind = True

    def join(self, position: str) -> None:
        """Take in what comes from now on; what came before is read from Redis.

        Args:
            position: The id of the last entry that was offered to anybody.
        """
        self._is_behind = False
        begins = later(position, self.after)
        self._begins = order_of(begins)
        self._until = None if begins == self.after else begins

    async def take(self, position: str) -> list[ItemT]:
        """Return what there is, which may be nothing.

        Args:
            position: As of `join`.
        """
        if self._is_behind:
            self.join(position)
            await self.look_for_gap(position)
        while self._until is not None:
            page = await read_page(self._store, self.key, self.after, self._until)
            read = [self._read(entry_id, flat) for entry_id, flat in page]
            self.after = page[-1][0].decode() if page else self._until
            if self.after == self._until or self._is_behind:
                self._until = None
            found = [item for item in read if item is not None]
            if found:
                return found
        items = list(self._waiting)
        self._waiting.clear()
        if items:
            self.after = items[-1].id
        elif not self._is_behind:
            self.after = later(position, self.after)
        return items

    async def rest(self) -> list[ItemT]:
        """Return all that the stream holds by now, of which nothing is to be heard again."""
        found: list[ItemT] = []
        while page := await read_page(self._store, self.key, self.after, NEWEST):
            read = [self._read(entry_id, flat) for entry_id, flat in page]
            found += [item for item in read if item is not None]
            self.after = page[-1][0].decode()
        self._waiting.clear()
        self.join(self.after)
        return found

    async def look_for_gap(self, position: str) -> None:
        """Notice that the stream no longer reaches back to what is known, or is another one.

        Args:
            position: As of `join`.
        """
        if self.after == FIRST:
            return
        first = await first_id(self._store, self.key)
        if first is None or order_of(first) > order_of(self.after):
            self.has_gap = True
        if order_of(position) < order_of(self.after):
            newest = await last_id(self._store, self.key)
            if order_of(newest) < order_of(self.after):
                # What is known was lost, as when a replica that had not got it took over.
                self.has_gap = True
                self.after = newest
                self._fall_behind()
                self._news()


def later(one: str, other: str) -> str:
    """Return the greater one of two ids."""
    return max(one, other, key=order_of)


class Source(Protocol):
    """Who offers: the follower of a queue."""

    def position(self, key: str) -> str:
        """Return the id of the last entry of a stream that was offered."""
        ...


class Listener:
    """Hears the events of a queue, in order and each once. Get it from `Queue.listen`.

    What it does not take for long is kept in Redis, not here: a slow one costs nobody memory, and
    misses nothing that the stream still holds.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changed = anyio.Event()
        self._error: FrameworkError | None = None
        self.events: Tap[QueueEvent]

    @property
    def after(self) -> str:
        """The id of the last event taken, or of the newest one when it began to listen."""
        return self.events.after

    @property
    def has_gap(self) -> bool:
        """Whether events were trimmed, or lost, before they could be read.

        What was known itself may be lost too, where Redis lost its newest entries: what comes from
        then on is heard.
        """
        return self.events.has_gap

    def wake(self) -> None:
        """Let `receive` look."""
        self._changed.set()

    def fail(self, error: FrameworkError) -> None:
        """Let `receive` raise once all is taken."""
        self._error = error
        self.wake()

    async def receive(self, timeout: timedelta | None = None) -> list[QueueEvent]:
        """Return the next events, once there are any; none when the time is over.

        Args:
            timeout: How long to wait for them; for ever unless given. 0: only what is there.

        Raises:
            RedisRefusedError: Redis refuses to be read.
        """
        return await self._next(self._take_events, timeout)

    async def _take_events(self) -> list[QueueEvent]:
        return await self.events.take(self._source.position(self.events.key))

    async def _next(
        self, take: Callable[[], Awaitable[list[Any]]], timeout: timedelta | None
    ) -> list[Any]:
        if timeout is not None:
            check_span("timeout", timeout)
        while True:
            self._changed = anyio.Event()
            found = await take()
            if found:
                return found
            if self._error is not None:
                raise self._error
            with anyio.move_on_after(None if timeout is None else timeout.total_seconds()):
                await self._changed.wait()
            if not self._changed.is_set():
                return []


class JobListener(Listener):
    """Hears the events of one job, and what it streams. Get it from `Queue.listen_to_job`."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.chunks: Tap[Chunk[object]]

    async def receive_all(
        self, timeout: timedelta | None = None
    ) -> list[QueueEvent | Chunk[object]]:
        """Return the next events and chunks, once there are any; none when the time is over.

        Chunks come in order among themselves, and all of them before what tells of the job's end.

        Args:
            timeout: As of `receive`.

        Raises:
            RedisRefusedError: Redis refuses to be read.
        """
        return await self._next(self._take_all, timeout)

    async def _take_all(self) -> list[QueueEvent | Chunk[object]]:
        chunks = await self.chunks.take(self._source.position(self.chunks.key))
        if chunks:
            return [*chunks]
        events = await self._take_events()
        if any(event.event in ENDINGS for event in events):
            return [*await self.chunks.rest(), *events]
        return [*events]
