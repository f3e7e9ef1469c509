"""Options of a job as BullMQ writes them, checked one by one and put in the framework's words."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from framework import Custom, Deduplication, Exponential, Fixed, KeepJobs, ParentJob
from framework_gateway.errors import bad_request
from framework_gateway.shown import (
    UNDEFINED,
    demand,
    demand_whole,
    is_number,
    refuse_unknown,
    shown,
    unexpected,
)

MAX_PRIORITY = 2_097_151
MAX_INT = 2**31 - 1
# The year 2039: BullMQ keeps due times in 41 bits.
MAX_MS = 2**41 - 2
BACKOFF = frozenset({"type", "delay", "jitter"})
MODES = {"extend": "extend", "replace": "replace", "keepLastIfActive": "keep_last_if_active"}
KEEP = ("age", "count", "limit")
AN_OBJECT = "an object"

Backoff = Fixed | Exponential | Custom


def span_of(name: str, ms: Any, *, or_zero: bool = True) -> timedelta:  # noqa: ANN401 - out of JSON
    """Return a number of milliseconds.

    Raises:
        AnswerError: 400: no number, negative, or longer than anybody can wait.
    """
    if not is_number(ms):
        raise bad_request(f"Invalid {name} {shown(ms)}, must be a number")
    if ms < 0 or (ms == 0 and not or_zero):
        raise bad_request(f"Invalid {name} {shown(ms)}, must be greater than 0")
    if ms > MAX_MS:
        raise bad_request(f"Invalid {name} {shown(ms)}")
    return timedelta(milliseconds=ms)


def backoff_of(_: str, given: Any) -> Backoff:  # noqa: ANN401 - out of JSON
    """Read how long to wait before a retry: a number, or ``{type, delay?, jitter?}``."""
    if is_number(given):
        return Fixed(span_of("backoff delay", given))
    if not isinstance(given, dict | list):
        raise bad_request(f"Invalid backoff {shown(given)}, must be a number or an object")
    if not isinstance(given, dict) or "type" not in given:
        raise bad_request(
            f"Invalid backoff {shown(given)}, must be a number or an object with at least the "
            "type field"
        )
    refuse_unknown(given, BACKOFF, unexpected("opts."))
    kind, jitter = given["type"], given.get("jitter", 0)
    demand("backoff type", kind, str, "a string")
    if not is_number(jitter) or not 0 <= jitter <= 1:
        raise bad_request(f"Invalid backoff jitter {shown(jitter)}, must be between 0 and 1")
    if kind == "fixed":
        return Fixed(span_of("backoff delay", given.get("delay", 0)), jitter)
    if kind == "exponential":
        return Exponential(span_of("backoff delay", given.get("delay", 0)), jitter)
    if "delay" in given or not kind:
        raise bad_request(
            f'Invalid backoff type {shown(kind)}, must be "fixed" or "exponential" if delay is '
            "provided"
        )
    return Custom(kind, jitter=jitter)


def deduplication_of(name: str, given: Any) -> Deduplication:  # noqa: ANN401 - out of JSON
    """Read what must not be there twice: ``{id, ttl?, extend?, replace?, keepLastIfActive?}``."""
    demand(name, given, dict, AN_OBJECT)
    refuse_unknown(given, {"id", "ttl", *MODES}, unexpected("opts.deduplication."))
    dedup_id, modes = given.get("id", UNDEFINED), {}
    demand("deduplication.id", dedup_id, str, "a string")
    for member, mode in MODES.items():
        if member in given:
            demand(f"deduplication.{member}", given[member], bool, "a boolean")
            modes[mode] = given[member]
    ttl = span_of("deduplication.ttl", given["ttl"], or_zero=False) if "ttl" in given else None
    return Deduplication(dedup_id, ttl=ttl, **modes)


def keep_of(name: str, given: Any) -> KeepJobs | bool:  # noqa: ANN401 - out of JSON
    """Read how many finished jobs to keep: a boolean, a number, ``{age?, count?, limit?}``."""
    if isinstance(given, bool):
        return given
    if is_number(given):
        count = demand_whole(name, given, -1, MAX_INT)
        return KeepJobs(count) if count >= 0 else KeepJobs()
    if not isinstance(given, dict):
        raise bad_request(
            f"Invalid {name} {shown(given)}, must be a boolean, a number or an object"
        )
    refuse_unknown(given, KEEP, unexpected(f"opts.{name}."))
    told = {one: demand_whole(f"{name}.{one}", given[one], 0, MAX_INT) for one in given}
    age = timedelta(seconds=told["age"]) if "age" in told else None
    return KeepJobs(told.get("count"), age, told.get("limit"))


def parent_of(_: str, given: Any) -> ParentJob:  # noqa: ANN401 - out of JSON
    """Read a parent, ``{id, queue}``; its queue is named as BullMQ does, with the prefix."""
    demand("parent", given, dict, AN_OBJECT)
    refuse_unknown(given, {"id", "queue"}, unexpected("opts.parent."))
    for member in ("id", "queue"):
        demand(f"parent.{member}", given.get(member, UNDEFINED), str, "a string")
    prefix, colon, queue = given["queue"].rpartition(":")
    if not (prefix and colon and queue and given["id"]):
        raise bad_request(
            f"Invalid parent.queue {shown(given['queue'])}, must be a prefix and a queue, as in "
            "bull:mail"
        )
    return ParentJob(given["id"], queue)


def job_id_of(name: str, given: Any) -> str:  # noqa: ANN401 - out of JSON
    """Read an id of the client's own."""
    demand(name, given, str, "a string")
    if given.removeprefix("-").isdecimal():
        raise bad_request("Custom Id cannot be integers")
    if ":" in given:
        raise bad_request("Custom Id cannot contain :")
    text: str = given
    return text


def flag_of(name: str, given: Any) -> bool:  # noqa: ANN401 - out of JSON
    """Read a boolean."""
    demand(name, given, bool, "a boolean")
    return bool(given)


def number_from(least: int, most: int) -> Callable[[str, object], int]:
    """Return what reads a whole number."""
    return lambda name, given: demand_whole(name, given, least, most)


def delay_of(name: str, given: object) -> timedelta:
    """Read milliseconds to wait."""
    return timedelta(milliseconds=demand_whole(name, given, 0, MAX_MS))


def timestamp_of(name: str, given: object) -> datetime:
    """Read when a job was created, in milliseconds."""
    return datetime.fromtimestamp(demand_whole(name, given, 0, MAX_MS) / 1000, tz=UTC)


# By BullMQ's name: ours, and what reads it.
OPTIONS: Mapping[str, tuple[str, Callable[[str, Any], object]]] = {
    "delay": ("delay", delay_of),
    "priority": ("priority", number_from(1, MAX_PRIORITY)),
    "attempts": ("attempts", number_from(0, MAX_INT)),
    "backoff": ("backoff", backoff_of),
    "lifo": ("lifo", flag_of),
    "jobId": ("job_id", job_id_of),
    "deduplication": ("deduplication", deduplication_of),
    "removeOnComplete": ("remove_on_complete", keep_of),
    "removeOnFail": ("remove_on_fail", keep_of),
    "keepLogs": ("keep_logs", number_from(0, MAX_INT)),
    "stackTraceLimit": ("stack_trace_limit", number_from(0, MAX_INT)),
    "sizeLimit": ("size_limit", number_from(0, MAX_INT)),
    "timestamp": ("timestamp", timestamp_of),
    "parent": ("parent", parent_of),
}
