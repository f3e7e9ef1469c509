"""A job's options: from what the engine tells to BullMQ's dictionary."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from framework import Custom, Deduplication, Exponential, Fixed, JobOptions, KeepJobs
from framework_bullmq.job_options import POLICIES, SAME
from framework_bullmq.millis import epoch_ms, ms_of

FLAGS = {policy: flag for flag, policy in POLICIES.items()}


def bullmq_options(options: JobOptions, parent_key: str | None = None) -> dict[str, Any]:
    """Return the engine's options as BullMQ's dictionary.

    What was not asked for is left out, but for the three that BullMQ's always has.

    Args:
        options: What the job was added with.
        parent_key: The full key of the parent, which the options name without its prefix.
    """
    asked: Mapping[str, Any] = options
    found: dict[str, Any] = {"attempts": 1, "delay": 0, "backoff": None}
    found |= {name: asked[word] for name, word in SAME.items() if word in asked}
    found |= {name: tell(asked[word]) for name, (word, tell) in WORDERS.items() if word in asked}
    for name in ("removeOnComplete", "removeOnFail"):
        if found.get(name) in (None, {}):
            found.pop(name, None)
    if parent_key:
        queue, _, parent_id = parent_key.rpartition(":")
        found["parent"] = {"id": parent_id, "queue": queue}
    flag = FLAGS.get(asked.get("on_child_failure", "wait"))
    return found if flag is None else found | {flag: True}


def worded_keep(keep: KeepJobs | bool | None) -> object:
    """Word a retention: False keeps all; None leaves it to the worker."""
    if keep is None or isinstance(keep, bool):
        return keep
    if keep.age is None and keep.limit is None:
        return {None: False, 0: True}.get(keep.count, keep.count)
    age = None if keep.age is None else ms_of(keep.age) // 1000
    facts = {"age": age, "count": keep.count, "limit": keep.limit}
    return {name: fact for name, fact in facts.items() if fact is not None}


def worded_backoff(backoff: Fixed | Exponential | Custom | timedelta) -> dict[str, Any]:
    """Word a backoff."""
    if isinstance(backoff, timedelta):
        backoff = Fixed(backoff)
    match backoff:
        case Custom(name):
            kind = name
        case Exponential():
            kind = "exponential"
        case _:
            kind = "fixed"
    jitter = {"jitter": backoff.jitter} if backoff.jitter else {}
    return {"type": kind, "delay": ms_of(backoff.delay), **jitter}


def worded_deduplication(dedup: Deduplication) -> dict[str, Any]:
    """Word a deduplication."""
    found: dict[str, Any] = {"id": dedup.id}
    if dedup.ttl is not None:
        found["ttl"] = ms_of(dedup.ttl)
    modes = {"extend": dedup.extend, "replace": dedup.replace}
    modes["keepLastIfActive"] = dedup.keep_last_if_active
    return found | {name: True for name, is_on in modes.items() if is_on}


WORDERS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "backoff": ("backoff", worded_backoff),
    "deduplication": ("deduplication", worded_deduplication),
    "delay": ("delay", ms_of),
    "jobId": ("job_id", str),
    "removeOnComplete": ("remove_on_complete", worded_keep),
    "removeOnFail": ("remove_on_fail", worded_keep),
    "timestamp": ("timestamp", epoch_ms),
}
