"""A job's options: from BullMQ's dictionary to what the engine is asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from framework import (
    Custom,
    Deduplication,
    Exponential,
    Fixed,
    JobOptions,
    KeepJobs,
    OptionsError,
    ParentJob,
)
from framework_bullmq.millis import instant_of, span_of
from framework_bullmq.spelling import read_options

POLICIES = {
    "failParentOnFailure": "fail",
    "continueParentOnFailure": "continue",
    "ignoreDependencyOnFailure": "ignore",
    "removeDependencyOnFailure": "remove",
}
SAME = {
    "attempts": "attempts",
    "keepLogs": "keep_logs",
    "lifo": "lifo",
    "priority": "priority",
    "sizeLimit": "size_limit",
    "stackTraceLimit": "stack_trace_limit",
}
KNOWN = frozenset({
    *SAME, *POLICIES, "backoff", "deduplication", "delay", "jobId", "parent", "removeOnComplete",
    "removeOnFail", "timestamp",
})  # fmt: skip
REFUSED = {
    "debounce": "its name is deduplication",
    "prevMillis": "the engine writes it into the runs of a scheduler",
    "repeat": "add a scheduler with queue.upsertJobScheduler",
    "repeatJobKey": "the engine writes it into the runs of a scheduler",
    "telemetry": "it is an interface of BullMQ's own; hear events in its place",
}
KEEPS = frozenset({"age", "count", "limit"})
BACKOFFS = frozenset({"type", "delay", "jitter"})
DEDUPLICATIONS = frozenset({"id", "ttl", "extend", "replace", "keepLastIfActive"})

# As in BullMQ the worker says how long to keep a job that does not; the engine's own producers do.
NOTHING_ASKED = JobOptions(remove_on_complete=None, remove_on_fail=None)


def engine_options(given: object, prefix: str, *, in_flow: bool = False) -> JobOptions:
    """Return what the engine is asked for.

    Args:
        given: BullMQ's options.
        prefix: That of the queue: a parent has the same.
        in_flow: Whether a flow ties the job to its parent, so that a policy needs no ``parent``.

    Raises:
        OptionsError: An option that there is not, that is refused, or that is out of its range.
    """
    if not given and not in_flow:
        return NOTHING_ASKED
    options = read_options("a job", given, KNOWN, REFUSED)
    found = JobOptions(**NOTHING_ASKED)
    asked: dict[str, Any] = {SAME[name]: options[name] for name in SAME if name in options}
    for name, (word, read) in READERS.items():
        if name in options:
            asked[word] = read(options[name])
    if options.get("jobId", "") != "":
        asked["job_id"] = str(options["jobId"])
    asked |= ties_of(options, prefix, in_flow=in_flow)
    found.update(asked)  # type: ignore[typeddict-item]  # the names are JobOptions' own
    return found


def ties_of(options: Mapping[str, Any], prefix: str, *, in_flow: bool) -> dict[str, Any]:
    """Read the parent, and what a failure does to it: as in BullMQ nothing, unless told."""
    policies = [name for name in POLICIES if options.get(name)]
    if len(policies) > 1:
        raise OptionsError(policies[0], f"it cannot be used together with {policies[1]}")
    policy = POLICIES[policies[0]] if policies else "wait"
    if "parent" in options:
        return {"parent": parent_of(options["parent"], prefix), "on_child_failure": policy}
    if policies and not in_flow:
        raise OptionsError(policies[0], "a job without a parent has nobody to tell")
    return {"on_child_failure": policy} if in_flow else {}


def parent_of(given: object, prefix: str) -> ParentJob:
    """Read ``{"id": "7", "queue": "bull:mail"}``; the queue as ``job.queueQualifiedName`` is."""
    parent = read_options("parent", given, frozenset({"id", "queue"}))
    if not parent.keys() >= {"id", "queue"}:
        raise OptionsError("parent", f"it has an id and a queue, got {given!r}")
    theirs, colon, queue = str(parent["queue"]).rpartition(":")
    if not colon or theirs != prefix:
        raise OptionsError(
            "parent",
            f"its queue is {parent['queue']!r}; write {prefix + ':<name>'!r}, as "
            "job.queueQualifiedName is. Parent and child share one prefix",
        )
    return ParentJob(str(parent["id"]), queue)


def backoff_of(given: object) -> Fixed | Exponential | Custom:
    """Read a number of milliseconds, or ``{"type": "exponential", "delay": 1000}``."""
    if not isinstance(given, Mapping):
        return Fixed(span_of("backoff", given))
    backoff = read_options("backoff", given, BACKOFFS)
    delay = span_of("backoff", backoff.get("delay", 0))
    jitter = backoff.get("jitter", 0.0)
    match backoff.get("type"):
        case "fixed":
            return Fixed(delay, jitter)
        case "exponential":
            return Exponential(delay, jitter)
        case str(name) if name:
            return Custom(name, delay, jitter)
        case other:
            raise OptionsError("backoff", f"its type is a name, got {other!r}")


def keep_of(name: str) -> Callable[[object], KeepJobs | bool]:
    """Return what reads a retention: a bool, a count, or ``{"age": 3600, "count": 100}``."""

    def read(given: object) -> KeepJobs | bool:
        if isinstance(given, bool):
            return given
        if isinstance(given, int):
            return KeepJobs(count=given)
        keep = read_options(name, given, KEEPS)
        if "age" in keep:
            keep["age"] = span_of(name, keep["age"] * 1000)
        return KeepJobs(**keep)

    return read


def deduplication_of(given: object) -> Deduplication:
    """Read ``{"id": "x", "ttl": 1000, "extend": True, "replace": True}``."""
    said = read_options("deduplication", given, DEDUPLICATIONS)
    ttl = span_of("deduplication", said["ttl"]) if "ttl" in said else None
    return Deduplication(
        said.get("id", ""),
        ttl,
        extend=bool(said.get("extend")),
        replace=bool(said.get("replace")),
        keep_last_if_active=bool(said.get("keepLastIfActive")),
    )


READERS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "backoff": ("backoff", backoff_of),
    "deduplication": ("deduplication", deduplication_of),
    "delay": ("delay", lambda ms: span_of("delay", ms)),
    "removeOnComplete": ("remove_on_complete", keep_of("removeOnComplete")),
    "removeOnFail": ("remove_on_fail", keep_of("removeOnFail")),
    "timestamp": ("timestamp", lambda ms: instant_of("timestamp", ms)),
}


def merged(defaults: object, given: object, *, in_flow: bool = False) -> dict[str, Any]:
    """Return options over those of a queue; flags for a parent count only where there is one."""
    own = read_options("a job", given, KNOWN, REFUSED)
    usual = read_options("defaultJobOptions", defaults, KNOWN, REFUSED)
    if any(own.get(flag) for flag in POLICIES) or not (in_flow or "parent" in own):
        usual = {name: value for name, value in usual.items() if name not in POLICIES}
    return usual | own
