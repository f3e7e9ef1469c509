"""See every few seconds that what is declared is in Redis: each schedule, and its next run.

Schedules are what is declared, not a chain of jobs: a run that was lost is put back in line. Of the
processes that declare a schedule the one that started last decides, so that old and new
releases do not take turns in changing it. Who that is they read off the server's clock, whatever
their machines' clocks say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import structlog

from framework.declare.schedule import ScheduleSpec
from framework.errors import FrameworkError, RedisUnavailableError
from framework.model.job import JobId
from framework.store.server_facts import read_shared_ms
from framework.store.store import Store
from framework.store.transitions import schedulers
from framework.store.transitions.schedule_care import (
    Declared,
    SchedulerFacts,
    note_declared,
    read_declared,
    read_facts,
    withdraw,
)
from framework.wire.job_hash import number
from framework.wire.keys import QueueKeys
from framework.wire.schedule_care import differs, missing_due_ms

log = structlog.get_logger("framework.worker")

LOOK_SECONDS = 5.0
# A queue without declared schedules is looked at each so many times.
RARELY = 12
# A declarer that was not seen for so long is gone.
GONE_MS = 30_000
# And so long after the last one was seen, a schedule that nobody declares is removed.
FORGOTTEN_MS = 60_000
# How long a worker has to put the next run in line itself.
GRACE_MS = 5_000
# A schedule that cannot be made, and what a peer or another release wrote oddly.
UNREADABLE = (FrameworkError, ValueError, TypeError)


@dataclass(slots=True)
class ScheduleCare:
    """Sees to the declared schedules of one application.

    Args:
        store: Where the queues are.
        package: What the application is called; it removes only what it declared itself.
        declared: The schedules, by queue; a queue without any is looked at too.
        is_whole: Whether these are all that the package declares.

    Attributes:
        repaired: How many missing runs were put back in line.
    """

    store: Store
    package: str
    declared: Sequence[tuple[QueueKeys, Sequence[ScheduleSpec]]]
    is_whole: bool = True
    repaired: int = 0
    _started_ms: dict[str, int] = field(default_factory=dict[str, int])
    _looks: int = 0
    _told: set[str] = field(default_factory=set[str])

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once at all of them."""
        is_rare = self._looks % RARELY == 0
        self._looks += 1
        for keys, specs in self.declared:
            if not specs and not is_rare:
                continue
            try:
                await self._look_at(keys, specs)
            except RedisUnavailableError as error:
                self.store.outage.begin(error)
            except UNREADABLE as error:  # what stands there must not end the workers
                self._tell_once(keys, "", error)

    async def _look_at(self, keys: QueueKeys, specs: Sequence[ScheduleSpec]) -> None:
        now_ms = await read_shared_ms(self.store, keys.schedules)
        started_ms = self._started_ms.setdefault(keys.base, now_ms)
        known = await read_declared(self.store, keys)
        mine = Declared(self.package, started_ms, now_ms)
        ours = [spec for spec in specs if decides(mine, known.get(spec.plan.id))]
        if ours:
            await note_declared(self.store, keys, [spec.plan.id for spec in ours], mine)
        facts = await read_facts(self.store, keys, [spec.plan.id for spec in ours])
        for spec, found in zip(ours, facts, strict=True):
            try:
                await self._see_to(keys, spec, found, now_ms)
            except RedisUnavailableError:
                raise
            except UNREADABLE as error:
                self._tell_once(keys, spec.plan.id, error)
        if self.is_whole:
            await self._withdraw(keys, known, {spec.plan.id for spec in specs}, now_ms)

    async def _see_to(
        self, keys: QueueKeys, spec: ScheduleSpec, found: SchedulerFacts | None, now_ms: int
    ) -> None:
        plan = spec.plan
        if found is None or differs(plan, found.fields):
            if found is None and plan.end_ms is not None and plan.end_ms < now_ms:
                return
            run = await schedulers.upsert_scheduler(self.store, keys, plan)
            told = "schedule added" if found is None else "schedule changed"
            log.info(told, scheduler=plan.id, queue=keys.queue, next_run=run.id)
            return
        made = await self._mend(keys, spec, found, now_ms)
        if made is not None:
            self.repaired += 1
            log.warning(
                "schedule repaired, its next run was missing",
                scheduler=plan.id,
                queue=keys.queue,
                next_run=made,
            )

    async def _mend(
        self, keys: QueueKeys, spec: ScheduleSpec, found: SchedulerFacts, now_ms: int
    ) -> JobId | None:
        """Put a run in line where one is missing; return its id."""
        if found.began_ms:
            if found.run is None or found.began_ms > now_ms - GRACE_MS:
                return None
            return await schedulers.add_next_run(self.store, keys, found.run_id, found.run)
        due_ms: int | None = found.due_ms
        if found.run is None:
            due_ms = missing_due_ms(
                spec.plan, found.fields, found.due_ms, now_ms, missed=spec.missed
            )
        elif found.due_ms > now_ms - GRACE_MS:
            return None
        if due_ms is None:
            return None
        count = max(1, number(found.fields, b"ic"))
        return await schedulers.restore_run(self.store, keys, spec.plan, count=count, due_ms=due_ms)

    async def _withdraw(
        self, keys: QueueKeys, known: dict[str, Declared], declared: set[str], now_ms: int
    ) -> None:
        for scheduler_id, one in known.items():
            if scheduler_id in declared or one.package != self.package:
                continue
            if one.seen_ms < now_ms - FORGOTTEN_MS:
                await withdraw(self.store, keys, scheduler_id)
                log.warning(
                    "schedule removed, it is no longer declared",
                    scheduler=scheduler_id,
                    queue=keys.queue,
                )

    def _tell_once(self, keys: QueueKeys, scheduler_id: str, error: Exception) -> None:
        problem = f"{keys.qualified}:{scheduler_id}: {error}"
        if problem not in self._told:
            self._told.add(problem)
            log.error(
                "schedule not kept", scheduler=scheduler_id, queue=keys.queue, error=str(error)
            )


def decides(mine: Declared, known: Declared | None) -> bool:
    """Tell whether a process decides on a schedule: it started last, or who did is gone."""
    if known is None or known.started_ms <= mine.started_ms:
        return True
    return known.seen_ms < mine.seen_ms - GONE_MS
