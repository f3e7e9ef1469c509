"""Reads a cron expression as Node's parser does, and says what is wrong with it.

Seconds first where there are six fields. What that parser takes, but means otherwise than it looks,
is refused too.
"""

import re
from dataclasses import dataclass, field
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
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ANY = {"*", "?"}
PART = re.compile(r"(?P<first>\*|\?|\d+)(-(?P<last>\d+))?(/(?P<step>\d+))?")
LAST_WEEKDAY = re.compile(r"([0-7])L")
NTH = re.compile(r"(\*|\?|[0-7])#([1-5])")


@dataclass(frozen=True, slots=True)
class Unit:
    """One field's name and range, and the names that may stand for its numbers."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


SECOND = Unit("second", 0, 59)
MINUTE = Unit("minute", 0, 59)
HOUR = Unit("hour", 0, 23)
DAY = Unit("day of the month", 1, 31)
MONTH = Unit("month", 1, 12, ("", *MONTHS))
WEEKDAY = Unit("day of the week", 0, 7, tuple(WEEKDAYS))


NUMBERS = "write numbers, ranges (1-5), lists (1,5) and steps (*/5): "
HINTS = {
    DAY.name: "write numbers, ranges (1-5), lists (1,15), steps (*/5) and L for the last day: ",
    WEEKDAY.name: "write 0 to 7, SUN to SAT, ranges (MON-FRI), 5L (the last Friday), 5#2: ",
}


@dataclass(frozen=True, slots=True)
class CronFields:
    """A cron expression, read. A day matches if either day field does; None: it does not matter.

    Attributes:
        days: Days of the month, and whether the last one is meant too.
        weekdays: 0 is Sunday.
        nth: Of these weekdays only the nth of the month; 0 for each.
        last_weekdays: Weekdays of which the last of the month is meant.
        twice: What stands twice in a list, which BullMQ 5 takes and BullMQ 6 refuses.
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
    twice: str = field(default="", compare=False)


def check_cron(expression: object) -> str:
    """Return an expression that may be declared.

    Raises:
        ScheduleError: It cannot be read, or has neither five nor six fields.
    """
    if not isinstance(expression, str):
        raise refused(expression, "it is no text", "write five fields: ")
    size = len(SHORTHANDS.get(expression, expression).split())
    if size < FIVE:
        known = ", ".join(SHORTHANDS)
        raise refused(expression, f"it has {size} fields", f"write one of {known}, or five: ")
    fields = read_cron(expression)
    if fields.twice:
        raise refused(
            expression, f"{fields.twice} stands twice", "write each once, as BullMQ 6 wants it: "
        )
    if fields.days and not fields.has_last_day and fields.weekdays is None:
        longest = max(DAYS_IN_MONTH[month - 1] for month in fields.months)
        if fields.days[0] > longest:
            problem = "none of its months has such a day"
            raise refused(expression, problem, "write L for the last day of a month: ")
    return expression


@lru_cache(maxsize=1024)
def read_cron(expression: str) -> CronFields:
    """Read an expression; with fewer than five fields the first are filled up, as Node does.

    Raises:
        ScheduleError: Node's parser refuses it, or it does not mean what it looks like.
    """
    raw = SHORTHANDS.get(expression, expression).split()
    if not raw or len(raw) > len(PADDING):
        raise refused(expression, f"it has {len(raw)} fields", "write five fields, or six: ")
    second, minute, hour, day, month, weekday = PADDING[: len(PADDING) - len(raw)] + raw
    reader = Reader(expression)
    days, has_last_day = reader.days(day)
    weekdays, nth, last_weekdays = reader.weekdays(weekday)
    return CronFields(
        seconds=reader.numbers(SECOND, second),
        minutes=reader.numbers(MINUTE, minute),
        hours=reader.numbers(HOUR, hour),
        months=reader.numbers(MONTH, month),
        days=days,
        has_last_day=has_last_day,
        weekdays=weekdays,
        nth=nth,
        last_weekdays=last_weekdays,
        twice=reader.twice,
    )


@dataclass(slots=True)
class Reader:
    """Reads the fields of one expression.

    Attributes:
        expression: The whole, for errors.
        twice: What stood twice in a list.
    """

    expression: str
    twice: str = ""

    def days(self, text: str) -> tuple[tuple[int, ...] | None, bool]:
        """Read the day of the month, and whether its last one is meant too."""
        if text in ANY:
            return None, False
        parts = text.split(",")
        if parts.count("L") > 1:
            self.twice = "L"
        rest = ",".join(part for part in parts if part != "L")
        return self.numbers(DAY, rest) if rest else (), "L" in parts

    def weekdays(self, text: str) -> tuple[tuple[int, ...] | None, int, tuple[int, ...]]:
        """Read the weekdays, which of them in the month, and those whose last one is meant."""
        if text in ANY:
            return None, 0, ()
        text = self.named(WEEKDAY, text)
        if "#" in text:
            found = NTH.fullmatch(text)
            if found is None:
                raise self.refused(
                    f'"{text}" is no nth weekday', "write one weekday and 1 to 5, as in FRI#2: "
                )
            days = range(7) if found[1] in ANY else (int(found[1]) % 7,)
            return tuple(days), int(found[2]), ()
        parts = text.split(",")
        last = sorted(
            int(found[1]) % 7 for each in parts if (found := LAST_WEEKDAY.fullmatch(each))
        )
        if len(set(last)) < len(last):
            self.twice = "a last weekday"
        rest = ",".join(each for each in parts if not LAST_WEEKDAY.fullmatch(each))
        return self.numbers(WEEKDAY, rest) if rest else (), 0, tuple(last)

    def numbers(self, unit: Unit, text: str) -> tuple[int, ...]:
        """Read numbers, ranges, steps and lists of them."""
        found: set[int] = set()
        for part in self.named(unit, text).split(","):
            # 7 is Sunday too.
            numbers = {
                number % 7 if unit is WEEKDAY else number for number in self.part(unit, part)
            }
            for number in found & numbers:
                self.twice = f"the {unit.name} {number}"
            found |= numbers
        return tuple(sorted(found))

    def part(self, unit: Unit, part: str) -> range:
        """Read one number, range or step."""
        found = PART.fullmatch(part)
        if found is None or (found["first"] in ANY and found["last"]):
            raise self.refused(f'"{part}" is no {unit.name}', HINTS.get(unit.name, NUMBERS))
        if found["first"] in ANY:
            first, last = unit.least, unit.most
        else:
            first = int(found["first"])
            last = int(found["last"] or (unit.most if found["step"] else first))
        step = int(found["step"] or 1)
        if not unit.least <= first <= unit.most or not unit.least <= last <= unit.most:
            raise self.refused(
                f'"{part}" is out of the range of the field {unit.name}',
                f"write {unit.least} to {unit.most}: ",
            )
        if first > last:
            raise self.refused(
                f'"{part}" ends before it begins', "write two ranges, as in 22-23,0-5: "
            )
        if step == 0:
            raise self.refused(f'"{part}" has a step of 0', "write a step of at least 1: ")
        return range(first, last + 1, step)

    def named(self, unit: Unit, text: str) -> str:
        """Put numbers in the place of names."""

        def number(found: re.Match[str]) -> str:
            if found[0].lower() not in unit.names:
                known = ", ".join(name.upper() for name in unit.names if name)
                raise self.refused(f'"{found[0]}" is no {unit.name}', f"write {known}: ")
            return str(unit.names.index(found[0].lower()))

        return re.sub(r"[A-Za-z]{3}", number, text) if unit.names else text

    def refused(self, problem: str, fix: str) -> ScheduleError:
        """Return the error of the expression."""
        return refused(self.expression, problem, fix)


def refused(expression: object, problem: str, fix: str) -> ScheduleError:
    """Return the error of an expression."""
    return ScheduleError(
        f"the cron expression {expression!r} cannot be used: {problem}",
        fix=f'{fix}"0 9 * * 1-5" is 9:00 from Monday to Friday, '
        '"30 0 9 * * *" half a minute after 9:00 each day',
    )
