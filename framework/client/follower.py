"""One reader of a queue's streams in a process, however many listen."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.client.listener import JobListener, Listener, Tap
from framework.errors import FrameworkError
from framework.model.events import QueueEvent
from framework.model.job import JobId
from framework.store.store import Store
from framework.store.stream_reader import Entry, StreamReader, last_id
from framework.wire.event_entry import decode_chunk, decode_event, job_of
from framework.wire.keys import QueueKeys
from framework.wire.stream_id import order_of

log = structlog.get_logger("framework.follower")

MOST_WAITING = 1000

ListenerT = TypeVar("ListenerT", bound=Listener)


class Reading:
    """One time that somebody listens: from the first listener to the last.

    Args:
        store: Where the queue is.
        keys: The queue.
    """

    def __init__(self, store: Store, keys: QueueKeys) -> None:
        self.reader = StreamReader(store, keys["events"])
        self.scope = anyio.CancelScope()
        self.listeners: set[Listener] = set()
        # By the stream, and by the job that they want to hear of; None: of all.
        self.taps: dict[str, dict[bytes | None, list[Tap[Any]]]] = {}
        self.is_over = False
        self._keys = keys

    def position(self, key: str) -> str:
        """Return the id of the last entry of a stream that was offered."""
        return self.reader.after[key]

    def add(self, tap: Tap[Any], job_id: bytes | None) -> None:
        """Offer a stream's entries to one more."""
        self.taps.setdefault(tap.key, {}).setdefault(job_id, []).append(tap)
        tap.join(self.position(tap.key))

    def remove(self, tap: Tap[Any], job_id: bytes | None) -> None:
        """Offer it nothing more."""
        by_job = self.taps[tap.key]
        by_job[job_id].remove(tap)
        if not by_job[job_id]:
            del by_job[job_id]
        if not by_job:
            del self.taps[tap.key]
            if tap.key != self._keys["events"]:
                self.reader.leave(tap.key)

    async def run(self) -> None:
        """Read until the scope is cancelled."""
        try:
            with self.scope:
                while True:
                    for key, entries in await self.reader.read():
                        for entry in entries:
                            self._offer(key, entry)
                    if self.reader.was_cut:
                        self._doubt()
        except FrameworkError as error:
            log.warning("events cannot be read", error=str(error), queue=self._keys.queue)
            for listener in self.listeners:
                listener.fail(error)
        finally:
            self.is_over = True
            with anyio.CancelScope(shield=True):
                await self.reader.aclose()

    def _offer(self, key: str, entry: Entry) -> None:
        by_job = self.taps.get(key, {})
        entry_id, flat = entry
        taps = list(by_job.get(None, ()))
        job_id = job_of(flat)
        if job_id is not None:
            taps += by_job.get(job_id, ())
        if taps:
            is_event = key == self._keys["events"]
            item = decode_event(self._keys.queue, *entry) if is_event else decode_chunk(*entry)
            order = order_of(entry_id.decode())
            for tap in taps:
                tap.offer(item, order)

    def _doubt(self) -> None:
        """Let all look in Redis: what came while it could not be read may be trimmed already."""
        for key, by_job in self.taps.items():
            for taps in by_job.values():
                for tap in taps:
                    tap.doubt(self.position(key))


class Follower:
    """Reads one queue's events once for all who listen in this process.

    Args:
        store: Where the queue is.
        keys: The queue.
        tasks: Owns the reader, which runs while somebody listens.
    """

    def __init__(self, store: Store, keys: QueueKeys, tasks: TaskGroup) -> None:
        self._store = store
        self._keys = keys
        self._tasks = tasks
        self._reading: Reading | None = None
        self._joining = anyio.Lock()

    @asynccontextmanager
    async def listen(
        self, job_id: JobId | None, after: str | None, most: int = MOST_WAITING
    ) -> AsyncIterator[Listener]:
        """Listen until the end of the block.

        Args:
            job_id: Hear only of this job.
            after: The id of the last event known; from now on unless given.
            most: How many events wait here for the listener.

        Raises:
            RedisUnavailableError: Redis is not there now.
        """
        async with self._joined(Listener, job_id, after, most) as (listener, _):
            yield listener

    @asynccontextmanager
    async def listen_to_job(
        self, job_id: JobId, after: str | None, chunks_after: str, most: int = MOST_WAITING
    ) -> AsyncIterator[JobListener]:
        """Listen to a job, and to what it streams, until the end of the block.

        Args:
            job_id: The job.
            after: As of `listen`.
            chunks_after: The id of the last chunk known.
            most: How many events, and how many chunks, wait here for the listener.

        Raises:
            RedisUnavailableError: Redis is not there now.
        """
        key = self._keys.chunks(job_id)
        async with self._joined(JobListener, job_id, after, most) as (listener, reading):
            async with self._joining:
                if key not in reading.reader.after:
                    reading.reader.follow(key, await last_id(self._store, key))
                tap = Tap(self._store, key, chunks_after, decode_chunk, most, listener.wake)
                listener.chunks = tap
                reading.add(tap, None)
            try:
                await reading.reader.hurry()
                yield listener
            finally:
                reading.remove(tap, None)

    @asynccontextmanager
    async def _joined(
        self, kind: type[ListenerT], job_id: JobId | None, after: str | None, most: int
    ) -> AsyncIterator[tuple[ListenerT, Reading]]:
        key, wanted = self._keys["events"], None if job_id is None else job_id.encode()

        def read(entry_id: bytes, flat: Sequence[bytes]) -> QueueEvent | None:
            if wanted is not None and job_of(flat) != wanted:
                return None
            return decode_event(self._keys.queue, entry_id, flat)

        async with self._joining:
            reading = self._reading
            if reading is None or reading.is_over:
                reading = await self._begin()
            begins = reading.position(key) if after is None else after
            listener = kind(reading)
            listener.events = Tap(self._store, key, begins, read, most, listener.wake)
            reading.listeners.add(listener)
            reading.add(listener.events, wanted)
        try:
            if after is not None:
                await listener.events.look_for_gap(reading.position(key))
            yield listener, reading
        finally:
            reading.remove(listener.events, wanted)
            reading.listeners.remove(listener)
            if not reading.listeners:
                self._end(reading)

    async def _begin(self) -> Reading:
        key = self._keys["events"]
        after = await last_id(self._store, key)
        reading = self._reading = Reading(self._store, self._keys)
        reading.reader.follow(key, after)
        self._tasks.start_soon(reading.run)
        return reading

    def _end(self, reading: Reading) -> None:
        reading.scope.cancel()
        if self._reading is reading:
            self._reading = None
