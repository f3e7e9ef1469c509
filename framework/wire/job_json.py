"""A job as BullMQ words it for whoever asks: the JSON of its ``job.toJSON()``."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from framework.model.job import Job
from framework.wire.job_hash import Fields, StoredJob, number, text

# The long names of what is stored under short ones.
LONG_NAMES = {
    "kl": "keepLogs",
    "de": "deduplication",
    "fpof": "failParentOnFailure",
    "cpof": "continueParentOnFailure",
    "idof": "ignoreDependencyOnFailure",
    "rdof": "removeDependencyOnFailure",
}
OURS = "fw."


def job_json(job: Job[Any, Any]) -> bytes:
    """Return a job as the JSON object that BullMQ's ``job.toJSON()`` gives.

    What is JSON in Redis is taken over as it stands there, so that no number loses a digit.

    ``{"id": str, "name": str, "data": any, "opts": object, "progress": any, "returnvalue": any,
    "stacktrace": [str] or null, "delay": ms, "priority": int, "attemptsStarted": int,
    "attemptsMade": int, "stalledCounter": int, "timestamp": ms, "queueQualifiedName": str}``, and
    where it has them ``processedOn`` and ``finishedOn`` in ms, ``failedReason``,
    ``deduplicationId``, ``repeatJobKey``, ``parentKey`` and ``parent``.

    Args:
        job: One that was added, read or taken; one made by hand has no place in Redis.

    Raises:
        TypeError: The job was made by hand.
    """
    if not isinstance(job, StoredJob):
        raise TypeError("job_json takes a job of a queue, not one made by hand")
    fields: Fields = job.fields
    parts = [
        b'{"id":%b,"name":%b' % (to_json(job.id), to_json(job.name)),
        b'"data":%b' % json_in(fields, b"data", b"{}"),
        b'"opts":%b' % options_json(fields),
        b'"progress":%b' % json_in(fields, b"progress", b"0"),
        b'"returnvalue":%b' % json_in(fields, b"returnvalue", b"null"),
        b'"stacktrace":%b' % stacktrace_json(job),
        b'"delay":%d,"priority":%d' % (number(fields, b"delay"), job.priority),
        b'"attemptsStarted":%d,"attemptsMade":%d' % (job.attempts_started, job.attempts_made),
        b'"stalledCounter":%d' % job.stalled_counter,
        b'"timestamp":%d' % number(fields, b"timestamp"),
        *later_in_life(fields),
    ]
    place = f"{job.keys.prefix}:{job.queue}"
    return b'%b,"queueQualifiedName":%b}' % (b",".join(parts), to_json(place))


def later_in_life(fields: Fields) -> list[bytes]:
    """Return the members that only some jobs have."""
    parts = [
        b'"%b":%d' % (name, number(fields, name))
        for name in (b"processedOn", b"finishedOn")
        if name in fields
    ]
    texts = (
        (b"failedReason", b"failedReason"),
        (b"deid", b"deduplicationId"),
        (b"rjk", b"repeatJobKey"),
        (b"parentKey", b"parentKey"),
    )
    parts += [
        b'"%b":%b' % (named, to_json(text(fields, name))) for name, named in texts if name in fields
    ]
    if b"parent" in fields:
        parts.append(b'"parent":%b' % json_in(fields, b"parent", b"null"))
    return parts


def stacktrace_json(job: StoredJob[Any, Any]) -> bytes:
    """Return the rows of all failed attempts; null before the first one begins."""
    if not job.stacktrace and not job.attempts_started:
        return b"null"
    return to_json(job.stacktrace)


def options_json(fields: Fields) -> bytes:
    """Return the options under their long names, without those that are this framework's own."""
    raw = fields.get(b"opts", b"{}")
    try:
        stored = from_json(raw)
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        return b"{}"
    if not any(name in LONG_NAMES for name in stored) and b'"fw.' not in raw:
        return raw
    return to_json({LONG_NAMES.get(name, name): plain(value) for name, value in said(stored)})


def said(stored: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the options that are not this framework's own."""
    return [(name, value) for name, value in stored.items() if not name.startswith(OURS)]


def plain(value: object) -> object:
    """Return the value of an option without members that are this framework's own."""
    return dict(said(value)) if isinstance(value, dict) else value


def json_in(fields: Fields, name: bytes, missing: bytes) -> bytes:
    """Return a field that holds JSON; text that is none, as some peers write, as a JSON string."""
    raw = fields.get(name)
    if raw is None:
        return missing
    try:
        from_json(raw, allow_inf_nan=False)
    except ValueError:
        return to_json(raw.decode(errors="replace"))
    return raw
