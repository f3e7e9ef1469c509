"""What a process must know of the schedules it declares, and what it notes of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic_core import from_json, to_json

from framework.model.job import JobId
from framework.store.reads import as_fields
from framework.store.store import Store
from framework.store.transitions.schedulers import remove_scheduler
from framework.wire.job_hash import number
from framework.wire.keys import QueueKeys
from framework.wire.scheduler import run_id


class Declared(NamedTuple):
    """Who declares a schedule.

    Attributes:
        package: The application.
        started_ms: When the process that decides started.
        seen_ms: When it was seen last.
    """

    package: str
    started_ms: int
    seen_ms: int


class SchedulerFacts(NamedTuple):
    """A schedule as it stands.

    Attributes:
        fields: Its hash.
        due_ms: When its current run is due, or was.
        run_id: That run.
        run: The run's hash; None if it is gone.
    """

    fields: Mapping[bytes, bytes]
    due_ms: int
    run_id: JobId
    run: Mapping[bytes, bytes] | None

    @property
    def began_ms(self) -> int:
        """When the run began, or 0."""
        return number(self.run or {}, b"processedOn")


async def read_declared(store: Store, keys: QueueKeys) -> dict[str, Declared]:
    """Return who declares which schedule of a queue."""
    found = as_fields(await store.command("HGETALL", keys.schedules))
    return {name.decode(): Declared(*from_json(told)) for name, told in found.items()}


async def note_declared(
    store: Store, keys: QueueKeys, scheduler_ids: Sequence[str], by: Declared
) -> None:
    """Note who declares schedules.

    Wire: hash ``meta:fw:schedules``.
    """
    told = to_json(by)
    words = [word for scheduler_id in scheduler_ids for word in (scheduler_id, told)]
    await store.command("HSET", keys.schedules, *words)


async def withdraw(store: Store, keys: QueueKeys, scheduler_id: str) -> None:
    """Remove a schedule that is no longer declared, and what was noted of it."""
    await remove_scheduler(store, keys, scheduler_id)
    await store.command("HDEL", keys.schedules, scheduler_id)


async def read_facts(
    store: Store, keys: QueueKeys, scheduler_ids: Sequence[str]
) -> list[SchedulerFacts | None]:
    """Return schedules as they stand, in two round trips; None for one that is not there."""
    key = keys["repeat_set"]
    commands = [
        command
        for scheduler_id in scheduler_ids
        for command in (("ZSCORE", key, scheduler_id), ("HGETALL", f"{key}:{scheduler_id}"))
    ]
    if not commands:
        return []
    replies = await store.pipeline(commands)
    due = [None if score is None else round(float(score)) for score in replies[::2]]
    hashes = [as_fields(flat) for flat in replies[1::2]]
    runs = [run_id(one, ms or 0) for one, ms in zip(scheduler_ids, due, strict=True)]
    jobs = await store.pipeline([("HGETALL", keys.job(run)) for run in runs])
    return [
        None
        if ms is None or not fields
        else SchedulerFacts(fields, ms, run, as_fields(job) or None)
        for ms, fields, run, job in zip(due, hashes, runs, jobs, strict=True)
    ]
