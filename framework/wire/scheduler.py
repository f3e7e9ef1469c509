"""Between a schedule and what stands of it in Redis: the options of its runs, and its hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from framework.model.job import JobId
from framework.model.options import JobOptions
from framework.model.schedule import JobScheduler
from framework.wire.cron import next_ms
from framework.wire.job_hash import Fields, json_value, number, text
from framework.wire.members import is_number
from framework.wire.millis import from_ms, instant_from_ms, instant_to_ms
from framework.wire.scheduler_plan import EMPTY, SchedulerPlan, compact
from framework.wire.stored_options import decode_options

# What each run has of its own; the rest of its options is the template's.
OWN = ("jobId", "delay", "timestamp", "prevMillis", "repeatJobKey", "repeat")


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


def first_run_of(plan: SchedulerPlan, now_ms: int) -> Run:
    """Return the first run of a schedule.

    Raises:
        ScheduleError: It never falls due.
    """
    repeat = {**plan.repeat, "count": 1}
    return make_run(plan.id, plan.template, repeat, now_ms, plan.due_ms(now_ms))


def next_run_of(scheduler_id: str, opts: bytes, now_ms: int) -> Run | None:
    """Return the run after one that has begun; None where there is none any more.

    Args:
        opts: The options of the one that has begun, whoever wrote them.

    Raises:
        ValueError: They are no JSON, or no run's, or hold what cannot be.
        ScheduleError: The cron expression cannot be used.
    """
    try:
        return run_after(scheduler_id, opts, now_ms)
    except (ArithmeticError, AttributeError, TypeError) as error:
        raise ValueError(f"its options cannot be used: {error}") from error


def run_after(scheduler_id: str, opts: bytes, now_ms: int) -> Run | None:
    """Return the run after one that has begun. Raises whatever odd options lead to, too."""
    stored = from_json(opts)
    repeat = stored.get("repeat") if isinstance(stored, dict) else None
    if not isinstance(repeat, dict):
        raise ValueError("its options do not say how it repeats")  # noqa: TRY004 - one error for all bad text
    count = int(repeat.get("count") or 0) + 1
    end_ms = instant_in(repeat, "endDate")
    if (repeat.get("limit") and count > int(repeat["limit"])) or (end_ms and now_ms > end_ms):
        return None
    due_ms = None
    if repeat.get("every") is not None and not float(repeat["every"]) > 0:
        raise ValueError(f"it repeats every {repeat['every']} ms")
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
