"""A scheduler as BullMQ's dictionaries describe it, and as the engine takes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from framework import Cron, Every, JobScheduler, OptionsError
from framework_bullmq.millis import date_of, epoch_ms, ms_of, span_of
from framework_bullmq.spelling import read_options
from framework_bullmq.told_options import bullmq_options

REPEAT = frozenset({
    "pattern", "every", "limit", "startDate", "endDate", "tz", "offset", "immediately",
})  # fmt: skip
REFUSED = {
    "count": "the scheduler itself counts",
    "jobId": "the scheduler itself names its runs",
    "key": "the scheduler's id is its key",
    "prevMillis": "the scheduler itself keeps it",
}


class Repeat:
    """How a scheduler repeats, read and checked.

    Args:
        given: BullMQ's options.

    Raises:
        OptionsError: One that there is not, or two that contradict each other.
    """

    def __init__(self, given: object) -> None:
        options = read_options("repeat_opts", given, REPEAT, REFUSED)
        self.when = when_of(options)
        self.start = read_date(options, "startDate")
        self.end = read_date(options, "endDate")
        self.limit: int | None = options.get("limit")
        # With an interval the first run is at once anyway.
        self.immediately = bool(options.get("immediately")) and isinstance(self.when, Cron)
        if options.get("immediately") and self.start is not None:
            raise OptionsError("immediately", "it cannot be used together with startDate")


def when_of(options: Mapping[str, Any]) -> Every | Cron:
    """Read an interval or a cron expression."""
    if "pattern" in options and "every" in options:
        raise OptionsError("every", "it cannot be used together with pattern")
    if "every" in options:
        if "tz" in options:
            raise OptionsError("tz", "an interval has no time zone; it goes with pattern")
        offset = span_of("offset", options["offset"]) if "offset" in options else None
        return Every(span_of("every", options["every"]), offset)
    if "pattern" in options:
        if "offset" in options:
            raise OptionsError("offset", "a pattern has none; it goes with every")
        return Cron(options["pattern"], options.get("tz", "UTC"))
    raise OptionsError("repeat_opts", "give pattern, a cron expression, or every, in milliseconds")


def read_date(options: Mapping[str, Any], name: str) -> datetime | None:
    """Read a date, if it is given."""
    return date_of(name, options[name]) if name in options else None


def told_scheduler(found: JobScheduler) -> dict[str, Any]:
    """Return a scheduler as BullMQ's dictionary."""
    facts = {
        "limit": found.limit,
        "startDate": epoch_ms(found.start) or None,
        "endDate": epoch_ms(found.end) or None,
        "tz": found.tz,
        "pattern": found.pattern,
        "every": None if found.every is None else ms_of(found.every),
        "offset": None if found.offset is None else ms_of(found.offset),
    }
    told: dict[str, Any] = {
        "key": found.id,
        "name": found.name,
        "next": epoch_ms(found.next_run),
        "iterationCount": found.iterations,
        **{name: fact for name, fact in facts.items() if fact is not None},
    }
    opts = {name: value for name, value in bullmq_options(found.options).items() if value}
    if opts.get("attempts") == 1:
        del opts["attempts"]
    template = {"data": found.data, "opts": opts}
    told_template = {name: value for name, value in template.items() if value not in (None, {})}
    return told | ({"template": told_template} if told_template else {})
