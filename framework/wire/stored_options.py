"""An ``opts`` JSON as a worker reads it, whoever wrote it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic_core import from_json

from framework.model.options import Backoff, Custom, Exponential, Fixed, JobOptions, KeepJobs
from framework.wire.links import read_dedup, read_parent, read_policy
from framework.wire.members import MOST, is_number, number_in
from framework.wire.millis import from_ms
from framework.wire.options import TIMEOUT
from framework.wire.retention import read_retention


@dataclass(frozen=True, slots=True)
class StoredOptions:
    """An ``opts`` JSON, read: what a worker needs of it, and the public view.

    Attributes:
        attempts: As stored; 0 and 1 both mean one try.
        backoff: None for an immediate retry.
        keep_completed: None where the job says nothing.
        keep_failed: None where the job says nothing.
        stack_trace_limit: None for all.
        keep_logs: None for all.
        timeout_seconds: None where the job says nothing.
    """

    attempts: int
    backoff: Backoff | None
    keep_completed: KeepJobs | None
    keep_failed: KeepJobs | None
    stack_trace_limit: int | None
    keep_logs: int | None
    lifo: bool
    timeout_seconds: float | None
    public: JobOptions


@lru_cache(maxsize=4096)
def decode_options(opts: bytes) -> StoredOptions:
    """Read an ``opts`` JSON; what a peer wrote oddly counts as not given.

    Raises:
        ValueError: It is no JSON object.
    """
    stored = from_json(opts or b"{}")
    if not isinstance(stored, dict):
        raise ValueError("opts is no JSON object")  # noqa: TRY004 - one error for all bad text
    backoff = read_backoff(stored.get("backoff"))
    keep_completed, keep_failed = read_retention(stored)
    attempts = number_in(stored, "attempts") or 0
    timeout_ms = number_in(stored, TIMEOUT)
    return StoredOptions(
        attempts=attempts,
        backoff=backoff,
        keep_completed=keep_completed,
        keep_failed=keep_failed,
        stack_trace_limit=number_in(stored, "stackTraceLimit"),
        keep_logs=number_in(stored, "kl"),
        lifo=bool(stored.get("lifo")),
        timeout_seconds=timeout_ms / 1000 if timeout_ms else None,
        public=public_view(
            {
                "attempts": max(1, attempts),
                "backoff": backoff,
                "delay": from_ms(number_in(stored, "delay") or 0) or None,
                "priority": number_in(stored, "priority") or None,
                "lifo": bool(stored.get("lifo")) or None,
                "job_id": stored.get("jobId"),
                "remove_on_complete": keep_completed,
                "remove_on_fail": keep_failed,
                "stack_trace_limit": number_in(stored, "stackTraceLimit"),
                "keep_logs": number_in(stored, "kl"),
                "timeout": from_ms(timeout_ms) if timeout_ms else None,
                "deduplication": read_dedup(stored.get("de")),
                "parent": read_parent(stored.get("parent")),
                "on_child_failure": read_policy(stored),
            }
        ),
    )


def public_view(facts: dict[str, Any]) -> JobOptions:
    """Return what was said, in the words of the producer."""
    view = JobOptions()
    view.update({name: fact for name, fact in facts.items() if fact is not None})  # type: ignore[typeddict-item]  # the names are JobOptions' own
    return view


def read_backoff(stored: object) -> Backoff | None:
    """Read a backoff: a number means fixed; every other type is somebody's own."""
    if is_number(stored):
        return Fixed(from_ms(min(max(0, stored), MOST)))
    if not isinstance(stored, dict):
        return None
    delay = from_ms(number_in(stored, "delay") or 0)
    jitter = stored.get("jitter", 0)
    jitter = float(min(1, max(0, jitter))) if isinstance(jitter, int | float) else 0.0
    kind = stored.get("type")
    if kind == "fixed":
        return Fixed(delay, jitter)
    if kind == "exponential":
        return Exponential(delay, jitter)
    return Custom(str(kind) or "nameless", delay, jitter)
