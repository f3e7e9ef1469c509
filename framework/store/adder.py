"""Lets concurrent adds travel together.

What is asked while a call is in flight goes with the next one, and each caller gets its
own answer or error.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from framework.errors import FormatError, FrameworkError, RedisUnavailableError
from framework.store.lane import Lane
from framework.store.parcels import (
    A,
    Bulk,
    J,
    Parcel,
    answer,
    fail,
    fail_each,
    note_added,
    share_out,
    twin_of,
)
from framework.store.queue_meta import open_queue
from framework.store.store import Store
from framework.store.transitions.add import (
    MOST_BYTES,
    MOST_JOBS,
    AddedJob,
    AddedJobs,
    NewJob,
    add_jobs,
)
from framework.store.transitions.add_linked import LinkedJob, add_linked, touched_by
from framework.wire.keys import QueueKeys

LANES = 2
# Turns of the loop until a flusher has written what was put.
TURNS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """The way of jobs with ties; all others go by their queue alone.

    Attributes:
        keys: The queue that remembers the calls.
    """

    keys: QueueKeys


Road = QueueKeys | Linked


class Adder:
    """Adds jobs for all producers of a process.

    Args:
        store: Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parcels: dict[Road, deque[Parcel[Any, Any]]] = {}
        self._linked: dict[QueueKeys, Linked] = {}
        self._due: deque[Road] = deque()
        self._busy: set[Road] = set()
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
        parcel: Parcel[NewJob, AddedJobs] = Parcel((job,))
        added = await self._put(keys, parcel).answer
        return added[0]

    async def add_linked(self, keys: QueueKeys, jobs: Sequence[LinkedJob]) -> Sequence[AddedJob]:
        """Add jobs with ties, all of them or none; parents before their children.

        Args:
            keys: The first job's queue.
            jobs: Of any queues. At most 10,000.

        Raises:
            ParentNotFoundError: A parent is not there.
            OtherParentError: A job of one of the ids is another parent's child.
            SlotError: A cluster would keep apart what is tied.
            RedisUnavailableError, RedisRefusedError, FormatError: As `add`.
        """
        if self._store.is_cluster:
            self._store.check_together(keys.base, *touched_by(jobs))
        road = self._linked.get(keys)
        if road is None:
            road = self._linked[keys] = Linked(keys)
        parcel: Parcel[LinkedJob, Sequence[AddedJob]] = Parcel(jobs)
        return await self._put(road, parcel).answer

    async def add_linked_bulk(
        self, keys: QueueKeys, parts: Iterable[Sequence[NewJob]]
    ) -> tuple[list[NewJob], list[AddedJob]]:
        """Add many jobs with ties to one queue, each part all or nothing.

        Raises:
            FrameworkError: As `add_linked`, or what making a part raises; with ``added`` as
                `add_bulk`.
        """
        jobs: list[NewJob] = []
        added: list[AddedJob] = []
        try:
            for part in parts:
                linked = [LinkedJob(keys, job, job.options.job_id) for job in part]
                added += await self.add_linked(keys, linked)
                jobs += part
        except FrameworkError as error:
            note_added(error, added)
            raise
        return jobs, added

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
                bulk.sending = self._put(keys, Parcel(part))
                for _ in range(TURNS):  # it goes out now
                    await asyncio.sleep(0)
            await bulk.land()
        except FrameworkError as error:
            with suppress(FrameworkError):
                await bulk.land()
            bulk.note(error)
            raise
        return bulk.jobs, AddedJobs(bulk.jobs, bulk.calls)

    def _put(self, road: Road, parcel: Parcel[J, A]) -> Parcel[J, A]:
        if not self._flushers:
            raise RuntimeError("the application is not running: use it as 'async with'")
        waiting = self._parcels.get(road)
        if waiting is None:
            waiting = self._parcels[road] = deque()
        waiting.append(parcel)
        if len(waiting) == 1 and road not in self._busy:
            self._due.append(road)
            if self._idle:
                self._idle.pop().set_result(None)
        return parcel

    async def _flush(self) -> None:
        lane = self._store.lane()
        while True:
            while not self._due:
                await self._something_due()
            road = self._due.popleft()
            if road in self._busy:
                continue
            self._busy.add(road)
            try:
                await self._deliver(lane, road, self._collect(road))
            finally:
                self._busy.discard(road)
                if self._parcels.get(road):
                    self._due.append(road)

    async def _something_due(self) -> None:
        idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        try:
            await idle
        finally:
            if idle in self._idle:
                self._idle.remove(idle)

    async def _deliver(self, lane: Lane, road: Road, parcels: Sequence[Parcel[Any, Any]]) -> None:
        if not parcels:
            return
        try:
            if isinstance(road, Linked):
                await self._send_linked(lane, road.keys, parcels)
            else:
                await self._send(lane, road, parcels)
        except FrameworkError as error:
            fail_each(parcels, error)
            if isinstance(error, RedisUnavailableError):
                self._fail_overdue(error)
        except Exception as error:  # one caller's odd job must not end all other callers' adds
            fail_each(parcels, error)
        except BaseException:
            for parcel in parcels:
                fail(parcel, RuntimeError("the application stopped while the job was sent"))
            raise

    async def _send(
        self, lane: Lane, keys: QueueKeys, parcels: Sequence[Parcel[NewJob, AddedJobs]]
    ) -> None:
        await self._open(keys)
        jobs = [job for one in parcels for job in one.jobs]
        now_ms = self._store.clock.now_ms()
        seconds = self._store.timeout
        share_out(parcels, await add_jobs(lane, keys, jobs, now_ms, seconds=seconds))

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

    def _collect(self, road: Road) -> list[Parcel[Any, Any]]:
        waiting = self._parcels[road]
        taken: list[Parcel[Any, Any]] = []
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
