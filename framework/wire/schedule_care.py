"""What tells that a schedule in Redis is not, or no longer, what is declared."""

from typing import Any, Literal

from pydantic_core import from_json

from framework.model.schedule import Cron, Every
from framework.wire.cron import next_ms
from framework.wire.job_hash import Fields, number
from framework.wire.millis import to_ms
from framework.wire.scheduler_plan import SchedulerPlan

# What a schedule's hash keeps by itself.
KEPT = {b"ic", b"offset", b"fw.running"}
JSON = {b"data", b"opts"}


def differs(plan: SchedulerPlan, fields: Fields) -> bool:
    """Tell whether a schedule's hash says something else than its plan."""
    wanted = {name.encode(): as_bytes(value) for name, value in plan.fields.items()}
    stored = {name: value for name, value in fields.items() if name not in KEPT}
    if set(wanted) != set(stored):
        return True
    if any(meaning(name, stored[name]) != meaning(name, wanted[name]) for name in wanted):
        return True
    offset = plan.repeat.get("offset")
    return offset is not None and number(fields, b"offset") != offset


def as_bytes(value: str | int | bytes) -> bytes:
    """Return a field as Redis holds it."""
    return value if isinstance(value, bytes) else str(value).encode()


def meaning(name: bytes, value: bytes) -> object:
    """Return what a field says: peers word the same JSON otherwise."""
    if name not in JSON:
        return value
    try:
        told: Any = from_json(value)
    except ValueError:
        return value
    return told


def missing_due_ms(
    plan: SchedulerPlan,
    fields: Fields,
    last_ms: int,
    now_ms: int,
    *,
    missed: Literal["skip", "run_once"],
) -> int | None:
    """Return when a run that is missing is due; None where there is none any more.

    Args:
        fields: The schedule's hash.
        last_ms: When the missing one was due.
    """
    if plan.end_ms is not None and plan.end_ms < now_ms:
        return None
    if last_ms <= now_ms and is_last(plan, fields, last_ms):
        return None  # it is missing because it has run
    if last_ms > now_ms or missed == "run_once":
        return last_ms
    if isinstance(plan.when, Every):
        every = to_ms(plan.when.interval)
        slot = now_ms // every * every + number(fields, b"offset")
        return slot if slot > now_ms else slot + every
    return due_after(plan.when, now_ms, plan)


def is_last(plan: SchedulerPlan, fields: Fields, due_ms: int) -> bool:
    """Tell whether no run follows the one that is due then."""
    if plan.limit is not None and number(fields, b"ic") >= plan.limit:
        return True
    return isinstance(plan.when, Cron) and due_after(plan.when, due_ms, plan) is None


def due_after(when: Cron, after_ms: int, plan: SchedulerPlan) -> int | None:
    """Return when the first run after a time is due; None if there is none before the end."""
    due_ms = next_ms(when.expression, when.tz, max(after_ms, plan.start_ms or 0))
    return None if due_ms is None or (plan.end_ms and due_ms > plan.end_ms) else due_ms
