"""Run one job, decide what that led to, and hand the ending to the pump."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import anyio
from anyio.abc import TaskGroup

from framework.declare.spec import ProcessorSpec
from framework.errors import FrameworkError, JobCancelledError, UnrecoverableError
from framework.model.events import Active, Completed, Failed, Progressed
from framework.model.job import Token
from framework.model.options import KeepJobs
from framework.model.outcome import Hold, Park, Parked, Retry
from framework.store import endings
from framework.store.endings import Failure
from framework.store.store import Store
from framework.store.transitions.ending import Ending, given_back
from framework.store.transitions.exchange import Fetched
from framework.wire.codes import (
    BROKEN,
    CANCELLED,
    FAILED_CHILDREN,
    PENDING_CHILDREN,
    error_for,
)
from framework.wire.job_hash import (
    ASKED,
    CANCEL_FIELD,
    CRASHES_FIELD,
    DEFERRED_FIELD,
    HELD_FIELD,
    Fields,
    StoredJob,
    text,
)
from framework.wire.keys import QueueKeys
from framework.wire.payload import NULL, codec_of
from framework.worker.current import CURRENT
from framework.worker.deliveries import Settled
from framework.worker.hook_line import HookLine
from framework.worker.hooks import MOST_PENDING, Hooks
from framework.worker.iterations import begin_run
from framework.worker.leaving import failure_of, park_of
from framework.worker.pump import Pump
from framework.worker.run import HeldRun, Timer
from framework.worker.runner import RunsJobs
from framework.worker.slots import Slot
from framework.worker.timeouts import run_in_time
from framework.worker.unheard import DROPPED, WORN_OUT, log_dropped, log_failure

ANY = codec_of(Any)
SCHEDULER = b"rjk"


class RunsSuspects(Protocol):
    """What an executor needs of `Suspects`."""

    def have(self, fields: Fields) -> bool:
        """Tell whether a job with crashes is one of them."""
        ...

    async def execute(self, fetched: Fetched, slot: Slot) -> None:
        """Run it in a slot, or later."""
        ...


@dataclass(slots=True)
class Executor:
    """Runs the jobs of one worker.

    Args:
        store: Where contexts write.
        keys: The queue.
        spec: What the processor declares.
        named: The handlers by job name, as it stands in the hash.
        catch_all: What runs every other name; None fails them.
        hooks: The worker's.
        pump: Where endings go.
        told: Where hooks run that nobody waits for.
        helpers: Where what a run left behind is closed; cancelled once the worker has stopped.
        suspects: Runs the jobs elsewhere that may have ended a worker; None: they run here.
    """

    store: Store
    keys: QueueKeys
    spec: ProcessorSpec
    named: Mapping[bytes, RunsJobs]
    catch_all: RunsJobs | None
    hooks: Hooks
    pump: Pump
    told: HookLine
    helpers: TaskGroup
    suspects: RunsSuspects | None = None
    keep_completed: KeepJobs = field(init=False)
    keep_failed: KeepJobs = field(init=False)

    def __post_init__(self) -> None:
        self.keep_completed, self.keep_failed = self.spec.keep_completed, self.spec.keep_failed

    async def execute(self, fetched: Fetched, slot: Slot) -> None:
        """Run one fetched job in a slot. Raises nothing but the worker's own cancellation."""
        fields, suspects = fetched.fields, self.suspects
        if CRASHES_FIELD in fields and suspects is not None and suspects.have(fields):
            await suspects.execute(fetched, slot)
            return
        runner, job = self._read(fetched)
        CURRENT.set(job)
        try:
            result, written = await self._run(runner, job, fetched, slot)
        except anyio.get_cancelled_exc_class() as error:
            self._end_cancelled(fetched, job, slot, error)
        except BaseException as error:  # whatever a handler raises ends its job, not the slot
            self._end_early(fetched, job, slot, error)
        else:
            settled = None
            if self.hooks.hears("completed"):
                settled = partial(self._hear, "completed", Completed(job, result))
            ending = endings.of_result(
                job, fetched.token, written, self.keep_completed, was_new=fetched.is_new
            )
            self.pump.finish(fetched, ending, settled)

    async def _run(
        self,
        runner: RunsJobs | None,
        job: StoredJob[Any, Any],
        fetched: Fetched,
        slot: Slot,
    ) -> tuple[object, bytes]:
        if SCHEDULER in job.fields:
            may_run = await begin_run(self.store, self.keys, job.id, job.fields)
            if not may_run:
                return None, NULL
        if self.hooks.pending >= MOST_PENDING:
            await self.hooks.keep_up()
        _ = job.stored_options  # what cannot be read must fail before it runs
        if DEFERRED_FIELD in job.fields or HELD_FIELD in job.fields:
            self._refuse_to_start(job)
        if self.spec.max_started_attempts is not None and self._is_worn_out(job, more=1):
            raise UnrecoverableError(WORN_OUT)
        if runner is None:
            raise UnrecoverableError(self._unknown_name(job.name))
        _ = job.data
        if self.hooks.hears("active"):
            await self.hooks.call("active", Active(job))
        return await self._run_handler(runner, job, fetched.token, slot)

    def _refuse_to_start(self, job: StoredJob[Any, Any]) -> None:
        """End a run before it begins, as somebody asked, or since a child failed."""
        if CANCEL_FIELD in job.fields:
            raise self._cancelled(job)
        if DEFERRED_FIELD in job.fields:
            raise UnrecoverableError(text(job.fields, DEFERRED_FIELD))
        if job.fields[HELD_FIELD] == ASKED:
            raise Parked(Hold())

    def _run_handler(
        self, runner: RunsJobs, job: StoredJob[Any, Any], token: Token, slot: Slot
    ) -> Awaitable[tuple[object, bytes]]:
        seconds = job.stored_options.timeout_seconds or self.spec.timeout_seconds
        run = partial(self._make_run, runner, job, token, slot)
        if seconds is None:
            return runner.run(job, run)
        return run_in_time(runner, job, run, seconds)

    def _make_run(
        self,
        runner: RunsJobs,
        job: StoredJob[Any, Any],
        token: Token,
        slot: Slot,
        timer: Timer | None = None,
    ) -> HeldRun:
        report = partial(self._report, job)
        data, helpers = runner.data, self.helpers
        return HeldRun(self.store, self.keys, job, token, data, slot, report, helpers, timer)

    def _read(self, fetched: Fetched) -> tuple[RunsJobs | None, StoredJob[Any, Any]]:
        """Return what runs a job, and the job as that sees it."""
        runner = self.named.get(fetched.fields.get(b"name", b""), self.catch_all)
        codecs = (runner.data, runner.result) if runner else (ANY, ANY)
        return runner, StoredJob(self.keys, fetched.id, fetched.fields, codecs)

    def _is_worn_out(self, job: StoredJob[Any, Any], more: int = 0) -> bool:
        """Whether a job was started as often as it may be, and so many times more."""
        most = self.spec.max_started_attempts
        return most is not None and job.attempts_started >= most + more

    def _unknown_name(self, name: str) -> str:
        known = ", ".join(sorted(f'"{each.decode()}"' for each in self.named))
        return f'no handler for jobs named "{name}"; the processor knows {known}'

    async def _report(self, job: StoredJob[Any, Any], progress: object) -> None:
        if self.hooks.hears("progress"):
            await self.hooks.call("progress", Progressed(job, progress))

    def _hear(self, name: str, event: object, code: int) -> None:
        if code == 0:
            self.told.put(name, event)

    def _end_cancelled(
        self, fetched: Fetched, job: StoredJob[Any, Any], slot: Slot, error: BaseException
    ) -> None:
        if slot.why in DROPPED:
            log_dropped(job, slot.why)
            self.pump.drop(fetched)
        elif slot.why == "stop":
            self.pump.finish(fetched, given_back(fetched.id, fetched.token))
        elif slot.why == "cancelled":
            self.pump.finish(
                fetched, *self._failed(fetched, job, self._cancelled(job, slot.reason))
            )
        elif anyio.get_current_task().has_pending_cancellation():
            raise error
        else:
            cancelled = FrameworkError("it awaited something that was cancelled")
            self.pump.finish(fetched, *self._failed(fetched, job, cancelled))

    def _end_early(
        self, fetched: Fetched, job: StoredJob[Any, Any], slot: Slot, error: BaseException
    ) -> None:
        if slot.why == "cancelled":
            error = self._cancelled(job, slot.reason)
        match park_of(error):
            case Park(wish):
                now_ms = self.store.clock.now_ms()
                ending = endings.of_wish(job, fetched.token, wish, now_ms)
                self.pump.finish(fetched, ending)
            case None:
                self.pump.finish(fetched, *self._failed(fetched, job, failure_of(error)))

    def _cancelled(self, job: StoredJob[Any, Any], reason: str = "") -> JobCancelledError:
        return JobCancelledError(
            job_id=job.id,
            queue=job.queue,
            code=CANCELLED,
            reason=reason or text(job.fields, CANCEL_FIELD),
        )

    def refused(self, fetched: Fetched, code: int) -> tuple[Ending, Settled | None] | None:
        """Return how a run ends that was cancelled, or that children or odd keys kept from ending.

        None: nothing more is to be done.
        """
        if code not in {PENDING_CHILDREN, FAILED_CHILDREN, BROKEN, CANCELLED}:
            return None
        _, job = self._read(fetched)
        if code == CANCELLED:
            return self._failed(fetched, job, self._cancelled(job))
        return self._failed(fetched, job, error_for(code, job_id=job.id, queue=job.queue))

    def _failed(
        self, fetched: Fetched, job: StoredJob[Any, Any], error: BaseException
    ) -> tuple[Ending, Settled | None]:
        failure = endings.of_error(
            job,
            fetched.token,
            error,
            strategies=self.spec.backoffs,
            is_worn_out=self._is_worn_out(job),
            keep=self.keep_failed,
        )
        return failure.ending, self._failed_hook(job, failure)

    def _failed_hook(self, job: StoredJob[Any, Any], failure: Failure) -> Settled | None:
        outcome, attempt = failure.outcome, job.attempts_made + 1
        delay = outcome.delay if isinstance(outcome, Retry) else None
        if not self.hooks.hears("failed"):
            return partial(log_failure, job, failure, attempt, self.spec.max_started_attempts)
        event = Failed(job, outcome.error, failure.reason, attempt, delay is not None, delay)
        return partial(self._hear, "failed", event)
