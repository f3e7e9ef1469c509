"""One handler, ready to run: its arguments compiled, its payload's and result's codecs at hand."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread

from framework.declare.handler import HandlerSpec
from framework.declare.mark import RunIn
from framework.di.plan import Plan
from framework.errors import PayloadError, ResultError
from framework.model.job import Job
from framework.wire.payload import NULL, Codec, codec_of
from framework.worker.context import Context
from framework.worker.leaving import failure_of, park_of, tell_swallowed
from framework.worker.run import Run
from framework.worker.sync_context import SyncContext

ContextKind = type[Context] | type[SyncContext]

Call = Callable[..., Awaitable[object]]


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

    async def run(self, job: Job[Any, Any], run: Callable[[], Run]) -> tuple[object, bytes]:
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


def in_thread(function: Callable[..., object], limiter: CapacityLimiter) -> Call:
    """Return ``function`` as something to await that runs in a thread.

    A cancelled call returns at once; the thread goes on until the function ends.
    """

    def guarded(*args: object, **kwargs: object) -> tuple[object, BaseException | None]:
        # Some exceptions mean something else where a future carries them into the loop.
        try:
            return function(*args, **kwargs), None
        except BaseException as error:  # raised again in the loop
            return None, error

    async def call(*args: object, **kwargs: object) -> object:
        result, error = await to_thread.run_sync(
            partial(guarded, *args, **kwargs), limiter=limiter, abandon_on_cancel=True
        )
        if error is not None:
            raise error
        return result

    return call


def make_runner(
    handler: HandlerSpec, target: object, plan: Plan, limiter: CapacityLimiter | None
) -> Runner:
    """Put a handler and its compiled arguments together.

    Args:
        target: The processor's instance, or the function.
        limiter: Threads to run in; None for the loop.
    """
    function: Any = getattr(target, handler.attribute) if handler.attribute else target
    if limiter is None:
        call = in_loop(function, is_async=handler.is_async)
    else:
        call = in_thread(function, limiter)
    return Runner(call, plan, codec_of(handler.payload), codec_of(handler.result))
