"""Between `JobOptions` and the ``opts`` JSON of a job's hash, with its short names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from framework.errors import OptionsError
from framework.model.options import (
    MAX_PRIORITY,
    Backoff,
    Custom,
    Exponential,
    Fixed,
    JobOptions,
)
from framework.model.spans import check_span
from framework.wire.keys import check_job_id
from framework.wire.links import Link, link_of
from framework.wire.millis import MAX_DUE_MS, instant_from_ms, instant_to_ms, to_ms
from framework.wire.retention import MARK, retention_json

MAX_INT = 2**31 - 1
TIMEOUT = "fw.timeout"
SHORT_NAMES = {"keep_logs": "kl", "stack_trace_limit": "stackTraceLimit", "size_limit": "sizeLimit"}


# Equal only to itself: what is made of one is kept beside it, and to compare all is slow.
@dataclass(frozen=True, slots=True, eq=False)
class AddOptions:
    """What ``add`` writes for one job.

    Attributes:
        opts: The ``opts`` JSON.
        job_id: The custom id, or "" for a counted one.
        delay_ms: 0 for none.
        timestamp_ms: None for now.
        size_limit: Largest allowed JSON of the data in bytes, or None.
        link: What ties it to other jobs; None for a job of its own.
    """

    opts: bytes
    job_id: str = ""
    delay_ms: int = 0
    priority: int = 0
    lifo: bool = False
    timestamp_ms: int | None = None
    size_limit: int | None = None
    link: Link | None = None


def encode_options(
    options: JobOptions, *, prefix: str | None = None, in_flow: bool = False
) -> AddOptions:
    """Check ``options`` and word them for Redis.

    Wire: our default retention is written into ``opts``, so every peer honours it; its limits
    by age for completed jobs are a mark, ``fw``, that only our workers know.

    Args:
        options: What was asked for.
        prefix: The fleet's; None where no job is added, so that there is no parent.
        in_flow: Whether the parent is part of the same flow.

    Raises:
        OptionsError: An unknown option, or one out of its range.
    """
    check_names(options)
    delay_ms = checked_delay(options.get("delay", timedelta(0)))
    priority = whole(options, "priority", MAX_PRIORITY)
    timestamp = options.get("timestamp")
    timestamp_ms = None if timestamp is None else checked_timestamp(timestamp)
    lifo = options.get("lifo", False)
    if not isinstance(lifo, bool):
        raise OptionsError("lifo", f"it is True or False, got {lifo!r}")
    job_id = options.get("job_id")
    if job_id is not None:
        check_job_id(job_id)
    retention = retention_json(options)
    attempts = whole(options, "attempts", MAX_INT)
    stored = {
        "attempts": None if MARK in retention and not attempts else attempts,
        "backoff": backoff_json(options["backoff"]) if "backoff" in options else None,
        "delay": delay_ms if "delay" in options else None,
        "priority": priority if "priority" in options else None,
        "lifo": lifo if "lifo" in options else None,
        "jobId": job_id,
        "timestamp": timestamp_ms,
        **retention,
    }
    for name, short in SHORT_NAMES.items():
        if name in options:
            stored[short] = whole(options, name, MAX_INT)
    if "timeout" in options:
        stored[TIMEOUT] = checked_timeout(options["timeout"])
    link = link_of(options, prefix, in_flow=in_flow)
    if link is not None:
        stored.update(link.opts)
    said = {name: value for name, value in stored.items() if value is not None}
    return AddOptions(
        opts=json.dumps(said, separators=(",", ":")).encode(),
        job_id=job_id or "",
        delay_ms=delay_ms,
        priority=priority,
        lifo=lifo,
        timestamp_ms=timestamp_ms,
        size_limit=options.get("size_limit"),
        link=link,
    )


def check_names(options: JobOptions) -> None:
    """Refuse an option that there is not; a misspelt one would be ignored in silence."""
    for name in options:
        if name not in JobOptions.__annotations__:
            known = ", ".join(sorted(JobOptions.__annotations__))
            raise OptionsError(name, f"there is no such option; there are: {known}")


def whole(options: Mapping[str, Any], name: str, most: int) -> int:
    """Return a whole number between 0 and ``most``, or refuse it."""
    number = options.get(name, 0)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise OptionsError(name, f"it is a whole number from 0 to {most:,}, got {number!r}")
    return number


def checked_delay(delay: timedelta) -> int:
    """Return a delay in milliseconds, or refuse it."""
    check_span("delay", delay)
    if delay < timedelta(0):
        raise OptionsError("delay", f"it must not be negative, got {delay.total_seconds():g} s")
    if to_ms(delay) > MAX_DUE_MS:
        raise OptionsError("delay", f"{delay} ends after {instant_from_ms(MAX_DUE_MS):%Y-%m-%d}")
    return to_ms(delay)


def checked_timeout(timeout: timedelta) -> int:
    """Return a timeout in milliseconds, or refuse it."""
    check_span("timeout", timeout)
    if not 1 <= to_ms(timeout) <= MAX_DUE_MS:
        raise OptionsError("timeout", f"it must last at least 1 ms, got {timeout}")
    return to_ms(timeout)


def checked_timestamp(timestamp: datetime) -> int:
    """Return an instant in milliseconds, or refuse it."""
    ms = instant_to_ms(timestamp)
    if not 0 <= ms <= MAX_DUE_MS:
        raise OptionsError("timestamp", f"{timestamp} is before 1970 or too far ahead")
    return ms


def backoff_json(backoff: Backoff | timedelta) -> dict[str, object]:
    """Word a backoff as Node does."""
    if isinstance(backoff, timedelta):
        backoff = Fixed(backoff)
    match backoff:
        case Fixed():
            kind = "fixed"
        case Exponential():
            kind = "exponential"
        case Custom(name):
            kind = name
        case _:
            raise OptionsError(
                "backoff",
                f"it is Fixed, Exponential, Custom or a timedelta, got {backoff!r}. "
                "Write Exponential(timedelta(seconds=1)), say",
            )
    stored: dict[str, object] = {"type": kind, "delay": to_ms(backoff.delay)}
    if backoff.jitter:
        stored["jitter"] = backoff.jitter
    return stored
