"""Lets concurrent adds travel together.

What is asked while a call is in flight goes with the next one, and each caller gets its
own answer or error.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from framework.errors import FrameworkError
from framework.store.lane import Lane
from framework.store.queue_meta import open_queue
from framework.store.store import Store
from framework.store.transitions.add import MOST_BYTES, MOST_JOBS, AddedJob, NewJob, add_jobs
from framework.wire.keys import QueueKeys

LANES = 2


class Parcel:
    """Jobs of one caller that go in one call, and where its answer will be."""

    __slots__ = ("answer", "jobs", "size")

    def __init__(self, jobs: Sequence[NewJob], size: int) -> None:
        self.jobs = jobs
        self.size = size
        self.answer: asyncio.Future[list[AddedJob]] = asyncio.get_running_loop().create_future()


class Adder:
    """Adds jobs for all producers of a process.

    Args:
        store: Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parcels: dict[QueueKeys, deque[Parcel]] = {}
        self._due: deque[QueueKeys] = deque()
        self._busy: set[QueueKeys] = set()
        self._idle: list[asyncio.Future[None]] = []
        self._flushers = 0
        self._opened: set[QueueKeys] = set()

    async def run(self) -> None:
        """Send what is asked, until cancelled; then send what is left."""
        flushers = [asyncio.create_task(self._flush()) for _ in range(LANES)]
        self._flushers = LANES
        try:
            await asyncio.gather(*flushers)
        finally:
            self._flushers = 0
            for flusher in flushers:
                flusher.cancel()
            await asyncio.gather(*flushers, return_exceptions=True)
            self._fail_rest()

    async def add(self, keys: QueueKeys, job: NewJob) -> AddedJob:
        """Add one job.

        A caller that is cancelled before its call is sent withdraws its job; after that
        the job may exist.

        Raises:
            RedisUnavailableError: No answer in time; the job may have been added.
            RedisRefusedError: Redis refused.
            FormatError: The queue was written by a newer release.
        """
        added = await self._send(keys, (job,), job.size)
        return added[0]

    async def add_bulk(self, keys: QueueKeys, jobs: Sequence[NewJob]) -> list[AddedJob]:
        """Add many jobs, in calls of at most 1,000 jobs or 1 MiB, each all or nothing.

        Raises:
            RedisUnavailableError, RedisRefusedError: As `add`; its ``added`` attribute
                holds what earlier calls have added.
        """
        added: list[AddedJob] = []
        for part, size in parts_of(jobs):
            try:
                added += await self._send(keys, part, size)
            except FrameworkError as error:
                error.add_note(f"{len(added)} of {len(jobs)} jobs had been added before")
                error.added = tuple(job.id for job in added)  # type: ignore[attr-defined]  # for who wants to go on
                raise
        return added

    async def _send(self, keys: QueueKeys, jobs: Sequence[NewJob], size: int) -> list[AddedJob]:
        if not self._flushers:
            raise RuntimeError("the application is not running: use it as 'async with'")
        parcel = Parcel(jobs, size)
        waiting = self._parcels.get(keys)
        if waiting is None:
            waiting = self._parcels[keys] = deque()
        waiting.append(parcel)
        if len(waiting) == 1 and keys not in self._busy:
            self._due.append(keys)
            if self._idle:
                self._idle.pop().set_result(None)
        return await parcel.answer

    async def _flush(self) -> None:
        lane = self._store.lane()
        while True:
            while not self._due:
                await self._something_due()
            keys = self._due.popleft()
            if keys in self._busy:
                continue
            self._busy.add(keys)
            try:
                await self._deliver(lane, keys, self._collect(keys))
            finally:
                self._busy.discard(keys)
                if self._parcels.get(keys):
                    self._due.append(keys)

    async def _something_due(self) -> None:
        idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        try:
            await idle
        finally:
            if idle in self._idle:
                self._idle.remove(idle)

    async def _deliver(self, lane: Lane, keys: QueueKeys, parcels: Sequence[Parcel]) -> None:
        if not parcels:
            return
        try:
            added = await self._add(lane, keys, [job for one in parcels for job in one.jobs])
        except FrameworkError as error:
            for parcel in parcels:
                fail(parcel, error)
        except BaseException:
            for parcel in parcels:
                fail(parcel, RuntimeError("the application stopped while the job was sent"))
            raise
        else:
            share_out(parcels, added)

    async def _add(self, lane: Lane, keys: QueueKeys, jobs: Sequence[NewJob]) -> list[AddedJob]:
        if keys not in self._opened:
            await open_queue(self._store, keys)
            self._opened.add(keys)
        now_ms = self._store.clock.now_ms()
        return await add_jobs(lane, keys, jobs, now_ms, seconds=self._store.timeout)

    def _collect(self, keys: QueueKeys) -> list[Parcel]:
        waiting = self._parcels[keys]
        taken: list[Parcel] = []
        count = size = 0
        while waiting:
            parcel = waiting[0]
            if parcel.answer.done():  # its caller was cancelled
                waiting.popleft()
                continue
            count += len(parcel.jobs)
            size += parcel.size
            if taken and (count > MOST_JOBS or size > MOST_BYTES):
                break
            taken.append(waiting.popleft())
        return taken

    def _fail_rest(self) -> None:
        for waiting in self._parcels.values():
            for parcel in waiting:
                fail(parcel, RuntimeError("the application stopped before the job was sent"))
        self._parcels.clear()


def parts_of(jobs: Sequence[NewJob]) -> list[tuple[Sequence[NewJob], int]]:
    """Cut jobs into calls of at most 1,000 jobs or 1 MiB, each with its size."""
    parts: list[tuple[Sequence[NewJob], int]] = []
    first = size = 0
    for place, job in enumerate(jobs):
        job_size = job.size
        if place > first and (size + job_size > MOST_BYTES or place - first == MOST_JOBS):
            parts.append((jobs[first:place], size))
            first, size = place, 0
        size += job_size
    if jobs:
        parts.append((jobs[first:], size))
    return parts


def share_out(parcels: Sequence[Parcel], added: list[AddedJob]) -> None:
    """Give each caller its share."""
    first = 0
    for parcel in parcels:
        share = added[first : first + len(parcel.jobs)]
        first += len(parcel.jobs)
        if not parcel.answer.done():
            parcel.answer.set_result(share)


def fail(parcel: Parcel, error: Exception) -> None:
    """Give a caller its error."""
    if not parcel.answer.done():
        parcel.answer.set_exception(error)
