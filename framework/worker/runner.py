"""One handler, ready to run: its arguments compiled, its payload's and result's codecs at hand."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from framework.declare.mark import RunIn
from framework.di.plan import Plan
from framework.errors import PayloadError, ResultError
from framework.wire.job_hash import StoredJob
from framework.wire.payload import NULL, Codec
from framework.worker.context import Context
from framework.worker.leaving import failure_of, park_of, tell_swallowed
from framework.worker.run import HeldRun, Run
from framework.worker.sync_context import SyncContext
from framework.worker.threads import ThreadLeftError, close_once_ended

ContextKind = type[Context] | type[SyncContext]

Call = Callable[..., Awaitable[object]]


class RunsJobs(Protocol):
    """What an executor needs of a handler, wherever that runs."""

    @property
    def data(self) -> Codec[Any]:
        """Reads the payload."""
        ...

    @property
    def result(self) -> Codec[Any]:
        """Reads and writes the result."""
        ...

    async def run(
        self, job: StoredJob[Any, Any], run: Callable[[], HeldRun]
    ) -> tuple[object, bytes]:
        """Run a job; return what its handler returned, and that as JSON text."""
        ...


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the jobs of one handler.

    Attributes:
        call: Takes the job and the injected arguments.
        plan: How to make those.
        data: Reads the payload.
        result: Writes what is returned.
    """

    call: Call
    plan: Plan
    data: Codec[Any]
    result: Codec[Any]

    async def run(self, job: StoredJob[Any, Any], run: Callable[[], Run]) -> tuple[object, bytes]:
        """Run a job; return what its handler returned, and that as JSON text.

        What lives as long as the job is closed before this returns, and is thrown the
        handler's error, or that its result cannot be written. A run that is to be parked
        has not failed: it is closed as one that returned. One that returns although it
        asked to be parked completes, with a warning.

        Raises:
            ResultError: JSON cannot hold the result, or it does not fit.
        """
        plan = self.plan
        if plan.is_empty:
            result = await self.call(job)
            return result, self.encode(result)
        made = run() if plan.seeds else None
        seeds = self._seeds(made) if made is not None else {}
        if plan.is_simple:
            result = await self.call(job, **plan.fill(seeds))
            text = self.encode(result)
            tell_swallowed(made)
            return result, text
        arguments, scope = await plan.open(seeds)
        try:
            result = await self.call(job, **arguments)
            text = self.encode(result)
        except ThreadLeftError as error:
            if (tasks := run().tasks) is not None:
                tasks.start_soon(close_once_ended, error.ended, scope, job)
            raise
        except BaseException as error:
            await scope.close(None if park_of(error) else failure_of(error))
            raise
        await scope.close()
        tell_swallowed(made)
        return result, text

    def _seeds(self, run: Run) -> Mapping[object, object]:
        kinds: tuple[ContextKind, ...] = (Context, SyncContext)
        return {kind: kind(run) for kind in kinds if kind in self.plan.seeds}

    def encode(self, result: object) -> bytes:
        """Return a result as JSON text.

        Raises:
            ResultError: JSON cannot hold it, or it does not fit what the handler promises.
        """
        if result is None:
            return NULL
        try:
            return self.result.encode(result)
        except PayloadError as error:
            raise ResultError(f"the result cannot be written: {error}") from error


def context_for(runs: RunIn) -> ContextKind:
    """Return the context that handlers may ask for where they run."""
    return Context if runs == "loop" else SyncContext


def in_loop(function: Callable[..., Any], *, is_async: bool) -> Call:
    """Return ``function`` as something to await; a plain one runs on the loop."""
    if is_async:
        return function

    async def call(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return call
