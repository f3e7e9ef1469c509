"""Lets concurrent adds travel together.

What is asked while a call is in flight goes with the next one, and each caller gets its
own answer or error.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress

from framework.errors import FrameworkError
from framework.store.dispatcher import Dispatcher
from framework.store.parcels import Bulk, note_added
from framework.store.store import Store
from framework.store.thread_adds import ThreadAdds
from framework.store.transitions.add import AddedJob, AddedJobs, Call, NewJob
from framework.store.transitions.add_linked import LinkedJob, touched_by
from framework.wire.keys import QueueKeys

# Turns of the loop until a part of a bulk has left.
TURNS = 2


class Adder:
    """Adds jobs for all producers of a process.

    Args:
        store: Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dispatcher = Dispatcher(store)
        self._threads = ThreadAdds(self._dispatcher)

    async def run(self) -> None:
        """Send what is asked, until cancelled; then fail what is left."""
        await self._dispatcher.run()

    def for_threads(self) -> AbstractAsyncContextManager[None]:
        """Let threads add; at the end, wait for those that have begun."""
        return self._threads.opened()

    def add_from_thread(self, keys: QueueKeys, job: NewJob) -> AddedJob:
        """Add one job, in a thread that runs no loop, and wait for it. Raises as `add`.

        Raises:
            RuntimeError: The application does not run, or not in this process; or it is the
                thread of its loop.
        """
        return self._threads.add(keys, job).added(job, 0)

    def add(self, keys: QueueKeys, job: NewJob) -> "asyncio.Future[Call]":
        """Add one job; to be awaited at once.

        A caller that is cancelled before its call is sent withdraws its job; after that
        the job may exist.

        Raises:
            RedisUnavailableError: No answer in time; the job may have been added.
            RedisRefusedError: Redis refused.
            FormatError: The queue was written by a newer release.
        """
        return self._dispatcher.put(keys, (job,)).answer

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
        road = self._dispatcher.roads.linked(keys)
        added: Sequence[AddedJob] = await self._dispatcher.put(road, jobs).answer
        return added

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
                bulk.sending = self._dispatcher.put(keys, part)
                for _ in range(TURNS):  # it goes out now
                    await asyncio.sleep(0)
            await bulk.land()
        except FrameworkError as error:
            with suppress(FrameworkError):
                await bulk.land()
            bulk.note(error)
            raise
        return bulk.jobs, AddedJobs(bulk.jobs, bulk.calls)
