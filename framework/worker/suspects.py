"""Jobs that may have ended their worker: each runs alone, in a child process of its own.

When a worker dies, any of the jobs that it ran may be why: it is counted for all of them, and none
is condemned. One that was there too often is a suspect. What ends a child in which nothing else
runs is known to be the job's doing.
"""

import os
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from typing_extensions import override

from framework.errors import JobQuarantinedError, ProcessCrashedError
from framework.model.job import Token
from framework.model.outcome import Fail
from framework.store import endings
from framework.store.transitions.ending import (
    Ending,
    given_back,
    given_back_crashed,
    parked_until,
    quarantined,
)
from framework.store.transitions.exchange import Fetched
from framework.wire.failure import trace_of
from framework.wire.job_hash import CRASHES_FIELD, Fields, StoredJob, number
from framework.worker.children import Children
from framework.worker.deliveries import Settled
from framework.worker.executor import Executor
from framework.worker.isolation import IsolatedRunner, LoneRunner
from framework.worker.run import HeldRun, Timer
from framework.worker.runner import RunsJobs
from framework.worker.slots import Slot

log = structlog.get_logger("framework.worker")

# Of a worker's slots suspects take half at most, and no more than these: to start as many
# children on fewer processors would hold up all others.
MOST_AT_ONCE = min(4, os.cpu_count() or 1)
# How many may wait here, without a slot; others come back after a while.
MOST_ASIDE = 250
LATER_MS = 5_000
# From so many crashes on, a job that may crash for ever waits longer and longer.
PATIENT_CRASHES = 4
LONGEST_MS = 60_000


def suspect_from(max_crashes: int | None) -> int:
    """Return from how many crashes on a job runs alone.

    The first in company says too little: nearly always somebody else killed the worker.
    """
    return 2 if max_crashes is None else max(1, min(2, max_crashes - 1))


def pause_ms(crashes: int) -> int:
    """Return how long to wait before a job runs again that has crashed so often."""
    over = crashes - PATIENT_CRASHES
    return 0 if over < 0 else min(LONGEST_MS, 1000 << min(over, 6))


@dataclass
class LoneExecutor(Executor):
    """Runs suspects, each in a child process of its own, and decides what a crash leads to.

    Args:
        max_crashes: How many quarantine a job; None: however many there are, it runs again.
    """

    max_crashes: int | None = None
    _crashes: dict[Token, int] = field(default_factory=dict[Token, int])

    async def run_alone(self, fetched: Fetched, slot: Slot) -> None:
        """Run a suspect in a slot. Raises nothing but the worker's own cancellation."""
        self._crashes[fetched.token] = number(fetched.fields, CRASHES_FIELD)
        try:
            await self.execute(fetched, slot)
        finally:
            del self._crashes[fetched.token]

    @override
    def _make_run(
        self,
        runner: RunsJobs,
        job: StoredJob[Any, Any],
        token: Token,
        slot: Slot,
        timer: Timer | None = None,
    ) -> HeldRun:
        run = super()._make_run(runner, job, token, slot, timer)
        # It has got further than where it crashed: Redis forgets that too.
        run.on_save = partial(self._crashes.__setitem__, token, 0)
        return run

    @override
    def _end_early(
        self, fetched: Fetched, job: StoredJob[Any, Any], slot: Slot, error: BaseException
    ) -> None:
        if isinstance(error, ProcessCrashedError) and slot.why is None:
            crashes = self._crashes[fetched.token] + 1
            self.pump.finish(fetched, *self._crashed(fetched, job, crashes, error))
        else:
            super()._end_early(fetched, job, slot, error)

    def _crashed(
        self,
        fetched: Fetched,
        job: StoredJob[Any, Any],
        crashes: int,
        crash: ProcessCrashedError,
    ) -> tuple[Ending, Settled | None]:
        row = f"crash {crashes}, alone in a process of its own: {trace_of(crash)}"
        if endings.options_of(job).keep_logs == 0:
            row = ""
        if self.max_crashes is None or crashes < self.max_crashes:
            facts = {"job": job.id, "queue": job.queue, "name": job.name, "crashes": crashes}
            log.warning("job ended its process, it runs again", cause=crash.cause, **facts)
            pause = pause_ms(crashes)
            return given_back_crashed(fetched.id, fetched.token, crashes, row, pause), None
        error = JobQuarantinedError(job_id=job.id, queue=job.queue, crashes=crashes, last=crash)
        failure = endings.of_outcome(job, fetched.token, Fail(error))
        ending = quarantined(failure.ending, crashes, row, crash.cause)
        told = self._failed_hook(job, failure) if self.hooks.hears("failed") else None
        return ending, partial(self._tell_quarantined, job, error, told)

    def _tell_quarantined(
        self,
        job: StoredJob[Any, Any],
        error: JobQuarantinedError,
        told: Settled | None,
        code: int,
    ) -> None:
        if code == 0:
            log.error(
                "job quarantined: it ends its process again and again",
                job=job.id,
                queue=job.queue,
                name=job.name,
                crashes=error.crashes,
                last=error.last.cause,
                fix=f"mend it, then: {error.command}",
            )
        if told is not None:
            told(code)


class Suspects:
    """The suspects among the jobs of one worker.

    Those that wait for their turn take no slot, so that the others go on.

    Args:
        executor: Runs the jobs of the worker that are none.
        children: Where they run.
        max_crashes: As `LoneExecutor` takes it.
    """

    def __init__(self, executor: Executor, children: Children, max_crashes: int | None) -> None:
        named = {name: alone(one, children) for name, one in executor.named.items()}
        catch_all = executor.catch_all and alone(executor.catch_all, children)
        self._executor = LoneExecutor(
            executor.store,
            executor.keys,
            executor.spec,
            named,
            catch_all,
            executor.hooks,
            executor.pump,
            executor.told,
            executor.helpers,
            max_crashes=max_crashes,
        )
        self._pump = executor.pump
        self._from = suspect_from(max_crashes)
        self._most = max(1, min(MOST_AT_ONCE, self._pump.concurrency // 2))
        self._running = 0

    def have(self, fields: Fields) -> bool:
        """Tell whether a job with crashes is one of them."""
        return number(fields, CRASHES_FIELD) >= self._from

    async def execute(self, fetched: Fetched, slot: Slot) -> None:
        """Run a suspect in a slot, or leave that until another one has ended."""
        if self._running == self._most:
            self._put_off(fetched)
            return
        self._running += 1
        try:
            await self._executor.run_alone(fetched, slot)
        finally:
            self._running -= 1
            self._pump.take_back()

    def _put_off(self, fetched: Fetched) -> None:
        pump = self._pump
        if not pump.is_fetching:
            pump.finish(fetched, given_back(fetched.id, fetched.token))
        elif len(pump.aside) < MOST_ASIDE:
            pump.set_aside(fetched)
        else:
            due_ms = pump.clock.now_ms() + LATER_MS
            pump.finish(fetched, parked_until(fetched.id, fetched.token, due_ms))


def alone(runner: RunsJobs, children: Children) -> LoneRunner:
    """Return what runs the same jobs in child processes."""
    return LoneRunner(IsolatedRunner(children, runner.data, runner.result), runner)
