"""Counts and pages of jobs as BullMQ's ``getJobCounts`` and ``getJobs`` give them."""

from collections.abc import Iterable, Sequence
from typing import Any

from framework import Job, JobState, Queue

PAUSED = "paused"
WAITING = "waiting"
# In BullMQ's order.
TYPES = (
    "active", "completed", "delayed", "failed", PAUSED, "prioritized", WAITING, "waiting-children",
)  # fmt: skip


def types_asked(types: Iterable[str]) -> Sequence[str]:
    """Return which types are meant: none is all, and ``waiting`` means ``paused`` too."""
    asked = list(types)
    if not asked:
        return TYPES
    if WAITING in asked:
        asked.append(PAUSED)
    return list(dict.fromkeys(asked))


async def job_counts(queue: Queue, types: Iterable[str] = ()) -> dict[str, int]:
    """Count jobs by their types; those that wait are ``paused`` while the queue is.

    Args:
        types: Of `TYPES`; none is all.
    """
    counts = {state.value: count for state, count in (await queue.counts()).items()}
    counts[PAUSED] = 0
    if counts[WAITING] and await queue.is_paused():
        counts[PAUSED], counts[WAITING] = counts[WAITING], 0
    return {one: counts[one] for one in types_asked(types)}


async def jobs_page(
    queue: Queue, types: Iterable[str], start: int = 0, end: int = -1, *, asc: bool = False
) -> list[Job[Any, Any]]:
    """Return jobs, the page of one type behind that of the other, as BullMQ does.

    Args:
        types: Of `TYPES`; none is all.
        start: Place of the first of each type, from 0.
        end: Place of the last, included; -1: to the end.
        asc: The oldest first.
    """
    asked = types_asked(types)
    found: list[Job[Any, Any]] = []
    for one in asked:
        if one != PAUSED:
            state = JobState(one)
        elif WAITING in asked or not await queue.is_paused():
            continue  # they stand in one line with those that wait
        else:
            state = JobState.WAITING
        found += await queue.jobs(state, start, end, newest_first=not asc)
    return found
