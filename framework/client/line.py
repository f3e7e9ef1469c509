"""One queue as a process's producers see it: where to add, and who waits for results."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from typing_extensions import override

from framework.client.results import Results
from framework.errors import OptionsError, PayloadError
from framework.model.options import JobOptions
from framework.store.adder import Adder
from framework.store.store import Store
from framework.store.transitions.add import AddedJob, NewJob
from framework.wire.job_hash import Codecs, Fields, StoredJob
from framework.wire.keys import QueueKeys
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
    """

    store: Store
    keys: QueueKeys
    adder: Adder
    results: Results


def new_job(name: str, data: Codec[T], payload: T, options: AddOptions) -> NewJob:
    """Check a payload and word it for Redis.

    Raises:
        PayloadError: It does not fit its type, or JSON cannot hold it.
        OptionsError: It is larger than ``size_limit``.
    """
    try:
        text = data.encode(payload)
    except PayloadError as error:
        raise PayloadError(f'the payload of job "{name}" was not added: {error}') from error
    if options.size_limit is not None and len(text) > options.size_limit:
        raise OptionsError(
            "size_limit", f"the data takes {len(text)} bytes, {options.size_limit} are allowed"
        )
    return NewJob(name, text, options)


class FreshJob(StoredJob[T_co, R_co]):
    """A job that was just added; its hash is put together only if somebody looks."""

    def __init__(
        self, queue: str, new: NewJob, added: AddedJob, payload: T_co, codecs: Codecs
    ) -> None:
        own = self.__dict__
        own["id"] = added.id
        own["queue"] = queue
        own["data"] = payload
        own["codecs"] = codecs
        own["_written"] = (new, added)

    _written: tuple[NewJob, AddedJob]

    @cached_property
    @override
    def fields(self) -> Fields:
        new, added = self._written
        return {
            b"name": new.name.encode(),
            b"data": new.data,
            b"opts": new.options.opts,
            b"timestamp": b"%d" % added.timestamp_ms,
            b"delay": b"%d" % new.options.delay_ms,
            b"priority": b"%d" % new.options.priority,
        }


def merged(defaults: JobOptions, options: JobOptions) -> AddOptions:
    """Return the options of one add over the processor's defaults, checked."""
    return encode_options({**defaults, **options})


def check_name(name: str) -> str:
    """Refuse an empty or unwritable job name."""
    try:
        usable = bool(name) and bool(name.encode())
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise OptionsError("name", f"a job's name is text that is not empty, got {name!r}")
    return name
