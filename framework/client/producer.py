"""The typed way to put jobs into one queue and to wait for what they return."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from typing_extensions import TypeVar as DefaultTypeVar
from typing_extensions import Unpack

from framework.client.bulk import check_all, parts_of, worded
from framework.client.line import FreshJob, FreshJobs, Line, id_of, merged, new_job
from framework.errors import OptionsError
from framework.model.job import Job
from framework.model.options import JobOptions
from framework.wire.options import AddOptions
from framework.wire.payload import Codec, codec_of

T = TypeVar("T")
R = DefaultTypeVar("R", default=object)

HALF_A_MINUTE = timedelta(seconds=30)


class Producer(Generic[T, R]):
    """Puts jobs of one payload type into the queue that is declared for it.

    Ask for it by its type, ``Producer[Reminder]``; name ``R`` where a result is awaited.

    Attributes:
        queue: The queue's name.
        name: The name that its jobs get.
    """

    def __init__(
        self,
        line: Line,
        name: str,
        payload: object,
        result: object = object,
        defaults: JobOptions | None = None,
    ) -> None:
        self._line = line
        self._defaults = defaults or JobOptions()
        self._plain = merged(self._defaults, {})
        self._data: Codec[T] = codec_of(payload)
        self._codecs: tuple[Codec[T], Codec[R]] = (self._data, codec_of(result))
        self.queue = line.keys.queue
        self.name = name

    async def add(self, data: T, **options: Unpack[JobOptions]) -> Job[T, R]:
        """Put one job in line.

        A lone add is sent at once, those that come while it is under way go together in the
        next call. A caller that is cancelled before its job was sent withdraws it; after that
        the job may exist.

        Wire: -> waiting, prioritized or delayed; events ``added`` and ``waiting`` or
        ``delayed``; with a ``job_id`` that is there already only ``duplicated``; with a
        ``deduplication`` that another job holds only ``deduplicated``. With ``parent`` the
        job stands among the parent's ``:dependencies``.

        Args:
            data: The payload.
            options: See `JobOptions`; they go before the processor's ``defaults``.

        Returns:
            The job; where another job stands in for it, the id of that one with this data.

        Raises:
            PayloadError: The data does not fit its type, or JSON cannot hold it.
            OptionsError: An option is out of its range.
            ParentNotFoundError, OtherParentError: The ``parent`` is gone, or the job is there
                as another's child.
            RedisUnavailableError: No answer in time; the job may have been added.
            RedisRefusedError: Redis refused, for want of memory for instance.
        """
        wanted = self._merged(options) if options else self._plain
        new = new_job(self.name, self._data, data, wanted)
        line = self._line
        if wanted.link is None:  # what `Line.add` does, without a coroutine of its own
            added = (await line.adder.add(line.keys, new)).added(new, 0)
        else:
            added = await line.add(new)
        return FreshJob(line.keys, new, added, data, self._codecs)

    def _add_from_thread(self, data: T, options: JobOptions) -> Job[T, R] | None:
        """Add one job as `add` does, from a thread; None: it has ties, and `add` must."""
        wanted = self._merged(options) if options else self._plain
        if wanted.link is not None:
            return None
        new = new_job(self.name, self._data, data, wanted)
        added = self._line.adder.add_from_thread(self._line.keys, new)
        return FreshJob(self._line.keys, new, added, data, self._codecs)

    async def add_bulk(
        self, payloads: Iterable[T], **options: Unpack[JobOptions]
    ) -> Sequence[Job[T, R]]:
        """Put many jobs in line, in calls of at most 500 jobs or 1 MiB.

        Each call adds all of its jobs or none; one travels while the next is worded.

        Wire: as `add`, once a job.

        Args:
            payloads: In the order in which they shall run. That each fits its type is
                checked before the first is sent.
            options: For all of them; a ``job_id`` cannot be.

        Returns:
            The jobs in that order, each put together when it is looked at.

        Raises:
            PayloadError: One does not fit, or JSON cannot hold it; its place is named.
            OptionsError: An option is out of its range.
            RedisUnavailableError, RedisRefusedError: A call failed.

            What is raised has an attribute ``added``: the ids that were added before, none
            where a payload does not fit its type.
        """
        if "job_id" in options:
            raise OptionsError("job_id", "jobs of a bulk cannot share one; use add for each")
        wanted = self._merged(options) if options else self._plain
        items = check_all(self.name, self._data, payloads)
        parts = parts_of(worded(self.name, self._data, items, wanted), len(items))
        are_linked = wanted.link is not None
        news, added = await self._line.add_bulk(parts, are_linked=are_linked)
        return FreshJobs(self._line.keys, news, added, items, self._codecs)

    def _merged(self, options: JobOptions) -> AddOptions:
        return merged(self._defaults, options, self._line.keys.prefix)

    async def result(self, job: Job[T, R] | str, *, timeout: timedelta = HALF_A_MINUTE) -> R:
        """Wait until a job has completed, and return what it returned.

        Wire: reads the stream ``events`` and, on any gap and each second, the job.

        Args:
            job: The job, or its id.
            timeout: How long to wait.

        Raises:
            JobFailedError: It failed for good.
            JobNotFoundError: There is no such job, or its retention has ended.
            ResultTimeoutError: Not in time; the job goes on.
            PayloadError: What it returned does not fit ``R``.
        """
        job_id = id_of(job)
        value: Any = await self._line.results.wait(job_id, self._codecs[1], timeout)
        return cast("R", value)
