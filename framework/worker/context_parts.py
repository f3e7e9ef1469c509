"""Parts of `Context`: leaving early, steps, and looking at children."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NoReturn, ParamSpec, TypeVar, cast, overload

from anyio.lowlevel import checkpoint

from framework.di.signature import REQUIRED, returns_of
from framework.errors import FailedChildrenError, OptionsError, PayloadError, ResultError
from framework.model.job import ChildCounts
from framework.model.outcome import DelayFor, DelayUntil, GiveBack, Hold, LimitRate, WaitForChildren
from framework.wire.codes import FAILED_CHILDREN
from framework.wire.keys import is_text
from framework.wire.payload import Codec, codec_of
from framework.worker.run import Run

P = ParamSpec("P")
V = TypeVar("V")


class ContextBase:
    """One run, as all parts see it."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def pausing(self) -> bool:
        """Whether somebody asked to hold the job: leave with `checkpoint` where that is safe.

        Wire: field ``fw.held`` is ``asked``.
        """
        return self._run.is_pausing


def leave_if_asked(run: Run) -> None:
    """Leave a run whose job is to be held.

    Raises:
        Parked: It is.
    """
    if run.is_pausing:
        run.leave(Hold())


class ContextLeaving(ContextBase):
    """Leaving a run early: the job goes on later, and no attempt is counted.

    Each raises `Parked`: let it pass. What lives as long as the job is closed first, as if
    the job had returned; then the wish is granted. A wish of one task cancels the others of
    its task group; two different wishes fail the job.
    """

    __slots__ = ()

    async def delay_for(self, delay: timedelta) -> NoReturn:
        """Leave, and run again after a delay.

        Wire: active -> delayed; fields ``delay`` and, as the job starts again, ``ats``;
        event ``delayed``.

        Raises:
            Parked: Always.
            OptionsError: The delay is negative.
        """
        self._run.leave(DelayFor(delay))

    async def delay_until(self, due: datetime) -> NoReturn:
        """Leave, and run again at ``due``, which is aware; at once if it is past.

        Wire: as `delay_for`.

        Raises:
            Parked: Always.
            OptionsError: ``due`` has no time zone.
        """
        self._run.leave(DelayUntil(due))

    async def rate_limit(self, duration: timedelta) -> NoReturn:
        """Let no job of the queue start for a while; this one is the first then.

        Workers of this framework all heed it. BullMQ's do if they have a limiter, or the
        queue has a global rate limit.

        Wire: key ``limiter``; field ``x-fw.limited`` of ``meta``; active -> waiting or
        prioritized, before the others; event ``waiting``.

        Raises:
            Parked: Always.
            OptionsError: Shorter than a millisecond.
        """
        self._run.leave(LimitRate(duration))

    async def give_back(self, *, max_stalled: int | None = None) -> NoReturn:
        """Leave, and run again before all others.

        Wire: active -> waiting or prioritized, before the others; event ``waiting``. With
        ``max_stalled``: field ``stc``; -> failed once that is exceeded.

        Args:
            max_stalled: Say that whoever worked the job has vanished, as BullMQ's stalled check
                does: beyond so many times the job fails, whatever attempts are left.

        Raises:
            Parked: Always.
            OptionsError: ``max_stalled`` is negative.
        """
        self._run.leave(GiveBack(max_stalled))

    async def checkpoint(self) -> None:
        """Go on, unless somebody asked to hold the job or to cancel it: then leave.

        A job that is held runs again from the beginning once it is resumed, and no attempt is
        counted. `save` and `step` are such places too.

        Wire: active -> delayed, due at 2^41-1 ms; field ``fw.held``; event ``delayed``.

        Raises:
            Parked: The job is to be held.
        """
        leave_if_asked(self._run)
        await checkpoint()

    async def wait_for_children(self) -> None:
        """Go on if no child is pending; else leave, and run again once none is.

        Wire: active -> waiting-children; event ``waiting-children``.

        Raises:
            Parked: Children are pending.
            FailedChildrenError: A child failed that the job may not outlive; the job
                fails with it, without retry.
        """
        run = self._run
        is_pending, failed = await run.pending_and_failed()
        if failed is not None:
            raise FailedChildrenError(
                job_id=run.job.id, queue=run.job.queue, code=FAILED_CHILDREN, child=failed
            )
        if is_pending:
            run.leave(WaitForChildren())


class ContextSteps(ContextBase):
    """Steps whose results the job remembers, so that no later run repeats them."""

    __slots__ = ("_remembered",)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._remembered: dict[str, bytes] = {}

    async def step(
        self, name: str, work: Callable[P, Awaitable[V]], *args: P.args, **kwargs: P.kwargs
    ) -> V:
        """Run a step, or return what it returned in an earlier run of this job.

        A crash between the work and its being remembered repeats it. A job that is retried
        by hand after it completed remembers all its steps.

        Wire: field ``fw.step.<name>`` of the job's hash, the result's JSON; refused unless
        this worker holds the lock.

        Args:
            name: Unique among the job's steps.
            work: Its return annotation says what comes back out of the JSON.

        Raises:
            OptionsError: The name is empty.
            ResultError: JSON cannot hold the result; the step is done, the job fails.
            PayloadError: What is remembered does not fit.
            LockLostError: The job is no longer this worker's.
            Parked: Somebody asked to hold the job, and the step has not begun.
        """
        memory = Memory(name, work)
        text = self.remembered(memory)
        if text is not None:
            return cast("V", memory.codec.decode(text))
        leave_if_asked(self._run)
        result = await work(*args, **kwargs)
        await self.remember(memory, result)
        return result

    def remembered(self, memory: "Memory") -> bytes | None:
        """Return the JSON of a step that was done, or None.

        Wire: reads the field ``fw.step.<name>``.
        """
        known = self._remembered.get(memory.field)
        return known if known is not None else self._run.job.fields.get(memory.field.encode())

    async def remember(self, memory: "Memory", result: object) -> None:
        """Write down what a step returned.

        Wire: field ``fw.step.<name>``, fenced by the lock's token.
        """
        try:
            text = memory.codec.encode(result)
        except PayloadError as error:
            raise ResultError(f"{memory.field} cannot be written: {error}") from error
        await self._run.save(memory.field, text)
        self._remembered[memory.field] = text


class Memory:
    """Where a step's result is remembered, and how it is written."""

    __slots__ = ("codec", "field")

    def __init__(self, name: str, work: Callable[..., object]) -> None:
        if not is_text(name):
            raise OptionsError("step", f"its name is text and not empty, got {name!r}")
        self.field = f"fw.step.{name}"
        kind = returns_of(work)
        self.codec: Codec[Any] = codec_of(Any if kind is REQUIRED else kind)


class ContextFamily(ContextBase):
    """Looking at the running job's children. They go by their full keys: ``bull:pages:7``."""

    __slots__ = ()

    @overload
    async def children_values(self, kind: type[V]) -> dict[str, V]: ...
    @overload
    async def children_values(self, kind: object = ...) -> dict[str, Any]: ...
    async def children_values(self, kind: object = Any) -> dict[str, Any]:
        """Return what the completed children returned.

        Wire: reads the hash ``J:processed``.

        Args:
            kind: The type of all of them, as annotated; unchecked JSON unless given.

        Raises:
            PayloadError: A value does not fit.
        """
        codec = codec_of(kind)
        found = await self._run.children_values()
        return {key.decode(): codec.decode(value) for key, value in found.items()}

    async def ignored_children(self) -> dict[str, str]:
        """Return why children failed without which this job goes on.

        Those are added with ``on_child_failure="continue"`` or ``"ignore"``.
        Wire: reads the hash ``J:failed``.
        """
        found = await self._run.ignored_children()
        return {key.decode(): reason.decode(errors="replace") for key, reason in found.items()}

    async def failed_children(self) -> list[str]:
        """Return the children that failed and with which this job will fail.

        Wire: reads the set ``J:unsuccessful``.
        """
        return await self._run.failed_children()

    async def dependencies_count(self) -> ChildCounts:
        """Return how many children there are, by what became of them.

        Wire: reads ``J:processed``, ``J:dependencies``, ``J:failed`` and
        ``J:unsuccessful``.
        """
        return await self._run.child_counts()
