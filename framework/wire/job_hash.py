"""Between the fields of a job's hash and a `Job` that decodes them when asked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from pydantic_core import from_json
from typing_extensions import override

from framework.errors import PayloadError
from framework.model.job import Job, JobId
from framework.model.options import JobOptions
from framework.wire.keys import QueueKeys
from framework.wire.millis import from_ms, instant_from_ms
from framework.wire.payload import Codec
from framework.wire.read_once import ReadOnce
from framework.wire.stored_options import StoredOptions, decode_options

T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)

Fields = Mapping[bytes, bytes]
Codecs = tuple[Codec[Any], Codec[Any]]

# Why a job must fail once it starts: a child of it failed, or it was cancelled.
DEFERRED_FIELD = b"defa"
# What somebody asks of a job, or did with it: why it is cancelled; where it is held.
CANCEL_FIELD = b"fw.cancelled"
HELD_FIELD = b"fw.held"
# How often a worker died that ran it.
CRASHES_FIELD = b"fw.crashes"
# Held once it leaves the worker that runs it; another value says where it returns to.
ASKED = b"asked"


class StoredJob(Job[T_co, R_co]):
    """A job over the fields of its hash.

    Args:
        keys: Its queue, with the prefix that its id is unique within.
        job_id: The job's id.
        fields: The hash as Redis returned it.
        codecs: What reads the payload, and what reads the result.

    Attributes:
        is_fresh: Whether it was just added, and not read.
    """

    is_fresh: ClassVar[bool] = False

    # Takes the dataclass's place: fields are read from the hash, not passed in.
    def __init__(self, keys: QueueKeys, job_id: JobId, fields: Fields, codecs: Codecs) -> None:
        own = self.__dict__
        own["id"] = job_id
        own["queue"] = keys.queue
        own["keys"] = keys
        own["fields"] = fields
        own["codecs"] = codecs

    keys: QueueKeys
    codecs: Codecs

    @ReadOnce
    def fields(self) -> Fields:
        """The hash."""
        return {}

    @ReadOnce
    @override
    def name(self) -> str:
        return text(self.fields, b"name")

    @ReadOnce
    @override
    def data(self) -> T_co:
        try:
            value: T_co = self.codecs[0].decode(self.fields.get(b"data", b"{}"))
        except PayloadError as error:
            raise PayloadError(f"the data of job {self.id} cannot be used: {error}") from error
        return value

    @ReadOnce
    def stored_options(self) -> StoredOptions:
        """The options as a worker needs them.

        Raises:
            PayloadError: ``opts`` is no JSON object.
        """
        try:
            return decode_options(self.fields.get(b"opts", b"{}"))
        except ValueError as error:
            raise PayloadError(f"the options of job {self.id} cannot be read: {error}") from error

    @ReadOnce
    @override
    def options(self) -> JobOptions:
        return self.stored_options.public

    @ReadOnce
    @override
    def timestamp(self) -> datetime:
        return instant_from_ms(number(self.fields, b"timestamp"))

    @ReadOnce
    @override
    def delay(self) -> timedelta:
        return from_ms(number(self.fields, b"delay"))

    @ReadOnce
    @override
    def priority(self) -> int:
        return number(self.fields, b"priority")

    @ReadOnce
    @override
    def attempts_made(self) -> int:
        return number(self.fields, b"atm") or number(self.fields, b"attemptsMade")

    @ReadOnce
    @override
    def attempts_started(self) -> int:
        return number(self.fields, b"ats")

    @ReadOnce
    @override
    def stalled_counter(self) -> int:
        return number(self.fields, b"stc")

    @ReadOnce
    @override
    def progress(self) -> object:
        return json_value(self.fields.get(b"progress"), 0)

    @ReadOnce
    @override
    def result(self) -> R_co | None:
        raw = self.fields.get(b"returnvalue")
        if raw is None:
            return None
        value: R_co = self.codecs[1].decode(raw)
        return value

    @ReadOnce
    @override
    def failed_reason(self) -> str | None:
        return text(self.fields, b"failedReason") if b"failedReason" in self.fields else None

    @ReadOnce
    @override
    def stacktrace(self) -> tuple[str, ...]:
        rows = json_value(self.fields.get(b"stacktrace"), [])
        return tuple(map(str, rows)) if isinstance(rows, list) else ()

    @ReadOnce
    @override
    def processed_on(self) -> datetime | None:
        return instant(self.fields, b"processedOn")

    @ReadOnce
    @override
    def finished_on(self) -> datetime | None:
        return instant(self.fields, b"finishedOn")

    @ReadOnce
    @override
    def processed_by(self) -> str | None:
        return text(self.fields, b"pb") or None

    @ReadOnce
    @override
    def parent_key(self) -> str | None:
        return text(self.fields, b"parentKey") or None

    @ReadOnce
    @override
    def is_held(self) -> bool:
        return self.fields.get(HELD_FIELD, ASKED) not in {ASKED, b""}

    @ReadOnce
    @override
    def scheduler_id(self) -> str | None:
        return text(self.fields, b"rjk") or None

    @ReadOnce
    @override
    def deferred_failure(self) -> str | None:
        return text(self.fields, DEFERRED_FIELD) or None


def text(fields: Fields, name: bytes) -> str:
    """Return a field as text, "" where it is missing."""
    return fields.get(name, b"").decode(errors="replace")


def number(fields: Fields, name: bytes) -> int:
    """Return a field as a whole number, 0 where it is missing or odd."""
    raw = fields.get(name)
    if raw is None:
        return 0
    try:
        return int(raw)
    except ValueError:
        return fraction(raw)


def fraction(raw: bytes) -> int:
    """Return the whole part of a number that a peer wrote with a fraction, else 0."""
    try:
        return int(float(raw))
    except (ValueError, OverflowError):
        return 0


def instant(fields: Fields, name: bytes) -> datetime | None:
    """Return a field of milliseconds as an instant, None where it is missing."""
    ms = number(fields, name)
    return instant_from_ms(ms) if ms else None


def json_value(raw: bytes | None, missing: object) -> object:
    """Return a JSON field's value; text that is no JSON is returned as text."""
    if raw is None:
        return missing
    try:
        value: object = from_json(raw)
    except ValueError:
        return raw.decode(errors="replace")
    return value
