"""When a cron expression falls due next: the instants that the parser of BullMQ 6 finds.

croniter walks the wall clock; which instant a wall time is, where the clocks are changed, is
decided here as that parser decides it:

- A time that the clocks skip runs in the hour they land in, at the expression's first minute.
- Of an hour that comes twice the first counts, unless every hour is asked for: then both do.
- A day that is looked at from the day before begins at its first hour that comes but once: what the
  clocks skip at midnight does not run, what they repeat there runs the second time.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from framework.model.cron_fields import CronFields, read_cron
from framework.wire.millis import EPOCH, MILLISECOND
from framework.wire.zones import zone_of

ALL_HOURS = 24
LAST_HOUR = 23
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def next_ms(expression: str, tz: str, after_ms: int) -> int | None:
    """Return the first instant of an expression after ``after_ms``; None if there is none.

    Raises:
        ScheduleError: The expression or the zone cannot be used.
    """
    after = (EPOCH + after_ms * MILLISECOND).astimezone(zone_of(tz))
    found = next_instant(read_cron(expression), after)
    return None if found is None else (found - EPOCH) // MILLISECOND


def next_instant(fields: CronFields, after: datetime) -> datetime | None:
    """Return the first instant after an aware one, in UTC."""
    zone, now = after.tzinfo or UTC, after.astimezone(UTC)
    start = after.replace(tzinfo=None, microsecond=0, fold=0)
    wall = next_wall(fields, start)
    if again := repeated(fields, after, wall):
        return again
    while wall is not None:
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second:
            found = landing(fields, start, change_between(zone, second, first), zone)
        elif first < second and not is_walked_into(fields, start, opening(zone, first, second)):
            found = second
        else:
            found = first if first > now else second
        if found is not None and found > now:
            return found
        wall = next_wall(fields, wall)
    return None


def repeated(fields: CronFields, after: datetime, wall: datetime | None) -> datetime | None:
    """Return what runs once more in an hour that comes twice, if nothing more does the first time.

    Args:
        after: Maybe in that hour, for the first time.
        wall: The next wall time after it.
    """
    zone = after.tzinfo or UTC
    after = after.replace(microsecond=0)
    first, second = (after.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if after.fold or first >= second or len(fields.hours) != ALL_HOURS:
        return None
    begin = opening(zone, first, second)
    end = begin + (second - first)
    if wall is not None and wall < end:
        return None
    again = next_wall(fields, begin - SECOND)
    if again is None or again >= end:
        return None
    return again.replace(tzinfo=zone, fold=1).astimezone(UTC)


def landing(fields: CronFields, start: datetime, change: datetime, zone: tzinfo) -> datetime | None:
    """Return what runs in the place of times that the clocks skip; None if nothing does."""
    landed = change.astimezone(zone).replace(tzinfo=None)
    skipped = landed - (change - SECOND).astimezone(zone).replace(tzinfo=None) - SECOND
    if skipped < HOUR or not is_walked_into(fields, start, landed - skipped):
        return None
    wall = landed.replace(minute=fields.minutes[0], second=fields.seconds[0])
    return wall.replace(tzinfo=zone).astimezone(UTC)


def is_walked_into(fields: CronFields, start: datetime, change: datetime) -> bool:
    """Tell whether a change of the clocks is met hour by hour, and not by beginning a day.

    Args:
        start: The wall time from which on is looked.
        change: The wall time of the change: the first that is skipped, or that comes twice.
    """
    at_midnight = change.time() == datetime.min.time()
    from_before = change - HOUR <= start and LAST_HOUR in fields.hours
    return not at_midnight or from_before or start >= change


def opening(zone: tzinfo, first: datetime, second: datetime) -> datetime:
    """Return the first wall time that comes twice, around one that does so."""
    return change_between(zone, first, second).astimezone(zone).replace(tzinfo=None, fold=0)


def change_between(zone: tzinfo, early: datetime, late: datetime) -> datetime:
    """Return the instant between two, in UTC, at which the clocks are changed."""
    before = early.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + SECOND * ((late - early) // SECOND // 2)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def next_wall(fields: CronFields, wall: datetime) -> datetime | None:
    """Return the first wall time after ``wall``; None if there is none."""
    # Here, since its import takes tens of milliseconds, and few applications need it.
    from croniter import CroniterBadDateError, croniter  # noqa: PLC0415

    found: list[datetime] = []
    for way in ways(fields):
        with suppress(CroniterBadDateError):
            found.append(croniter(way, wall, second_at_beginning=True).next(datetime))
    return min(found, default=None)


@lru_cache(maxsize=1024)
def ways(fields: CronFields) -> tuple[str, ...]:
    """Return expressions of croniter that together mean the same."""
    time = " ".join(map(listed, (fields.seconds, fields.minutes, fields.hours)))
    return tuple(f"{time} {day} {listed(fields.months)} {weekday}" for day, weekday in days(fields))


def days(fields: CronFields) -> Iterator[tuple[str, str]]:
    """Yield the day fields of each."""
    if fields.days is None and fields.weekdays is None:
        yield "*", "*"
    if fields.days:
        yield listed(fields.days), "*"
    if fields.has_last_day:
        yield "l", "*"
    if fields.weekdays and fields.nth:
        yield "*", ",".join(f"{day}#{fields.nth}" for day in fields.weekdays)
    elif fields.weekdays:
        yield "*", listed(fields.weekdays)
    for day in fields.last_weekdays:
        yield "*", f"L{day}"


def listed(numbers: tuple[int, ...]) -> str:
    """Return numbers as a list of croniter's."""
    return ",".join(map(str, numbers))
