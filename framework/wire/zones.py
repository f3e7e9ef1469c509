"""Time zones by the names that Node's library knows too."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from framework.errors import ScheduleError

# `UTC+3`, `utc-05:30`.
DISTANCE = re.compile(r"utc(?:(?P<hours>[+-]\d{1,2})(?::(?P<minutes>\d{2}))?)?", re.IGNORECASE)
# What a schedule without a zone counts by, too.
OF_THE_MACHINE = frozenset({"local", "system", "default"})


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Return a zone that any peer may have stored.

    Raises:
        ScheduleError: No zone has this name.
    """
    if distance := DISTANCE.fullmatch(name):
        return at_distance(distance["hours"] or "+0", distance["minutes"] or "0")
    if name.lower() in OF_THE_MACHINE:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # an odd path, a folder, an unknown zone
        known = {each.lower(): each for each in available_timezones()}
    if name.lower() not in known:
        raise ScheduleError(
            f"tz={name!r} is no time zone", fix='write a name such as "UTC" or "Europe/Rome"'
        )
    return ZoneInfo(known[name.lower()])


def at_distance(hours: str, minutes: str) -> tzinfo:
    """Return the zone that is always so far from UTC; a day is the most there can be."""
    span = timedelta(hours=abs(int(hours)), minutes=int(minutes))
    if span >= timedelta(days=1):
        raise ScheduleError(f"a zone {hours}:{minutes} from UTC", fix="write less than a day")
    return timezone(-span if hours.startswith("-") else span)
