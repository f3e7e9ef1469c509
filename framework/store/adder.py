"""Lets concurrent adds travel together.

What is asked while a call is in flight goes with the next one, and each caller gets its
own answer or error.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress

from framework.errors import FrameworkError, RedisUnavailableError
from framework.store.lane import Lane
from framework.store.queue_meta import open_queue
from framework.store.store import Store
from framework.store.transitions.add import (
    MOST_BYTES,
    MOST_JOBS,
    AddedJob,
    AddedJobs,
    Call,
    NewJob,
    add_jobs,
)
from framework.wire.keys import QueueKeys

LANES = 2
# Turns of the loop until a flusher has written what was put.
TURNS = 2


class Parcel:
    """Jobs of one caller that go in one call, and where its answer will be."""

    __slots__ = ("answer", "jobs", "put_at", "size")

    def __init__(self, jobs: Sequence[NewJob]) -> None:
        self.jobs = jobs
        self.size = sum(job.size for job in jobs)
        loop = asyncio.get_running_loop()
        self.put_at = loop.time()
        self.answer: asyncio.Future[AddedJobs] = loop.create_future()


class Bulk:
    """The parts of one bulk: what has landed, and what is under way.

    Attributes:
        jobs: What was added.
        calls: By which calls.
        sending: The part under way.
    """

    def __init__(self) -> None:
        self.jobs: list[NewJob] = []
        self.calls: list[Call] = []
        self.sending: Parcel | None = None

    async def land(self) -> None:
        """Wait for the part under way, if any."""
        if self.sending is None:
            return
        parcel, self.sending = self.sending, None
        call = (await parcel.answer).call
        start = len(self.jobs)
        there = frozenset(start + place for place in call.there)
        self.calls.append(call._replace(start=start, there=there))
        self.jobs += parcel.jobs

    def note(self, error: FrameworkError) -> None:
        """Tell an error which jobs had been added before it."""
        error.added = tuple(job.id for job in AddedJobs(self.jobs, self.calls))  # type: ignore[attr-defined]  # for who wants to go on
        if self.jobs:
            error.add_note(f"{len(self.jobs)} jobs had been added before")


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
        """Send what is asked, until cancelled; then fail what is left."""
        flushers = [asyncio.create_task(self._flush()) for _ in range(LANES)]
        self._flushers = LANES
        try:
            await asyncio.gather(*flushers)
        finally:
            self._flushers = 0
            for flusher in flushers:
                flusher.cancel()
            # Before anything is awaited: that would only be cancelled once more.
            self._fail_rest()
            await asyncio.gather(*flushers, return_exceptions=True)

    async def add(self, keys: QueueKeys, job: NewJob) -> AddedJob:
        """Add one job.

        A caller that is cancelled before its call is sent withdraws its job; after that
        the job may exist.

        Raises:
            RedisUnavailableError: No answer in time; the job may have been added.
            RedisRefusedError: Redis refused.
            FormatError: The queue was written by a newer release.
        """
        added = await self._put(keys, (job,)).answer
        return added[0]

    async def add_bulk(
        self, keys: QueueKeys, parts: Iterable[Sequence[NewJob]]
    ) -> tuple[list[NewJob], AddedJobs]:
        """Add many jobs, each part in one call, all or nothing.

        The next part is made while one is under way; so only its call can still fail.

        Args:
            parts: Each of at most 1,000 jobs or 1 MiB, in order.

        Raises:
            RedisUnavailableError, RedisRefusedError: As `add`.
            FrameworkError: What making a part raises. Whatever is raised has an attribute
                ``added``: the ids of what was added before.
        """
        bulk = Bulk()
        try:
            for part in parts:
                await bulk.land()
                bulk.sending = self._put(keys, part)
                for _ in range(TURNS):  # it goes out now
                    await asyncio.sleep(0)
            await bulk.land()
        except FrameworkError as error:
            with suppress(FrameworkError):
                await bulk.land()
            bulk.note(error)
            raise
        return bulk.jobs, AddedJobs(bulk.jobs, bulk.calls)

    def _put(self, keys: QueueKeys, jobs: Sequence[NewJob]) -> Parcel:
        if not self._flushers:
            raise RuntimeError("the application is not running: use it as 'async with'")
        parcel = Parcel(jobs)
        waiting = self._parcels.get(keys)
        if waiting is None:
            waiting = self._parcels[keys] = deque()
        waiting.append(parcel)
        if len(waiting) == 1 and keys not in self._busy:
            self._due.append(keys)
            if self._idle:
                self._idle.pop().set_result(None)
        return parcel

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
                fail(parcel, twin_of(error))
            if isinstance(error, RedisUnavailableError):
                self._fail_overdue(error)
        except BaseException:
            for parcel in parcels:
                fail(parcel, RuntimeError("the application stopped while the job was sent"))
            raise
        else:
            share_out(parcels, added)

    async def _add(self, lane: Lane, keys: QueueKeys, jobs: Sequence[NewJob]) -> AddedJobs:
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

    def _fail_overdue(self, error: RedisUnavailableError) -> None:
        """Fail who waited as long as a call may take: calls that fail must not queue up."""
        latest = asyncio.get_running_loop().time() - self._store.timeout
        for waiting in self._parcels.values():
            while waiting and waiting[0].put_at <= latest:
                fail(waiting.popleft(), twin_of(error))

    def _fail_rest(self) -> None:
        for waiting in self._parcels.values():
            for parcel in waiting:
                fail(parcel, RuntimeError("the application stopped before the job was sent"))
        self._parcels.clear()
        self._due.clear()


def share_out(parcels: Sequence[Parcel], added: AddedJobs) -> None:
    """Give each caller its share."""
    first = 0
    for parcel in parcels:
        after = first + len(parcel.jobs)
        if not parcel.answer.done():
            parcel.answer.set_result(added.part(first, after))
        first = after


def twin_of(error: FrameworkError) -> FrameworkError:
    """Return a copy of an error: each caller notes on its own what it had added before."""
    twin = type(error).__new__(type(error), *error.args)
    vars(twin).update(vars(error))
    twin.__cause__ = error.__cause__
    return twin


def fail(parcel: Parcel, error: Exception) -> None:
    """Give a caller its error."""
    if not parcel.answer.done():
        parcel.answer.set_exception(error)
