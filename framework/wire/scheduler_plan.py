"""A schedule, checked and worded for Redis."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from framework.errors import ScheduleError
from framework.model.options import JobOptions
from framework.model.schedule import Cron, Every, Overlap, check_instant
from framework.wire.cron import next_ms
from framework.wire.keys import CONTROL, MAX_ID_BYTES, is_text, is_unicode
from framework.wire.millis import instant_to_ms, to_ms
from framework.wire.options import encode_options

LOOKS_LIKE_A_RUN = re.compile(r".*:\d+")
OF_ONE_JOB = ("delay", "job_id", "timestamp", "parent", "on_child_failure", "deduplication")
EMPTY = b"{}"
OVERLAP = "fw.overlap"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerPlan:
    """A schedule, checked and worded for Redis.

    Attributes:
        template: The options of its runs as the ``opts`` JSON words them.
        now: Run at once, then by the expression.
    """

    id: str
    name: str
    data: bytes
    when: Every | Cron
    template: Mapping[str, Any] = field(default_factory=dict[str, Any])
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int | None = None
    immediately: bool = False

    @property
    def repeat(self) -> dict[str, Any]:
        """The member ``repeat`` of its runs' options."""
        told: dict[str, Any] = {"limit": self.limit}
        told |= {"startDate": self.start_ms, "endDate": self.end_ms}
        if isinstance(self.when, Every):
            offset = None if self.when.offset is None else to_ms(self.when.offset) or None
            told |= {"every": to_ms(self.when.interval), "offset": offset}
        else:
            told |= {"pattern": self.when.expression, "tz": self.when.tz}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def fields(self) -> dict[str, str | int | bytes]:
        """The fields of its hash but for ``ic`` and ``offset``."""
        told: dict[str, str | int | bytes] = {"name": self.name, **self.repeat}
        told.pop("offset", None)
        if self.template:
            told["opts"] = compact(self.template)
        if self.data != EMPTY:
            told["data"] = self.data
        return told

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the expression falls due first; None for `Every`, which Redis decides.

        Raises:
            ScheduleError: It never does, or it ends before now.
        """
        if self.end_ms is not None and self.end_ms < now_ms:
            raise ScheduleError(
                f'the schedule "{self.id}" ends in the past', fix="move its end, or remove it"
            )
        if isinstance(self.when, Every):
            return None
        if self.immediately:
            return now_ms
        after = max(now_ms, self.start_ms or 0)
        due = next_ms(self.when.expression, self.when.tz, after)
        if due is None or (self.end_ms is not None and due > self.end_ms):
            raise ScheduleError(
                f'the cron expression "{self.when.expression}" never falls due'
                + (" before the end" if due else ""),
                fix="correct it, or its end",
            )
        return due


def make_plan(
    scheduler_id: str,
    when: Every | Cron,
    name: str,
    data: bytes,
    options: JobOptions,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
    immediately: bool = False,
    overlap: Overlap = "allow",
) -> SchedulerPlan:
    """Check a schedule, and word it for Redis.

    Raises:
        ScheduleError: A time, limit or id that cannot be; the text says what can.
        OptionsError: An option is out of its range.
    """
    check_scheduler_id(scheduler_id)
    check_times(when, start, end, limit, immediately=immediately)
    if overlap not in get_args(Overlap):
        raise ScheduleError(f"overlap={overlap!r}", fix='write "allow" or "skip"')
    template = template_of(options)
    if overlap == "skip":
        template[OVERLAP] = "skip"
    return SchedulerPlan(
        id=scheduler_id,
        name=name,
        data=data,
        when=when,
        template=template,
        start_ms=None if start is None else instant_to_ms(start, "start"),
        end_ms=None if end is None else instant_to_ms(end, "end"),
        limit=limit,
        immediately=immediately,
    )


def check_times(
    when: object,
    start: datetime | None,
    end: datetime | None,
    limit: int | None,
    *,
    immediately: bool,
) -> None:
    """Refuse times that cannot be, or contradict each other."""
    if not isinstance(when, Every | Cron):
        raise ScheduleError(f"{when!r} is no time", fix="write Every(...) or Cron(...)")
    for side, instant in (("start", start), ("end", end)):
        if instant is not None:
            check_instant(side, instant)
    if start is not None and end is not None and end <= start:
        raise ScheduleError(f"end={end} is not after start={start}", fix="correct one of them")
    most: object = limit
    if most is not None and (not isinstance(most, int) or most < 1):
        raise ScheduleError(f"limit={limit!r}", fix="write how many runs there may be, at least 1")
    if immediately and isinstance(when, Every):
        raise ScheduleError(
            "immediately=True with Every(...)",
            fix="leave it out: without an offset the first run is at once",
        )
    if immediately and start is not None:
        raise ScheduleError("both immediately and start", fix="leave one out")


def check_scheduler_id(scheduler_id: object) -> None:
    """Refuse an id that would collide with another key, or that peers could not read.

    Raises:
        ScheduleError: It is no text, too long, or looks like a run of another schedule.
    """
    problem = None
    if not is_text(scheduler_id) or CONTROL.search(scheduler_id):
        problem = "it is text that is not empty, without control characters"
    elif not is_unicode(scheduler_id):
        problem = "it is no valid Unicode text"
    elif LOOKS_LIKE_A_RUN.fullmatch(scheduler_id):
        problem = "it must not end in a colon and a number: so the runs of schedules are named"
    elif len(scheduler_id.encode(errors="replace")) > MAX_ID_BYTES:
        problem = f"at most {MAX_ID_BYTES} bytes are allowed"
    if problem:
        raise ScheduleError(f"the id {scheduler_id!r} cannot be a schedule's", fix=problem)


def template_of(options: JobOptions) -> dict[str, Any]:
    """Return options as each run's ``opts`` holds them.

    Raises:
        ScheduleError: One that only a single job can have.
        OptionsError: One is out of its range.
    """
    for name in OF_ONE_JOB:
        if name in options:
            raise ScheduleError(
                f"a schedule's jobs cannot have {name}=…",
                fix="leave it out: the schedule gives each of them its id and its time",
            )
    template: dict[str, Any] = json.loads(encode_options(options).opts)
    if not template.get("attempts"):
        template.pop("attempts", None)
    return template


def compact(value: object) -> str:
    """Return JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
