"""When a job shall be added again and again, as BullMQ writes it: ``{every | pattern, ...}``."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from framework import Cron, Every, ScheduleError
from framework_gateway.errors import bad_request
from framework_gateway.option_check import MAX_INT, MAX_MS
from framework_gateway.shown import demand, demand_whole, is_number, refuse_unknown, shown

MEMBERS = (
    "every", "pattern", "tz", "offset", "startDate", "endDate", "limit", "immediately", "key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repeat:
    """A schedule, checked.

    Attributes:
        id: The schedule's.
        when: At which times.
        start: Not before then.
        end: Not after then.
        limit: So many runs in all.
        immediately: Run at once, then by the expression.
    """

    id: str
    when: Every | Cron
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None
    immediately: bool = False


def repeat_of(given: Any, scheduler_id: str) -> Repeat:  # noqa: ANN401 - out of JSON
    """Read a schedule.

    Args:
        given: What JSON held.
        scheduler_id: The schedule's id, unless ``key`` says.

    Raises:
        AnswerError: 400.
    """
    demand("repeat", given, dict, "an object")
    refuse_unknown(given, MEMBERS, "Unexpected field: repeat.{}".format)
    immediately, key = given.get("immediately", False), given.get("key", scheduler_id)
    demand("repeat.immediately", immediately, bool, "a boolean")
    demand("repeat.key", key, str, "a string")
    limit = demand_whole("repeat.limit", given["limit"], 1, MAX_INT) if "limit" in given else None
    try:
        return Repeat(
            key or scheduler_id,
            when_of(given),
            moment_of("startDate", given),
            moment_of("endDate", given),
            limit,
            immediately,
        )
    except ScheduleError as error:
        raise bad_request(f"Invalid repeat: {error}") from error


def when_of(given: dict[str, Any]) -> Every | Cron:
    """Read at which times. Raises as `repeat_of`; `ScheduleError`."""
    if ("every" in given) == ("pattern" in given):
        raise bad_request("repeat must have either every or pattern")
    if "pattern" in given:
        demand("repeat.pattern", given["pattern"], str, "a string")
        demand("repeat.tz", given.get("tz", ""), str, "a string")
        return Cron(given["pattern"], given.get("tz") or "UTC")
    every = demand_whole("repeat.every", given["every"], 1, MAX_MS)
    offset = demand_whole("repeat.offset", given["offset"], 0, MAX_MS) if "offset" in given else 0
    interval = timedelta(milliseconds=every)
    return Every(interval, timedelta(milliseconds=offset)) if offset else Every(interval)


def moment_of(name: str, given: dict[str, Any]) -> datetime | None:
    """Read a moment: milliseconds, or ISO 8601. Raises as `repeat_of`."""
    moment = given.get(name)
    if moment is None:
        return None
    if is_number(moment) and 0 <= moment <= MAX_MS:
        return datetime.fromtimestamp(moment / 1000, tz=UTC)
    if isinstance(moment, str):
        try:
            read = datetime.fromisoformat(moment)
        except ValueError:
            pass
        else:
            return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    raise bad_request(f"Invalid repeat.{name} {shown(moment)}")
