"""A queue by its name: untyped adds, and looking after its jobs."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, overload

from typing_extensions import Unpack

from framework.client.bulk import parts_of
from framework.client.line import FreshJob, FreshJobs, Wording, check_name, id_of, merged, new_job
from framework.client.listener import ENDINGS, JobListener, Listener
from framework.client.producer import HALF_A_MINUTE
from framework.client.queue_asking import QueueAsking
from framework.client.queue_base import ANY
from framework.client.queue_family import QueueFamily
from framework.client.queue_getters import QueueGetters
from framework.client.queue_hands import QueueHands
from framework.client.queue_jobs import QueueJobs
from framework.client.queue_limits import QueueLimits
from framework.client.queue_schedulers import QueueSchedulers
from framework.client.queue_upkeep import QueueUpkeep
from framework.errors import JobNotFoundError, OptionsError
from framework.model.events import Chunk, QueueEvent
from framework.model.job import Job
from framework.model.options import JobOptions
from framework.wire.codes import NOT_FOUND
from framework.wire.options import AddOptions
from framework.wire.payload import codec_of
from framework.wire.stream_id import FIRST, whole_id

V = TypeVar("V")
NO_OPTIONS = JobOptions()


def known_id(option: str, given: str | None) -> str | None:
    """Refuse what is no id of an entry of a stream."""
    whole = whole_id(given)
    if given is not None and whole is None:
        raise OptionsError(option, f"it is the id of an event, got {given!r}")
    return whole


def worded_item(
    wording: Wording,
    item: Any,  # noqa: ANN401 - whatever the caller gave
) -> tuple[str, object, AddOptions]:
    """Check one item of a bulk but for its data."""
    if not isinstance(item, tuple | list) or len(item) not in {2, 3}:
        raise OptionsError(
            "jobs",
            "each is (name, data) or (name, data, JobOptions(...)), "
            f"got a {type(item).__name__} of {len(item)}",
        )
    name, data, options = item if len(item) == 3 else (*item, NO_OPTIONS)  # noqa: PLR2004
    return check_name(name), data, wording(options)


class Queue(
    QueueGetters,
    QueueUpkeep,
    QueueSchedulers,
    QueueJobs,
    QueueAsking,
    QueueLimits,
    QueueHands,
    QueueFamily,
):
    """One queue. Ask for it as ``Annotated[Queue, Named("mail")]``.

    Attributes:
        name: The queue's name.
    """

    async def add(
        self, name: str, data: object = None, **options: Unpack[JobOptions]
    ) -> Job[Any, Any]:
        """Put one job in line, by its name. Errors as `Producer.add`.

        Wire: as `Producer.add`.

        Args:
            name: The job's name.
            data: Anything JSON can hold.
        """
        new = new_job(check_name(name), ANY, data, merged({}, options, self._keys.prefix))
        added = await self._line.add(new)
        return FreshJob(self._keys, new, added, data, (ANY, ANY))

    async def add_bulk(
        self, jobs: Iterable[tuple[str, object] | tuple[str, object, JobOptions]]
    ) -> Sequence[Job[Any, Any]]:
        """Put many jobs in line, each ``(name, data)`` or ``(name, data, options)``.

        Names and options of all are checked before the first is sent.

        Wire: as `Producer.add_bulk`, which sends them likewise.
        """
        wording = Wording(self._keys.prefix)
        items = [worded_item(wording, item) for item in jobs]
        parts = parts_of((new_job(name, ANY, data, to) for name, data, to in items), len(items))
        are_linked = any(item[2].link is not None for item in items)
        news, added = await self._line.add_bulk(parts, are_linked=are_linked)
        return FreshJobs(self._keys, news, added, [item[1] for item in items], (ANY, ANY))

    async def result(self, job: Job[Any, Any] | str, *, timeout: timedelta = HALF_A_MINUTE) -> Any:  # noqa: ANN401 - whatever the job returned
        """Wait for what a job returns; see `Producer.result`."""
        job_id = id_of(job)
        return await self._line.results.wait(job_id, ANY, timeout)

    async def events(
        self, *, after: str | None = None, job_id: str | None = None
    ) -> AsyncGenerator[QueueEvent, None]:
        """Follow what happens in the queue, whoever does it, in order and each once.

        However many follow a queue in one process, one connection reads for all of them.

        Wire: reads the stream ``events``.

        Args:
            after: The id of the last event known; from now on unless given.
            job_id: Hear only of this job.

        Raises:
            RedisUnavailableError: Redis is not there at the beginning; later it is waited for.
        """
        async with self.listen(after=after, job_id=job_id) as listener:
            while True:
                for event in await listener.receive():
                    yield event

    def listen(
        self, *, after: str | None = None, job_id: str | None = None
    ) -> AbstractAsyncContextManager[Listener]:
        """Listen to the queue until the end of an ``async with`` block; as `events`.

        Wire: reads the stream ``events``.

        Args:
            after: The id of the last event known, ``"0"`` for all; from now on unless given.
            job_id: Hear only of this job.

        Raises:
            OptionsError: ``after`` is no id of an event.
            JobNotFoundError: No job can have this id.
        """
        wanted = None if job_id is None else self._id(job_id)
        return self._line.follower.listen(wanted, known_id("after", after))

    def listen_to_job(
        self, job_id: str, *, after: str | None = None, chunks_after: str = FIRST
    ) -> AbstractAsyncContextManager[JobListener]:
        """Listen to a job and to what it streams, until the end of an ``async with`` block.

        Wire: reads the streams ``events`` and ``J:chunks``.

        Args:
            job_id: The job.
            after: The id of the last event known; from now on unless given.
            chunks_after: The id of the last chunk known; all are heard unless given.

        Raises:
            OptionsError: No event, or no chunk, can have this id.
            JobNotFoundError: No job can have this id.
        """
        known = known_id("after", after)
        chunk = known_id("chunks_after", chunks_after) or FIRST
        return self._line.follower.listen_to_job(self._id(job_id), known, chunk)

    @overload
    def chunks(self, job_id: str, kind: type[V]) -> AsyncGenerator[Chunk[V], None]: ...
    @overload
    def chunks(self, job_id: str, kind: object = ...) -> AsyncGenerator[Chunk[Any], None]: ...
    async def chunks(self, job_id: str, kind: object = Any) -> AsyncGenerator[Chunk[Any], None]:
        """Follow what a job streams, from its first chunk on, until it has ended.

        Who comes late gets the whole story: all chunks that are kept, see `Context.stream`.

        Wire: reads the streams ``J:chunks`` and ``events``.

        Args:
            job_id: The job.
            kind: The type of all chunks, as annotated; unchecked JSON unless given.

        Raises:
            JobNotFoundError: There is no such job.
            PayloadError: A chunk does not fit.
        """
        codec = codec_of(kind)
        look = await self.look(job_id)
        if look is None:
            raise JobNotFoundError(job_id=job_id, queue=self.name, code=NOT_FOUND)
        async with self.listen_to_job(job_id, after=look.event_id) as listener:
            is_over = look.state.is_final
            while True:
                items = await (listener.chunks.rest() if is_over else listener.receive_all())
                for item in items:
                    if isinstance(item, Chunk):
                        yield replace(item, data=codec.check(item.data))
                    else:
                        is_over = is_over or item.event in ENDINGS
                if is_over:
                    return
