"""One queue as a process's producers see it: where to add, and who waits for results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar, overload

from typing_extensions import override

from framework.client.follower import Follower
from framework.client.results import Results
from framework.errors import OptionsError, PayloadError
from framework.model.job import Job, JobId
from framework.model.options import JobOptions
from framework.store.adder import Adder
from framework.store.store import Store
from framework.store.transitions.add import AddedJob, NewJob
from framework.store.transitions.add_linked import LinkedJob
from framework.wire.job_hash import Codecs, Fields, StoredJob
from framework.wire.keys import QueueKeys, is_text
from framework.wire.links import Link
from framework.wire.options import AddOptions, encode_options
from framework.wire.payload import Codec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Line:
    """What adding to one queue needs.

    Attributes:
        store: Where it is.
        keys: Its keys.
        adder: Sends the adds of this process.
        results: Waits for results of this queue.
        follower: Reads its events for all who listen.
        pause_mode: Where this process wants jobs to wait while the queue is paused.
    """

    store: Store
    keys: QueueKeys
    adder: Adder
    results: Results
    follower: Follower
    pause_mode: str | None = None

    async def add(self, new: NewJob) -> AddedJob:
        """Add one job; one that is tied to others goes another way."""
        if new.options.link is None:
            return (await self.adder.add(self.keys, new)).added(new, 0)
        job = LinkedJob(self.keys, new, new.options.job_id)
        return (await self.adder.add_linked(self.keys, (job,)))[0]

    async def add_bulk(
        self, parts: Iterable[Sequence[NewJob]], *, are_linked: bool
    ) -> tuple[list[NewJob], Sequence[AddedJob]]:
        """Add many jobs, part by part."""
        if are_linked:
            return await self.adder.add_linked_bulk(self.keys, parts)
        return await self.adder.add_bulk(self.keys, parts)


def new_job(name: str, data: Codec[T], payload: T, options: AddOptions) -> NewJob:
    """Check a payload and word it for Redis.

    Raises:
        PayloadError: It does not fit its type, or JSON cannot hold it.
        OptionsError: It is larger than ``size_limit``.
    """
    try:
        text = data.encode(payload)
    except PayloadError as error:
        raise not_added(name, error) from error
    if options.size_limit is not None:
        check_size(text, options)
    return NewJob(name, text, options)


def check_size(text: bytes, options: AddOptions) -> None:
    """Refuse data that takes more than its options allow."""
    if options.size_limit is not None and len(text) > options.size_limit:
        raise OptionsError(
            "size_limit", f"the data takes {len(text)} bytes, {options.size_limit} are allowed"
        )


def not_added(name: str, error: PayloadError) -> PayloadError:
    """Return an error that says which job it kept from being added."""
    return PayloadError(f'the payload of job "{name}" was not added: {error}')


class FreshJob(StoredJob[T_co, R_co]):
    """A job that was just added; its hash is put together only if somebody looks."""

    is_fresh: ClassVar[bool] = True

    def __init__(
        self, keys: QueueKeys, new: NewJob, added: AddedJob, payload: T_co, codecs: Codecs
    ) -> None:
        own = self.__dict__
        own["id"] = added.id
        own["queue"] = keys.queue
        own["keys"] = keys
        own["data"] = payload
        own["codecs"] = codecs
        own["_written"] = (new, added)

    _written: tuple[NewJob, AddedJob]

    @cached_property
    @override
    def fields(self) -> Fields:
        new, added = self._written
        link = new.options.link
        return {
            **({} if link is None else fields_of(link)),
            b"name": new.name.encode(),
            b"data": new.data,
            b"opts": new.options.opts,
            b"timestamp": b"%d" % added.timestamp_ms,
            b"delay": b"%d" % new.options.delay_ms,
            b"priority": b"%d" % new.options.priority,
        }


def fields_of(link: Link) -> dict[bytes, bytes]:
    """Return what a hash holds of a job's ties."""
    said = {b"parentKey": link.parent_key, b"parent": link.parent, b"deid": link.dedup_id}
    return {name: value.encode() for name, value in said.items() if value}


class FreshJobs(Sequence[Job[T_co, R_co]]):
    """Jobs that were added together; each is put together when it is looked at.

    Args:
        keys: Their queue.
        news: What was written.
        added: Where it went.
        payloads: Of each job.
        codecs: What reads payloads, and what reads results.
    """

    __slots__ = ("_added", "_codecs", "_keys", "_news", "_payloads")

    def __init__(
        self,
        keys: QueueKeys,
        news: Sequence[NewJob],
        added: Sequence[AddedJob],
        payloads: Sequence[T_co],
        codecs: Codecs,
    ) -> None:
        self._keys = keys
        self._news = news
        self._added = added
        self._payloads = payloads
        self._codecs = codecs

    def __len__(self) -> int:
        return len(self._news)

    @overload
    def __getitem__(self, place: int) -> Job[T_co, R_co]: ...
    @overload
    def __getitem__(self, place: slice) -> list[Job[T_co, R_co]]: ...
    def __getitem__(self, place: int | slice) -> Job[T_co, R_co] | list[Job[T_co, R_co]]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        new, added, payload = self._news[place], self._added[place], self._payloads[place]
        return FreshJob(self._keys, new, added, payload, self._codecs)

    def __repr__(self) -> str:
        return f"<{len(self)} jobs of queue {self._keys.queue!r}>"


def merged(defaults: JobOptions, options: JobOptions, prefix: str | None = None) -> AddOptions:
    """Return the options of one add over the processor's defaults, checked.

    Args:
        prefix: The fleet's; without it no parent can be named.
    """
    return encode_options({**defaults, **options}, prefix=prefix)


class Wording:
    """Words options one after the other; neighbours that ask for the same share one text.

    Args:
        prefix: The fleet's.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._asked: tuple[JobOptions, bool] | None = None
        self._worded: AddOptions | None = None

    def __call__(self, options: JobOptions, *, in_flow: bool = False) -> AddOptions:
        """Return options worded.

        Args:
            in_flow: Whether the parent is part of the same flow.
        """
        asked = (JobOptions(**options), in_flow)  # a copy: the caller may go on with its own
        if self._worded is None or asked != self._asked:
            self._worded = encode_options(options, prefix=self._prefix, in_flow=in_flow)
            self._asked = asked
        return self._worded


def id_of(job: object) -> JobId:
    """Return the id of a job, or what was given as one."""
    job_id: Any = getattr(job, "id", job)
    return JobId(job_id)


def check_name(name: object) -> str:
    """Refuse an empty or unwritable job name."""
    if not is_text(name):
        raise OptionsError("name", f"a job's name is text that is not empty, got {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise OptionsError("name", f"{name!r} is no valid Unicode text") from error
    return name
