"""Jobs at set times, declared: ``Schedule(...)`` at module level, ``@cron`` on what runs them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, get_args

from typing_extensions import Unpack

from framework.declare.methods import add_mark
from framework.di.place import caller, is_definition
from framework.errors import OptionsError, PayloadError, ScheduleError
from framework.model.options import JobOptions
from framework.model.schedule import Cron, Every, Overlap
from framework.wire.payload import codec_of
from framework.wire.scheduler_plan import SchedulerPlan, make_plan

T = TypeVar("T")
Target = TypeVar("Target", bound=Callable[..., object])
Missed = Literal["skip", "run_once"]

CRON = "__framework_cron__"


class Schedule(Generic[T]):
    """A job at set times, declared at module level; workers see that it is in Redis.

    It is bound to a name there, or stands in a list, tuple, set or dict that is.

    Args:
        id: Unique within the queue.
        when: `Every` or `Cron`.
        payload: What each of its jobs brings; its type says which queue takes it.
        start: No run before then. Aware.
        end: No run after then. Aware.
        limit: So many runs in all.
        immediately: Run at once, then by the expression. With `Cron` only.
        overlap: ``skip`` leaves a run out while the one before has not finished.
        missed: What becomes of a run whose time passed while it was missing from Redis:
            ``skip`` waits for the next time, ``run_once`` makes up for it.
        queue: Which queue, where the payload's type does not say.
        name: The jobs' name, where the payload's type does not say.
        options: What its jobs are added with, over the processor's ``defaults``.

    Raises:
        ScheduleError: Something that cannot be; it names the line and the fix.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - BullMQ's word
        when: Every | Cron,
        payload: T,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        immediately: bool = False,
        overlap: Overlap = "allow",
        missed: Missed = "skip",
        queue: str | None = None,
        name: str | None = None,
        **options: Unpack[JobOptions],
    ) -> None:
        self.id = id
        self.when = when
        self.payload = payload
        self.times: dict[str, Any] = {
            "start": start,
            "end": end,
            "limit": limit,
            "immediately": immediately,
            "overlap": overlap,
        }
        self.missed: Missed = missed
        self.queue = queue
        self.name = name
        self.options = options
        self.where = caller()
        check_missed(missed, self.where)
        self.plan("", options)  # refused here, where the line is known

    def plan(self, name: str, options: JobOptions) -> SchedulerPlan:
        """Return it worded for Redis.

        Raises:
            ScheduleError: Something that cannot be.
        """
        return plan_of(self.id, self.when, name, self.payload, options, self.where, self.times)

    def __repr__(self) -> str:
        return f"Schedule({self.id!r}, {self.when!r})"


def plan_of(
    scheduler_id: str,
    when: Every | Cron,
    name: str,
    payload: object,
    options: JobOptions,
    where: str,
    times: dict[str, Any],
) -> SchedulerPlan:
    """Word a declared schedule for Redis.

    Raises:
        ScheduleError: Something that cannot be; it names the place.
    """
    try:
        kind: Any = type(payload)
        data = codec_of(kind).encode(payload)
        return make_plan(scheduler_id, when, name, data, options, **times)
    except ScheduleError as error:
        error.where = error.where or where
        raise
    except (PayloadError, OptionsError) as error:
        raise ScheduleError(f"the schedule {scheduler_id!r}: {error}", where=where) from error


@dataclass(frozen=True, slots=True)
class CronMark:
    """What ``@cron`` noted; its keywords tell what each field means."""

    when: Cron
    id: str | None
    overlap: Overlap
    missed: Missed
    options: JobOptions = field(hash=False)
    where: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A declared schedule with its queue found.

    Attributes:
        queue: The queue's name.
        plan: What stands of it in Redis.
        missed: What becomes of a run whose time passed while it was missing.
        where: Where it is declared.
    """

    queue: str
    plan: SchedulerPlan
    missed: Missed
    where: str


def check_missed(missed: object, where: str) -> None:
    """Refuse what nothing can be made of."""
    if missed not in get_args(Missed):
        raise ScheduleError(f"missed={missed!r}", where=where, fix='write "skip" or "run_once"')


def check_unmarked(thing: Callable[..., object]) -> None:
    """Refuse ``@cron`` on what is no processor: it would never run."""
    marks: tuple[CronMark, ...] = vars(thing).get(CRON, ())
    for mark in marks:
        raise ScheduleError(
            f"@cron on {thing.__qualname__}, which is no processor",
            where=mark.where,
            fix='put @processor("its-queue") on it too',
        )


def cron(
    expression: str,
    *,
    tz: str = "UTC",
    id: str | None = None,  # noqa: A002 - BullMQ's word
    overlap: Overlap = "allow",
    missed: Missed = "skip",
    **options: Unpack[JobOptions],
) -> Callable[[Target], Target]:
    """Declare that a processor, or a method of `handles`, also runs when an expression says so.

    Its payload must be one that can be made of nothing: a model whose fields have defaults, or
    ``None``. May be stacked, with an ``id`` for each.

    Args:
        expression: See `Cron`.
        tz: See `Cron`.
        id: The schedule's id; the jobs' name unless given.
        overlap: See `Schedule`.
        missed: See `Schedule`.
        options: What its jobs are added with, over the processor's ``defaults``.

    Raises:
        ScheduleError: The expression, the zone or ``missed`` cannot be.
    """
    where = caller()
    try:
        when = Cron(expression, tz)
    except ScheduleError as error:
        error.where = where
        raise
    check_missed(missed, where)
    mark = CronMark(when, id, overlap, missed, options, where)

    def note(target: Target) -> Target:
        if not is_definition(target):
            raise ScheduleError(
                f"@cron cannot mark a {type(target).__name__}",
                where=where,
                fix="put it on a processor, or on a method with @handles",
            )
        if isinstance(target, type):
            setattr(target, CRON, (mark, *vars(target).get(CRON, ())))
        else:
            add_mark("cron", target, CRON, mark)
        return target

    return note
