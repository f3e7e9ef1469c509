"""Reads a cron expression as Node's parser does, and says what is wrong with it.

Seconds first where there are six fields. What that parser takes, but means otherwise than it looks,
is refused too.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from framework.errors import ScheduleError

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
SHORTHANDS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
    "@minutely": "0 * * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 0 * * 1-5",
    "@weekends": "0 0 0 * * 0,6",
}
PADDING = ["0", "*", "*", "*", "*", "*"]
FIVE = 5
ANY = {"*", "?"}
PART = re.compile(r"(?P<first>\*|\?|\d+)(-(?P<last>\d+))?(/(?P<step>\d+))?")
LAST_WEEKDAY = re.compile(r"([0-7])L")
NTH = re.compile(r"(\*|\?|[0-7])#([1-5])")


@dataclass(frozen=True, slots=True)
class Field:
    """One field's name and range, and the names that may stand for its numbers."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of the month", 1, 31)
MONTH = Field("month", 1, 12, ("", *MONTHS))
WEEKDAY = Field("day of the week", 0, 7, tuple(WEEKDAYS))


@dataclass(frozen=True, slots=True)
class CronFields:
    """A cron expression, read. A day matches if either day field does; None: it does not matter.

    Attributes:
        days: Days of the month, and whether the last one is meant too.
        weekdays: 0 is Sunday.
        nth: Of these weekdays only the nth of the month; 0 for each.
        last_weekdays: Weekdays of which the last of the month is meant.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    days: tuple[int, ...] | None
    has_last_day: bool
    weekdays: tuple[int, ...] | None
    nth: int
    last_weekdays: tuple[int, ...]


@lru_cache(maxsize=1024)
def read_cron(expression: str) -> CronFields:
    """Read an expression; with fewer than five fields the first are filled up, as Node does.

    Raises:
        ScheduleError: Node's parser refuses it, or it does not mean what it looks like.
    """
    raw = SHORTHANDS.get(expression, expression).split()
    if not raw or len(raw) > len(PADDING):
        raise refused(expression, f"it has {len(raw)} fields", "write five fields, or six: ")
    raw = PADDING[: len(PADDING) - len(raw)] + raw
    second, minute, hour, day, month, weekday = (text.lower() for text in raw)
    days, has_last_day = days_of(expression, day)
    weekdays, nth, last_weekdays = weekdays_of(expression, weekday)
    return CronFields(
        seconds=numbers_of(expression, SECOND, second),
        minutes=numbers_of(expression, MINUTE, minute),
        hours=numbers_of(expression, HOUR, hour),
        months=numbers_of(expression, MONTH, month),
        days=days,
        has_last_day=has_last_day,
        weekdays=weekdays,
        nth=nth,
        last_weekdays=last_weekdays,
    )


def check_cron(expression: object) -> str:
    """Return an expression that may be declared.

    Raises:
        ScheduleError: It cannot be read, or has neither five nor six fields.
    """
    if not isinstance(expression, str):
        raise refused(expression, "it is no text", "write five fields: ")
    if expression not in SHORTHANDS and len(expression.split()) < FIVE:
        known = ", ".join(SHORTHANDS)
        fields = len(expression.split())
        raise refused(expression, f"it has {fields} fields", f"write one of {known}, or five: ")
    read_cron(expression)
    return expression


def days_of(expression: str, text: str) -> tuple[tuple[int, ...] | None, bool]:
    """Read the day of the month."""
    if text in ANY:
        return None, False
    parts = text.split(",")
    if parts.count("l") > 1:
        raise refused(expression, '"L" stands twice', "leave one out: ")
    rest = ",".join(part for part in parts if part != "l")
    return numbers_of(expression, DAY, rest) if rest else (), "l" in parts


def weekdays_of(expression: str, text: str) -> tuple[tuple[int, ...] | None, int, tuple[int, ...]]:
    """Read the day of the week."""
    if text in ANY:
        return None, 0, ()
    text = named(expression, WEEKDAY, text).upper()
    if "#" in text:
        found = NTH.fullmatch(text)
        if found is None:
            problem = f'"{text}" is no nth weekday'
            raise refused(expression, problem, "write one weekday and 1 to 5, as in FRI#2: ")
        all_days = range(7) if found[1] in ANY else (int(found[1]) % 7,)
        return tuple(all_days), int(found[2]), ()
    parts = text.split(",")
    last = tuple(int(found[1]) % 7 for part in parts if (found := LAST_WEEKDAY.fullmatch(part)))
    rest = ",".join(part for part in parts if not LAST_WEEKDAY.fullmatch(part))
    weekdays = numbers_of(expression, WEEKDAY, rest) if rest else ()
    return tuple(sorted({day % 7 for day in weekdays})), 0, tuple(sorted(set(last)))


def numbers_of(expression: str, field: Field, text: str) -> tuple[int, ...]:
    """Read numbers, ranges, steps and lists of them."""
    found: list[int] = []
    for part in named(expression, field, text).split(","):
        for number in part_of(expression, field, part):
            if number in found:
                problem = f"the {field.name} {number} stands twice"
                raise refused(expression, problem, "name each once, since BullMQ refuses this: ")
            found.append(number)
    return tuple(sorted(found))


def part_of(expression: str, field: Field, part: str) -> range:
    """Read one number, range or step."""
    found = PART.fullmatch(part)
    if found is None or (found["first"] in ANY and found["last"]):
        raise refused(expression, f'"{part}" is no {field.name}', HINTS.get(field.name, NUMBERS))
    if found["first"] in ANY:
        first, last = field.least, field.most
    else:
        first = int(found["first"])
        last = int(found["last"] or (field.most if found["step"] else first))
    step = int(found["step"] or 1)
    if not field.least <= first <= field.most or not field.least <= last <= field.most:
        allowed = f"write {field.least} to {field.most}: "
        raise refused(expression, f'"{part}" is out of the range of a {field.name}', allowed)
    if first > last:
        raise refused(
            expression, f'"{part}" ends before it begins', "write two ranges, as in 22-23,0-5: "
        )
    if step == 0:
        raise refused(expression, f'"{part}" has a step of 0', "write a step of at least 1: ")
    return range(first, last + 1, step)


NUMBERS = "write numbers, ranges (1-5), lists (1,5) and steps (*/5): "
HINTS = {
    DAY.name: "write numbers, ranges (1-5), lists (1,15), steps (*/5) and L for the last day: ",
    WEEKDAY.name: "write 0 to 7, SUN to SAT, ranges (MON-FRI), 5L (the last Friday), 5#2: ",
}


def named(expression: str, field: Field, text: str) -> str:
    """Put numbers in the place of names."""

    def number(found: re.Match[str]) -> str:
        if found[0] not in field.names:
            known = ", ".join(name.upper() for name in field.names if name)
            raise refused(expression, f'"{found[0]}" is no {field.name}', f"write {known}: ")
        return str(field.names.index(found[0]))

    return re.sub(r"[a-z]{3,}", number, text) if field.names else text


def refused(expression: object, problem: str, fix: str) -> ScheduleError:
    """Return the error of an expression."""
    return ScheduleError(
        f"the cron expression {expression!r} cannot be used: {problem}",
        fix=f'{fix}"0 9 * * 1-5" is 9:00 from Monday to Friday, '
        '"30 0 9 * * *" half a minute after 9:00 each day',
    )
