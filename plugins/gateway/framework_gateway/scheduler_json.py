"""A schedule as BullMQ's ``getJobSchedulers`` words it."""

from datetime import UTC, datetime, timedelta

from framework import JobScheduler

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def scheduler_json(scheduler: JobScheduler) -> dict[str, object]:
    """Return a schedule.

    ``{"key": str, "name": str, "next": ms, "iterationCount": int}``, and where it has them
    ``every``, ``offset``, ``startDate`` and ``endDate`` in ms, ``pattern``, ``tz``, ``limit`` and
    ``template.data``.
    """
    facts: dict[str, object | None] = {
        "key": scheduler.id,
        "name": scheduler.name,
        "next": ms_of(scheduler.next_run),
        "iterationCount": scheduler.iterations,
        "every": None if scheduler.every is None else scheduler.every // MILLISECOND,
        "offset": None if scheduler.offset is None else scheduler.offset // MILLISECOND,
        "pattern": scheduler.pattern,
        "tz": scheduler.tz,
        "startDate": ms_of(scheduler.start),
        "endDate": ms_of(scheduler.end),
        "limit": scheduler.limit,
        "template": None if scheduler.data is None else {"data": scheduler.data},
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def ms_of(moment: datetime | None) -> int | None:
    """Return an instant in milliseconds."""
    return None if moment is None else (moment - EPOCH) // MILLISECOND
