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
# What only some jobs have, in BullMQ's order, by the names of the fields and of the members.
LATE = (
    (b"failedReason", b"failedReason"),
    (b"defa", b"deferredFailure"),
    (b"pb", b"processedBy"),
    (b"nrjid", b"nextRepeatableJobId"),
)


def job_json(job: Job[Any, Any]) -> bytes:
    """Return a job as the JSON object that BullMQ's ``job.toJSON()`` gives.

    What is JSON in Redis is taken over as it stands there, so that no number loses a digit.
    Members come in BullMQ's order.

    ``{"name": str, "data": any, "opts": object, "id": str, "progress": any, "returnvalue": any,
    "stacktrace": [str] or null, "delay": ms, "priority": int, "attemptsStarted": int,
    "attemptsMade": int, "stalledCounter": int, "timestamp": ms, "queueQualifiedName": str}``, and
    where it has them ``finishedOn`` and ``processedOn`` in ms, ``failedReason``, ``processedBy``,
    ``deduplicationId``, ``repeatJobKey``, ``parentKey``, ``parent`` and the like. As in BullMQ,
    ``stacktrace`` is null in a job that was just added, which has a ``delay`` if one was asked for.

    Args:
        job: One that was added, read or taken; one made by hand has no place in Redis.

    Raises:
        TypeError: The job was made by hand.
    """
    if not isinstance(job, StoredJob):
        raise TypeError("job_json takes a job of a queue, not one made by hand")
    fields: Fields = job.fields
    stored = stored_in(fields)
    parts = [
        b'{"name":%b' % to_json(job.name),
        b'"data":%b' % json_in(fields, b"data", b"{}"),
        b'"opts":%b,"id":%b' % (options_json(fields, stored), to_json(job.id)),
        b'"progress":%b' % json_in(fields, b"progress", b"0"),
        b'"returnvalue":%b' % json_in(fields, b"returnvalue", b"null"),
        b'"stacktrace":%b' % (b"null" if job.is_fresh else to_json(job.stacktrace)),
    ]
    if not job.is_fresh or "delay" in stored:
        parts.append(b'"delay":%d' % number(fields, b"delay"))
    parts += [
        b'"priority":%d,"attemptsStarted":%d' % (job.priority, job.attempts_started),
        b'"attemptsMade":%d,"stalledCounter":%d' % (job.attempts_made, job.stalled_counter),
        *texts(fields, (b"rjk", b"repeatJobKey")),
        b'"timestamp":%d' % number(fields, b"timestamp"),
        *texts(fields, (b"parentKey", b"parentKey")),
    ]
    if b"parent" in fields:
        parts.append(b'"parent":%b' % json_in(fields, b"parent", b"null"))
    parts += texts(fields, (b"deid", b"deduplicationId"))
    parts.append(b'"queueQualifiedName":%b' % to_json(job.keys.qualified))
    for name in (b"finishedOn", b"processedOn"):
        if moment := number(fields, name):
            parts.append(b'"%b":%d' % (name, moment))
    return b"%b}" % b",".join([*parts, *texts(fields, *LATE)])


def data_json(job: Job[Any, Any]) -> bytes:
    """Return a job's payload as the JSON text that stands in Redis. Raises as `job_json`."""
    if not isinstance(job, StoredJob):
        raise TypeError("data_json takes a job of a queue, not one made by hand")
    return json_in(job.fields, b"data", b"{}")


def texts(fields: Fields, *names: tuple[bytes, bytes]) -> list[bytes]:
    """Return members that only some jobs have, by their short and long names."""
    return [
        b'"%b":%b' % (long, to_json(text(fields, name))) for name, long in names if fields.get(name)
    ]


def stored_in(fields: Fields) -> dict[str, Any]:
    """Return the options as they are stored; what cannot be read counts as none."""
    try:
        stored = from_json(fields.get(b"opts", b"{}"))
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def options_json(fields: Fields, stored: Mapping[str, Any]) -> bytes:
    """Return the options under their long names, without those that are this framework's own."""
    raw = fields.get(b"opts", b"")
    if is_as_shown(stored) and b'"fw.' not in raw:
        return raw
    shown: dict[str, Any] = {"attempts": 0}
    shown |= {LONG_NAMES.get(name, name): plain(value) for name, value in said(stored)}
    if isinstance(shown.get("backoff"), int | float):
        shown["backoff"] = {"type": "fixed", "delay": shown["backoff"]}
    return to_json(shown, inf_nan_mode="null")


def is_as_shown(stored: Mapping[str, Any]) -> bool:
    """Tell whether options stand in Redis as BullMQ shows them."""
    if "attempts" not in stored or isinstance(stored.get("backoff"), int | float):
        return False
    return not any(name in LONG_NAMES for name in stored)


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
