"""What a producer may ask for a job: how often, when, before whom, kept how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol, TypedDict

from framework.errors import OptionsError
from framework.model.spans import check_span

MAX_PRIORITY = 2_097_151


@dataclass(frozen=True, slots=True)
class Fixed:
    """Wait the same time before each retry.

    Args:
        delay: The wait.
        jitter: 0 to 1: which part of the wait is random.

    Raises:
        OptionsError: A negative delay, or a jitter outside 0 to 1.
    """

    delay: timedelta
    jitter: float = 0.0

    def __post_init__(self) -> None:
        check_backoff(self.delay, self.jitter)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Wait ``delay``, then twice as long before each further retry.

    Args:
        delay: The wait before the first retry.
        jitter: 0 to 1: which part of each wait is random.

    Raises:
        OptionsError: A negative delay, or a jitter outside 0 to 1.
    """

    delay: timedelta
    jitter: float = 0.0

    def __post_init__(self) -> None:
        check_backoff(self.delay, self.jitter)


@dataclass(frozen=True, slots=True)
class Custom:
    """Wait as the processor says that runs the job: ``@processor(..., backoffs={name: ...})``.

    BullMQ's workers ask their ``backoffStrategy``.

    Args:
        name: The strategy's name.
        delay: For the strategy's own use.
        jitter: 0 to 1: which part of each wait is random.

    Raises:
        OptionsError: No name, or one of BullMQ's own; a negative delay, or a jitter
            outside 0 to 1.
    """

    name: str
    delay: timedelta = timedelta(0)
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if not self.name or self.name in BUILT_IN:
            raise OptionsError("backoff", f"{self.name!r} is no name for a strategy of one's own")
        check_backoff(self.delay, self.jitter)


BUILT_IN = frozenset({"fixed", "exponential"})
Backoff = Fixed | Exponential | Custom


def check_backoff(delay: timedelta, jitter: float) -> None:
    """Refuse what no worker could wait for."""
    check_span("backoff", delay, "its delay")
    if delay < timedelta(0):
        raise OptionsError(
            "backoff", f"its delay must not be negative, got {delay.total_seconds():g} s"
        )
    if not 0 <= jitter <= 1:
        raise OptionsError("backoff", f"its jitter must be between 0 and 1, got {jitter}")


@dataclass(frozen=True, slots=True)
class KeepJobs:
    """How many finished jobs to keep, and for how long. What is met first removes.

    Args:
        count: Keep at most so many, the newest. None: no limit.
        age: Keep none that finished longer ago. Whole seconds. None: no limit.
        limit: Remove at most so many by age each time a job finishes.
        at_least: Keep what finished within this time whatever ``count`` says (up to
            20,000 jobs), so that a waiter can still read its result. Honoured by this
            framework's workers; others go by ``count`` alone.

    Raises:
        OptionsError: A negative number or time.
    """

    count: int | None = None
    age: timedelta | None = None
    limit: int | None = None
    at_least: timedelta | None = None

    def __post_init__(self) -> None:
        for name in ("count", "limit"):
            number = getattr(self, name)
            if number is None:
                continue
            if not isinstance(number, int) or isinstance(number, bool):
                raise OptionsError("KeepJobs", f"{name} is a whole number, got {number!r}")
            if number < 0:
                raise OptionsError("KeepJobs", f"{name} must not be negative, got {number}")
        for name in ("age", "at_least"):
            span = getattr(self, name)
            if span is None:
                continue
            check_span("KeepJobs", span, name)
            if span < timedelta(0):
                raise OptionsError("KeepJobs", f"{name} must not be negative, got {span}")

    @classmethod
    def all(cls) -> KeepJobs:
        """Keep every job for ever: BullMQ's default. Mind Redis' memory."""
        return cls()

    @classmethod
    def none(cls) -> KeepJobs:
        """Remove the job as soon as it finishes; its event still carries the result."""
        return cls(count=0)


KEEP_COMPLETED = KeepJobs(count=1000, age=timedelta(hours=24), at_least=timedelta(seconds=60))
KEEP_FAILED = KeepJobs(age=timedelta(days=7))


@dataclass(frozen=True, slots=True)
class Deduplication:
    """Add no second job of an id while the first is there; BullMQ's modes.

    With the id alone the first job holds it until it ends or is removed. With ``ttl`` it is
    held for that time, whether the job ends or not (throttle). Whoever adds meanwhile gets
    the job that holds it.

    Args:
        id: What must not be there twice.
        ttl: How long the id is held.
        extend: Each add that is suppressed begins the ``ttl`` anew.
        replace: A holder that is still delayed makes way for the new job; with ``extend`` and
            a ``delay`` that is a debounce: the last add of a burst runs.
        reschedule: A holder that is still delayed keeps its data and gets the new delay.
            Ignored with ``replace``, and by BullMQ 5.
        keep_last_if_active: While the holder runs, the newest add waits and becomes a job
            when that one ends; the id is then held without a ``ttl``.

    Raises:
        OptionsError: An empty id, or a time that is not positive.
    """

    id: str
    ttl: timedelta | None = None
    extend: bool = False
    replace: bool = False
    reschedule: bool = False
    keep_last_if_active: bool = False

    def __post_init__(self) -> None:
        check_deduplication_id(self.id)
        if self.ttl is None:
            return
        check_span("deduplication", self.ttl, "its ttl")
        if self.ttl < timedelta(milliseconds=1):
            raise OptionsError("deduplication", f"its ttl must be positive, got {self.ttl}")


def check_deduplication_id(dedup_id: object) -> None:
    """Refuse what no key can be named by."""
    if not isinstance(dedup_id, str) or not dedup_id:
        raise OptionsError("deduplication", f"its id is text that is not empty, got {dedup_id!r}")
    try:
        dedup_id.encode()
    except UnicodeEncodeError as error:
        raise OptionsError(
            "deduplication", f"its id {dedup_id!r} is no valid Unicode text"
        ) from error


class Parent(Protocol):
    """What a child's ``parent`` must tell: a `Job` does, or a `ParentJob`."""

    @property
    def id(self) -> str:
        """The parent's id."""
        ...

    @property
    def queue(self) -> str:
        """The name of its queue."""
        ...


class ParentJob(NamedTuple):
    """A parent of which no more is known.

    Args:
        id: Its id.
        queue: The name of its queue.
    """

    id: str
    queue: str


OnChildFailure = Literal["fail", "continue", "ignore", "remove", "wait"]


class FlowOptions(TypedDict, total=False):
    """What a job asks for itself; `JobOptions` adds what ties it to a parent.

    Keys:
        attempts: How many tries in all; 1 (one try) unless set. 0 to 2^31 - 1.
        backoff: How long to wait before a retry; at once unless set.
        delay: Run no earlier than this from now. Whole milliseconds, not negative.
        priority: 0 to 2,097,151; 0 runs before all others, then 1, 2 and so on.
        lifo: Run before the jobs that already wait.
        job_id: An id of one's own. A second add with it changes nothing and returns the
            job that is there. Not numeric, no ``:``, at most 512 bytes.
        timestamp: When the job was created; now unless set. Aware.
        remove_on_complete: How long to keep it when it completed: the newest 1,000 or
            24 hours unless set.
        remove_on_fail: How long to keep it when it failed: 7 days unless set. None of either:
            nothing is written, and the worker that runs it decides, as with a job of BullMQ's.
        keep_logs: Keep so many log rows, the newest.
        stack_trace_limit: Keep so many stack traces, the newest.
        timeout: How long an attempt may take, whatever its processor says; see the
            ``timeout`` of `processor`. Only this framework's workers heed it.
        size_limit: Refuse data whose JSON is larger. Bytes.
        deduplication: Add no second job of an id; see `Deduplication`. Not with ``parent``.
    """

    attempts: int
    backoff: Backoff | timedelta
    delay: timedelta
    priority: int
    lifo: bool
    job_id: str
    timestamp: datetime
    remove_on_complete: KeepJobs | bool | None
    remove_on_fail: KeepJobs | bool | None
    keep_logs: int
    stack_trace_limit: int
    timeout: timedelta
    size_limit: int
    deduplication: Deduplication


class JobOptions(FlowOptions, total=False):
    """One declaration, two uses: ``defaults=`` of a processor and ``add(**options)``.

    Keys:
        parent: A job that shall wait for this one, of the same prefix: a `Job` does not tell
            its own. Not among a processor's ``defaults``.
        on_child_failure: What it does to the parent if this job fails for good. ``"fail"``,
            unless set: the parent fails too. ``"continue"``: the parent runs at once,
            without waiting for its other children. ``"ignore"``: it waits for the others.
            ``"remove"``: the same, and it is not told. The text is told to the parent by
            ``"continue"`` and ``"ignore"``, see `Queue.ignored_children`. ``"wait"``, what BullMQ
            does unless told otherwise: the parent waits until this job is retried or removed.
            Only with ``parent``.

        All others stand in `FlowOptions`.
    """

    parent: Parent
    on_child_failure: OnChildFailure
