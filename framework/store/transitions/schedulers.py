"""Schedules: make, change, list and remove them, and put the next run in line."""

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from framework.errors import ScheduleError
from framework.model.job import JobId
from framework.model.schedule import Cron, JobScheduler
from framework.store.connection import Argument
from framework.store.reads import as_fields
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.codes import BROKEN, raise_for
from framework.wire.keys import QueueKeys
from framework.wire.scheduler import (
    Run,
    first_run_of,
    make_run,
    next_run_of,
    read_scheduler,
    run_id,
)
from framework.wire.scheduler_plan import SchedulerPlan

UPSERT_SCHEDULER = load_script("upsert_scheduler")
NEXT_RUN = load_script("next_run")
REMOVE_SCHEDULER = load_script("remove_scheduler")
CLAIM_RUN = load_script("claim_run")


class NextRun(NamedTuple):
    """The run that was put in line.

    Attributes:
        id: Its id.
        delay_ms: How long it is delayed.
    """

    id: JobId
    delay_ms: int


async def upsert_scheduler(store: Store, keys: QueueKeys, plan: SchedulerPlan) -> NextRun:
    """Make a schedule, or change it, and put its next run in line.

    Wire: sorted set ``repeat`` and hash ``repeat:<id>``; a run that was in line is replaced;
    events ``added`` and ``delayed`` or ``waiting``.

    Raises:
        RunExistsError: The run that would be next runs now, or has run.
        ScheduleError: It never falls due.
    """
    now_ms = store.clock.now_ms()
    run = first_run_of(plan, now_ms)
    reply = await store.run(UPSERT_SCHEDULER, upsert_keys(keys), upsert_args(plan, run, now_ms))
    if isinstance(reply, int):
        raise_for(reply, job_id=run_id(plan.id, run.due_ms or now_ms), queue=keys.queue)
    return NextRun(JobId(reply[0].decode()), int(reply[1]))


async def restore_run(
    store: Store, keys: QueueKeys, plan: SchedulerPlan, *, count: int, due_ms: int
) -> JobId | None:
    """Put the current run of a schedule in line if it is nowhere; return its id if it was.

    Wire: as `upsert_scheduler`, with the time given.

    Args:
        count: How many runs there were, this one included.
        due_ms: When it is due.
    """
    now_ms = store.clock.now_ms()
    shown = due_ms if isinstance(plan.when, Cron) else None
    run = make_run(plan.id, plan.template, {**plan.repeat, "count": count}, now_ms, shown)
    args = upsert_args(plan, run, now_ms, due_ms)
    reply = await store.run(UPSERT_SCHEDULER, upsert_keys(keys), args)
    return JobId(reply[0].decode()) if isinstance(reply, list) and reply else None


def upsert_keys(keys: QueueKeys) -> list[str]:
    """Return the keys of ``UPSERT_SCHEDULER``, with a lane for one call."""
    return keys.pick(UPSERT_SCHEDULER.keys, lane=keys.lane(f"{uuid.uuid4().hex}:0"))


def upsert_args(
    plan: SchedulerPlan, run: Run, now_ms: int, due_ms: int | None = None
) -> list[Argument]:
    """Return the arguments of ``UPSERT_SCHEDULER``."""
    fields: list[Argument] = [word for pair in plan.fields.items() for word in pair]
    start = (now_ms, plan.id, plan.name, plan.data)
    return [*start, *run_args(run), said(plan.start_ms), said(due_ms), *fields]


def run_args(run: Run) -> list[Argument]:
    """Return the arguments of a run, from ``opts`` to ``offset``."""
    return [
        run.opts,
        run.quoted,
        run.priority,
        run.push,
        said(run.repeat.get("every")),
        said(run.due_ms),
        said(run.repeat.get("offset")),
    ]


def said(number: int | None) -> Argument:
    """Return a number, or "" for none."""
    return "" if number is None else number


async def add_next_run(
    store: Store, keys: QueueKeys, job_id: JobId, fields: Mapping[bytes, bytes]
) -> JobId | None:
    """Put the run after one that has begun in line; return its id if this call did so.

    A second call for the same run does nothing.

    Wire: score in ``repeat``, field ``ic``; events ``added`` and ``delayed`` or
    ``waiting``, or ``duplicated``.

    Args:
        job_id: The run that has begun.
        fields: Its hash.

    Raises:
        ValueError: Its options cannot be read.
        ScheduleError: Its cron expression, or its key, cannot be used.
    """
    now_ms = store.clock.now_ms()
    scheduler_id = fields.get(b"rjk", b"").decode(errors="replace")
    opts = fields.get(b"opts", b"")
    run = next_run_of(scheduler_id, opts, now_ms)
    if run is None:
        return None
    args: list[Argument] = [
        now_ms,
        scheduler_id,
        job_id,
        fields.get(b"name", b""),
        fields.get(b"data", b"{}"),
        *run_args(run),
    ]
    made = await store.run(NEXT_RUN, keys.pick(NEXT_RUN.keys), args)
    if made == BROKEN:
        raise ScheduleError(
            f"{keys['repeat_set']}:{scheduler_id} is no hash",
            where=f'schedule "{scheduler_id}" of queue "{keys.queue}"',
            fix="delete the key and upsert the schedule again",
        )
    return JobId(made.decode()) if made else None


async def claim_run(store: Store, keys: QueueKeys, scheduler_id: str, job_id: JobId) -> bool:
    """Tell whether a run may run: not while the one before it has not finished.

    Wire: field ``fw.running`` of the schedule's hash.
    """
    args = [scheduler_id, job_id]
    return bool(await store.run(CLAIM_RUN, keys.pick(CLAIM_RUN.keys), args))


async def remove_scheduler(store: Store, keys: QueueKeys, scheduler_id: str) -> bool:
    """Remove a schedule, and its next run if that is delayed; return whether there was one.

    Wire: event ``removed`` for the run.
    """
    removed = await store.run(REMOVE_SCHEDULER, keys.pick(REMOVE_SCHEDULER.keys), [scheduler_id])
    return bool(removed)


async def read_one(store: Store, keys: QueueKeys, scheduler_id: str) -> JobScheduler | None:
    """Return a schedule as it stands, or None."""
    key = keys["repeat_set"]
    score, flat = await store.pipeline(
        [("ZSCORE", key, scheduler_id), ("HGETALL", f"{key}:{scheduler_id}")]
    )
    fields = as_fields(flat)
    if score is None or not fields:
        return None
    return read_scheduler(keys.queue, scheduler_id, fields, float(score))


async def read_many(
    store: Store, keys: QueueKeys, start: int, stop: int, *, latest_first: bool
) -> list[JobScheduler]:
    """Return a page of the schedules by their next run, without those whose hash is gone."""
    key = keys["repeat_set"]
    command = "ZREVRANGE" if latest_first else "ZRANGE"
    found = await store.command(command, key, start, stop, "WITHSCORES")
    if not found:
        return []
    ids = [member.decode(errors="replace") for member in found[::2]]
    hashes = await store.pipeline([("HGETALL", f"{key}:{scheduler_id}") for scheduler_id in ids])
    read = zip(ids, map(as_fields, hashes), found[1::2], strict=True)
    return [
        read_scheduler(keys.queue, scheduler_id, fields, float(score))
        for scheduler_id, fields, score in read
        if fields
    ]


async def count_schedulers(store: Store, keys: QueueKeys) -> int:
    """Return how many schedules there are."""
    count: int = await store.command("ZCARD", keys["repeat_set"])
    return count
