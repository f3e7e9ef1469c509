"""A queue: adding jobs, and all that can be asked of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from framework import JobOptions, OptionsError
from framework_bullmq.background import Tenant
from framework_bullmq.job import Job
from framework_bullmq.job_options import engine_options, merged
from framework_bullmq.queue_base import NOTHING, OPTIONS, REFUSED, QueueBase, read_place
from framework_bullmq.queue_getters import QueueGetters
from framework_bullmq.queue_limits import QueueLimits
from framework_bullmq.queue_schedulers import QueueSchedulers
from framework_bullmq.queue_upkeep import QueueUpkeep
from framework_bullmq.spelling import read_options
from framework_bullmq.translated import in_bullmq_words

ITEM = frozenset({"name", "data", "opts"})


class Queue(QueueGetters, QueueUpkeep, QueueLimits, QueueSchedulers):
    """A queue by its name. It connects when it is first used.

    Args:
        name: The queue's name.
        opts: ``connection``: a URL, a dictionary or a client of redis-py; localhost unless given.
            ``prefix``: what keys begin with; ``bull`` unless given.
            ``defaultJobOptions``: what all jobs are added with that do not say otherwise.

    Raises:
        OptionsError: An option that there is not, or that is refused.
    """

    def __init__(self, name: str, opts: Mapping[str, Any] = NOTHING) -> None:
        options = read_options("Queue", opts, OPTIONS, REFUSED)
        super().__init__(name, options, Tenant(read_place(options)))

    @classmethod
    def of_tenant(cls, name: str, tenant: Tenant, options: Mapping[str, Any] = NOTHING) -> Self:
        """Return a queue in an application that is another object's."""
        queue = cls.__new__(cls)
        QueueBase.__init__(queue, name, options, tenant)
        return queue

    async def add(self, name: str, data: Any = None, opts: Mapping[str, Any] = NOTHING) -> Job:  # noqa: ANN401 - whatever JSON can hold
        """Add a job; return it.

        Args:
            name: What kind of job it is.
            data: Its payload: anything JSON can hold.
            opts: BullMQ's options of a job, in either spelling.

        Raises:
            OptionsError: An option that there is not, that is refused, or that is out of range.
            PayloadError: JSON cannot hold the data.
            MovedError: Its parent is not there.
            RedisUnavailableError: No answer in time; it may have been added.
        """
        engine = await self.engine()
        with in_bullmq_words("addJob"):
            record = await engine.add(name, data, **self._options(opts))
        return Job.of_record(self, record)

    async def addBulk(self, jobs: Sequence[Mapping[str, Any]]) -> list[Job]:
        """Add many jobs, each ``{"name": ..., "data": ..., "opts": ...}``; return them in order.

        Names and options of all are checked before the first is sent; errors as `add`.
        """
        items = [self._item(item) for item in jobs]
        engine = await self.engine()
        with in_bullmq_words("addJob"):
            records = await engine.add_bulk(items)
        return [Job.of_record(self, record) for record in records]

    def _item(self, item: object) -> tuple[str, object, JobOptions]:
        said = read_options("a job of addBulk", item, ITEM)
        if "name" not in said:
            raise OptionsError("name", "each job of addBulk has one")
        return said["name"], said.get("data"), self._options(said.get("opts", NOTHING))

    def _options(self, given: object) -> JobOptions:
        if self.jobsOpts:
            given = merged(self.jobsOpts, given)
        return engine_options(given, self.prefix)

    add_bulk = addBulk
