"""Between a schedule and what stands of it in Redis: its hash, and the options of its runs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from framework.errors import ScheduleError
from framework.model.job import JobId
from framework.model.options import JobOptions
from framework.model.schedule import Cron, Every, JobScheduler, check_instant
from framework.wire.cron import next_ms
from framework.wire.job_hash import Fields, json_value, number, text
from framework.wire.keys import CONTROL, MAX_ID_BYTES, is_text
from framework.wire.millis import from_ms, instant_from_ms, instant_to_ms, to_ms
from framework.wire.options import encode_options
from framework.wire.stored_options import decode_options, is_number

LOOKS_LIKE_A_RUN = re.compile(r".*:\d+")
# What each run has of its own; the rest of its options is the template's.
OWN = ("jobId", "delay", "timestamp", "prevMillis", "repeatJobKey", "repeat")
OF_ONE_JOB = ("delay", "job_id", "timestamp", "parent", "on_child_failure", "deduplication")
EMPTY = b"{}"


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
            ScheduleError: Never.
        """
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
) -> SchedulerPlan:
    """Check a schedule, and word it for Redis.

    Raises:
        ScheduleError: A time, limit or id that cannot be; the text says what can.
        OptionsError: An option is out of its range.
    """
    check_scheduler_id(scheduler_id)
    if not isinstance(when, Every | Cron):
        raise ScheduleError(f"{when!r} is no time", fix="write Every(...) or Cron(...)")
    for side, instant in (("start", start), ("end", end)):
        if instant is not None:
            check_instant(side, instant)
    if start is not None and end is not None and end <= start:
        raise ScheduleError(f"end={end} is not after start={start}", fix="correct one of them")
    if limit is not None and limit < 1:
        raise ScheduleError(f"limit={limit!r}", fix="write how many runs there may be, at least 1")
    if immediately and isinstance(when, Every):
        raise ScheduleError(
            "immediately=True with Every(...)",
            fix="leave it out: without an offset the first run is at once",
        )
    if immediately and start is not None:
        raise ScheduleError("both immediately and start", fix="leave one out")
    return SchedulerPlan(
        id=scheduler_id,
        name=name,
        data=data,
        when=when,
        template=template_of(options),
        start_ms=None if start is None else instant_to_ms(start, "start"),
        end_ms=None if end is None else instant_to_ms(end, "end"),
        limit=limit,
        immediately=immediately,
    )


def check_scheduler_id(scheduler_id: object) -> None:
    """Refuse an id that would collide with another key, or that peers could not read.

    Raises:
        ScheduleError: It is no text, too long, or looks like a run of another schedule.
    """
    problem = None
    if not is_text(scheduler_id) or CONTROL.search(scheduler_id):
        problem = "it is text that is not empty, without control characters"
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


@dataclass(frozen=True, slots=True)
class Run:
    """A run to put in line, as far as it is known before Redis says when it is due.

    Attributes:
        opts: Its ``opts`` JSON, up to the end of the member ``repeat``.
        quoted: The beginning of its id as it stands in JSON.
        due_ms: When it is due; None where Redis decides.
        repeat: The member ``repeat``.
    """

    opts: str
    quoted: str
    due_ms: int | None
    priority: int
    push: str
    repeat: Mapping[str, Any]


def make_run(
    scheduler_id: str,
    template: Mapping[str, Any],
    repeat: Mapping[str, Any],
    now_ms: int,
    due_ms: int | None,
) -> Run:
    """Word the options of one run."""
    own: dict[str, Any] = {"timestamp": now_ms, "repeatJobKey": scheduler_id}
    if due_ms is not None:
        own["prevMillis"] = due_ms
    priority = template.get("priority")
    return Run(
        opts=f'{compact({**template, **own})[:-1]},"repeat":{compact(repeat)[:-1]}',
        quoted=json.dumps(f"repeat:{scheduler_id}:")[1:-1],
        due_ms=due_ms,
        priority=int(priority) if is_number(priority) else 0,
        push="RPUSH" if template.get("lifo") else "LPUSH",
        repeat=repeat,
    )


def next_run_of(scheduler_id: str, opts: bytes, now_ms: int) -> Run | None:
    """Return the run after one that has begun; None where there is none any more.

    Args:
        opts: The options of the one that has begun, whoever wrote them.

    Raises:
        ValueError: They are no JSON, or no run's.
        ScheduleError: The cron expression cannot be used.
    """
    stored = from_json(opts)
    repeat = stored.get("repeat") if isinstance(stored, dict) else None
    if not isinstance(repeat, dict):
        raise ValueError("its options do not say how it repeats")  # noqa: TRY004 - one error for all bad text
    count = int(repeat.get("count") or 0) + 1
    end_ms = instant_in(repeat, "endDate")
    if (repeat.get("limit") and count > int(repeat["limit"])) or (end_ms and now_ms > end_ms):
        return None
    due_ms = None
    if pattern := repeat.get("pattern"):
        since = max(now_ms, int(stored.get("prevMillis") or 0))
        zone = "UTC" if repeat.get("utc") else repeat.get("tz") or "UTC"
        due_ms = next_ms(pattern, zone, max(since, instant_in(repeat, "startDate") or 0))
        if due_ms is None or (end_ms and due_ms > end_ms):
            return None
    template = {name: value for name, value in stored.items() if name not in OWN}
    return make_run(scheduler_id, template, {**repeat, "count": count}, now_ms, due_ms)


def instant_in(repeat: Mapping[str, Any], name: str) -> int | None:
    """Return a time in milliseconds; old peers wrote some as texts."""
    value = repeat.get(name)
    if isinstance(value, str) and not value.isdigit():
        return instant_to_ms(datetime.fromisoformat(value))
    return int(value) if value else None


def read_scheduler(
    queue: str, scheduler_id: str, fields: Fields, next_run_ms: float
) -> JobScheduler:
    """Return a schedule as its hash tells it."""
    return JobScheduler(
        id=scheduler_id,
        queue=queue,
        name=text(fields, b"name") or scheduler_id,
        next_run=instant_from_ms(next_run_ms),
        iterations=number(fields, b"ic"),
        every=from_ms(number(fields, b"every")) if b"every" in fields else None,
        offset=from_ms(number(fields, b"offset")) if b"every" in fields else None,
        pattern=text(fields, b"pattern") or None,
        tz=text(fields, b"tz") or None,
        start=instant_of(fields, b"startDate"),
        end=instant_of(fields, b"endDate"),
        limit=number(fields, b"limit") or None,
        data=json_value(fields.get(b"data"), {}),
        options=options_in(fields),
    )


def options_in(fields: Fields) -> JobOptions:
    """Return the template's options; none where they cannot be read."""
    try:
        return decode_options(fields.get(b"opts", EMPTY)).public
    except ValueError:
        return JobOptions()


def instant_of(fields: Fields, name: bytes) -> datetime | None:
    """Return a time of the hash."""
    return instant_from_ms(number(fields, name)) if name in fields else None


def run_id(scheduler_id: str, due_ms: int) -> JobId:
    """Return the id of a run."""
    return JobId(f"repeat:{scheduler_id}:{due_ms}")


def compact(value: object) -> str:
    """Return JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
