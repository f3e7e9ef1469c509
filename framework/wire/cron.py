"""When a cron expression falls due next: the instants that Node's parser finds.

croniter walks the wall clock; which instant a wall time is, where the clocks are changed, is
decided here as Node decides it:

- A time that the clocks skip runs in the hour they land in, at the expression's minute.
- Of an hour that comes twice the first is meant, unless every hour is: then both are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from framework.model.cron_fields import CronFields, read_cron
from framework.wire.millis import EPOCH, MILLISECOND

ALL_HOURS = 24
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def next_ms(expression: str, tz: str, after_ms: int) -> int | None:
    """Return the first instant of an expression after ``after_ms``; None if there is none.

    Raises:
        ScheduleError: The expression cannot be used.
    """
    fields = read_cron(expression)
    after = (EPOCH + after_ms * MILLISECOND).astimezone(ZoneInfo(tz))
    try:
        found = next_instant(fields, after)
    except (CroniterBadDateError, OverflowError):
        return None
    return (found - EPOCH) // MILLISECOND


def next_instant(fields: CronFields, after: datetime) -> datetime:
    """Return the first instant after an aware one."""
    zone, wall = after.tzinfo, after.replace(tzinfo=None, fold=0, microsecond=0)
    if len(fields.hours) == ALL_HOURS and (again := in_repeated_hour(fields, after)):
        return again
    while True:
        wall = next_wall(fields, wall)
        early = wall.replace(tzinfo=zone, fold=0)
        late = wall.replace(tzinfo=zone, fold=1)
        if is_there(early):
            if early > after.astimezone(UTC):
                return early.astimezone(UTC)
            if late > after.astimezone(UTC):
                return late.astimezone(UTC)
            continue
        landing = after_gap(fields, early, late)
        if landing is not None and landing > after.astimezone(UTC):
            return landing


def is_there(local: datetime) -> bool:
    """Tell whether a wall time is one that the clocks show."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def in_repeated_hour(fields: CronFields, after: datetime) -> datetime | None:
    """Return a match while the clocks show the same times again, if ``after`` is before that."""
    second = after.replace(fold=1)
    shift = second.astimezone(UTC) - after.astimezone(UTC)
    if after.fold or shift <= timedelta(0):
        return None
    return None


def after_gap(fields: CronFields, early: datetime, late: datetime) -> datetime | None:
    """Return what runs in the place of a time that the clocks skip."""
    return None


def next_wall(fields: CronFields, wall: datetime) -> datetime:
    """Return the first wall time after ``wall``."""
    found: list[datetime] = [
        croniter(one, wall, second_at_beginning=True).next(datetime) for one in ways(fields)
    ]
    return min(found)


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
