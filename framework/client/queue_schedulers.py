"""The schedules of a queue: make, change, list and remove them."""

from datetime import datetime

from typing_extensions import Unpack

from framework.client.line import check_name
from framework.client.queue_base import ANY, QueueBase, check_whole
from framework.model.options import JobOptions
from framework.model.schedule import Cron, Every, JobScheduler, Overlap
from framework.store.transitions import schedulers
from framework.wire.scheduler_plan import make_plan


class QueueSchedulers(QueueBase):
    """What adds jobs to a queue at set times."""

    async def upsert_job_scheduler(
        self,
        scheduler_id: str,
        when: Every | Cron,
        name: str | None = None,
        data: object = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        immediately: bool = False,
        overlap: Overlap = "allow",
        **options: Unpack[JobOptions],
    ) -> str:
        """Make a schedule, or change the one of this id; return the id of its next run.

        There is one run in line at any time; when it begins, the next one is put in line.
        Changing a schedule replaces the run in line; one that runs now goes on.

        Wire: sorted set ``repeat``, hash ``repeat:<id>``; the run is a job of the id
        ``repeat:<id>:<ms>``; events ``added`` and ``delayed`` or ``waiting``.

        Args:
            scheduler_id: Unique within the queue.
            when: `Every` or `Cron`.
            name: The name of its jobs; the schedule's id unless given.
            data: The payload of its jobs: anything JSON can hold.
            start: No run before then. Aware.
            end: No run after then. Aware.
            limit: So many runs in all; counted anew when the schedule is changed.
            immediately: Run at once, then by the expression. With `Cron` only.
            overlap: ``skip`` leaves a run out, completed without a result, while the one before
                has not finished. Honoured by this framework's workers.
            options: What its jobs are added with; ``delay``, ``job_id`` and ``timestamp`` cannot
                be, since each run has its own.

        Raises:
            ScheduleError: A time, zone, id or limit that cannot be.
            OptionsError: An option is out of its range.
            PayloadError: JSON cannot hold the data.
            RunExistsError: The run that would be next runs now, or has run.
        """
        name = scheduler_id if name is None else check_name(name)
        text = ANY.encode({} if data is None else data)
        plan = make_plan(
            scheduler_id,
            when,
            name,
            text,
            options,
            start=start,
            end=end,
            limit=limit,
            immediately=immediately,
            overlap=overlap,
        )
        run = await schedulers.upsert_scheduler(self._store, self._keys, plan)
        return run.id

    async def job_scheduler(self, scheduler_id: str) -> JobScheduler | None:
        """Return a schedule as it stands, or None.

        Wire: reads the set ``repeat`` and the hash ``repeat:<id>``.
        """
        return await schedulers.read_one(self._store, self._keys, scheduler_id)

    async def job_schedulers(
        self, start: int = 0, stop: int = 49, *, latest_first: bool = False
    ) -> list[JobScheduler]:
        """Return a page of the schedules, the one that is due next first.

        Wire: reads the set ``repeat`` and the hashes ``repeat:<id>``.

        Args:
            start: Place of the first, from 0.
            stop: Place of the last, included; -1: to the end.
            latest_first: The other way round.
        """
        check_whole(start=start, stop=stop)
        return await schedulers.read_many(
            self._store, self._keys, start, stop, latest_first=latest_first
        )

    async def job_schedulers_count(self) -> int:
        """Return how many schedules there are.

        Wire: reads the set ``repeat``.
        """
        return await schedulers.count_schedulers(self._store, self._keys)

    async def remove_job_scheduler(self, scheduler_id: str) -> bool:
        """Remove a schedule and its next run; return whether there was one.

        A run that waits already, or runs, stays.

        Wire: the entry in ``repeat``, its hash, the delayed run; event ``removed``.
        """
        return await schedulers.remove_scheduler(self._store, self._keys, scheduler_id)
