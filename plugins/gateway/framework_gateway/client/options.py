"""Options of a job as a gateway takes them: BullMQ's names, milliseconds."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from framework import Custom, Deduplication, Exponential, Fixed, JobOptions, KeepJobs, OptionsError

ONE_MS = timedelta(milliseconds=1)
# By ours: BullMQ's name.
NAMES = {
    "attempts": "attempts",
    "backoff": "backoff",
    "delay": "delay",
    "priority": "priority",
    "lifo": "lifo",
    "job_id": "jobId",
    "timestamp": "timestamp",
    "remove_on_complete": "removeOnComplete",
    "remove_on_fail": "removeOnFail",
    "keep_logs": "keepLogs",
    "stack_trace_limit": "stackTraceLimit",
    "size_limit": "sizeLimit",
    "deduplication": "deduplication",
}


def options_json(options: JobOptions) -> dict[str, Any]:
    """Word the options of a job; what they may be is the gateway's to check.

    Raises:
        OptionsError: A gateway takes no such option, or a moment has no time zone.
    """
    told: dict[str, Any] = {}
    for name, value in options.items():
        if name not in NAMES:
            known = ", ".join(sorted(NAMES))
            raise OptionsError(name, f"a gateway takes no such option; there are: {known}")
        if value is None or (name == "priority" and value == 0):
            continue  # as if it was not asked for
        told[NAMES[name]] = option_json(value)
    return told


def option_json(value: object) -> object:
    """Word what an option is set to. Raises as `options_json`."""
    for kind, word in WORDS.items():
        if isinstance(value, kind):
            return word(value)
    return value


def instant_json(moment: datetime) -> int:
    """Word a moment. Raises as `options_json`."""
    if moment.tzinfo is None:
        raise OptionsError("timestamp", "it has no time zone")
    return round(moment.timestamp() * 1000)


def backoff_json(kind: str, backoff: Fixed | Exponential) -> dict[str, object]:
    """Word how long to wait before a retry."""
    return {"type": kind, "delay": backoff.delay // ONE_MS, "jitter": backoff.jitter}


def deduplication_json(one: Deduplication) -> dict[str, object]:
    """Word what must not be there twice."""
    told: dict[str, object] = {"id": one.id}
    if one.ttl is not None:
        told["ttl"] = one.ttl // ONE_MS
    modes = {
        "extend": one.extend,
        "replace": one.replace,
        "reschedule": one.reschedule,
        "keepLastIfActive": one.keep_last_if_active,
    }
    return told | {name: True for name, is_set in modes.items() if is_set}


def keep_json(keep: KeepJobs) -> dict[str, int] | bool:
    """Word how many finished jobs to keep; none of it is all."""
    seconds = None if keep.age is None else math.ceil(keep.age.total_seconds())
    told = {"count": keep.count, "age": seconds, "limit": keep.limit}
    return {name: one for name, one in told.items() if one is not None} or False


WORDS: dict[type, Callable[[Any], object]] = {
    timedelta: lambda span: span // ONE_MS,
    datetime: instant_json,
    Fixed: lambda backoff: backoff_json("fixed", backoff),
    Exponential: lambda backoff: backoff_json("exponential", backoff),
    Custom: lambda backoff: {"type": backoff.name, "jitter": backoff.jitter},
    KeepJobs: keep_json,
    Deduplication: deduplication_json,
}
