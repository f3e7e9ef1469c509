"""Jobs at set times: how often, from when to when, and what a queue tells of each schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from framework.errors import ScheduleError
from framework.model.cron_fields import check_cron
from framework.model.options import JobOptions

MILLISECOND = timedelta(milliseconds=1)

Overlap = Literal["allow", "skip"]


@dataclass(frozen=True, slots=True)
class Every:
    """At equal distances. The first run is at once, unless there is an offset or a start.

    Args:
        interval: From run to run. At least a millisecond, whole milliseconds.
        offset: How far behind whole multiples of the interval, counted from 1970 in UTC, runs are.

    Raises:
        ScheduleError: No time, or an offset that is not shorter than the interval.
    """

    interval: timedelta
    offset: timedelta | None = None

    def __post_init__(self) -> None:
        check_span("interval", self.interval)
        if self.interval < MILLISECOND:
            raise ScheduleError(
                f"Every({self.interval!r}) is no time", fix="write at least a millisecond"
            )
        if self.offset is None:
            return
        check_span("offset", self.offset)
        if not timedelta(0) <= self.offset < self.interval:
            raise ScheduleError(
                f"an offset of {self.offset} in an interval of {self.interval}",
                fix="write an offset that is not negative and shorter than the interval",
            )


@dataclass(frozen=True, slots=True)
class Cron:
    """When the clock shows what a cron expression says.

    Args:
        expression: Five fields, or six with seconds first, as Node's parser reads them: steps,
            ranges, lists, names, ``L``, ``#``. Where both day fields say something, either will do.
        tz: The zone of that clock, such as ``Europe/Rome``. Always stored, so that all
            workers of a fleet agree.

    Raises:
        ScheduleError: Node's parser would not take it; the text says why and what to write.
    """

    expression: str
    tz: str = "UTC"

    def __post_init__(self) -> None:
        check_cron(self.expression)
        check_zone(self.tz)


@dataclass(frozen=True, slots=True)
class JobScheduler:
    """A schedule as it stands in Redis, whoever made it.

    Attributes:
        id: Unique within its queue.
        queue: The queue's name.
        name: The name of its jobs.
        next_run: When its next run is due, or its last one was.
        iterations: How many runs were put in line so far.
        every: The distance of runs, or None.
        offset: How far behind whole multiples of it they are.
        pattern: The cron expression, or None.
        tz: The expression's zone; None where a peer stored none.
        start: Not before then.
        end: Not after then.
        limit: At most so many runs.
        data: The payload of its jobs.
        options: What its jobs are added with.
    """

    id: str
    queue: str
    name: str
    next_run: datetime
    iterations: int = 0
    every: timedelta | None = None
    offset: timedelta | None = None
    pattern: str | None = None
    tz: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None
    data: object = None
    options: JobOptions = field(default_factory=JobOptions)


def check_span(name: str, span: object) -> None:
    """Refuse what is no span of whole milliseconds."""
    if not isinstance(span, timedelta):
        raise ScheduleError(
            f"{name}={span!r} is no timedelta", fix="write timedelta(minutes=5), say"
        )
    if span % MILLISECOND:
        raise ScheduleError(f"{name}={span!r}", fix="write whole milliseconds")


def check_instant(name: str, instant: object) -> None:
    """Refuse a datetime whose meaning depends on the machine."""
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise ScheduleError(
            f"{name}={instant!r} has no time zone, so each machine would read it otherwise",
            fix='write datetime(2030, 1, 1, tzinfo=UTC), or tzinfo=ZoneInfo("Europe/Rome")',
        )


def check_zone(tz: object) -> None:
    """Refuse a zone that there is not."""
    try:
        ZoneInfo(tz if isinstance(tz, str) else "")
    except (ValueError, OSError, KeyError):  # an unknown zone, an odd path, a folder
        raise ScheduleError(
            f"tz={tz!r} is no time zone", fix='write a name such as "UTC" or "Europe/Rome"'
        ) from None
