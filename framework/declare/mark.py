"""What ``@processor`` notes: facts that need no type hints, checked at once."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import EllipsisType
from typing import Literal, get_args

from framework.declare.names import check_name, check_queue
from framework.di.place import is_definition
from framework.errors import ProcessorError
from framework.model.backoff import BackoffStrategy
from framework.model.options import BUILT_IN, JobOptions, KeepJobs

RunIn = Literal["loop", "thread", "process"]

ATTRIBUTE = "__framework_processor__"
HALF_A_MINUTE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Limiter:
    """Start at most so many jobs of the queue in a time, over all its workers.

    Attributes:
        max: How many jobs.
        duration: In which time. Whole milliseconds.

    Raises:
        ProcessorError: No jobs, or no time.
    """

    max: int
    duration: timedelta

    def __post_init__(self) -> None:
        given = ((self.max, int), (self.duration, timedelta))
        if not all(isinstance(value, kind) for value, kind in given):
            raise ProcessorError(
                f"{self} is no number of jobs in a timedelta",
                fix="write Limiter(max=100, duration=timedelta(seconds=1)), say",
            )
        if self.max < 1 or self.duration < timedelta(milliseconds=1):
            raise ProcessorError(
                f"{self} lets no job through",
                fix="allow at least one job in at least a millisecond",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorMark:
    """What ``@processor`` noted; its keywords tell what each field means."""

    queue: str
    concurrency: int = 1
    run_in: RunIn | None = None
    lock_duration: timedelta = HALF_A_MINUTE
    stalled_interval: timedelta = HALF_A_MINUTE
    limiter: Limiter | None = None
    metrics: timedelta | None = None
    name: str | None = None
    defaults: JobOptions = field(default_factory=JobOptions, hash=False)
    backoffs: Mapping[str, BackoffStrategy] = field(default_factory=dict, hash=False)
    max_started_attempts: int | None = None
    timeout: timedelta | None = None
    max_crashes: int | EllipsisType | None = ...
    remove_on_complete: KeepJobs | bool | None = None
    remove_on_fail: KeepJobs | bool | None = None
    max_stalled_count: int | None = None

    @property
    def keep_completed(self) -> KeepJobs:
        """How long to keep completed jobs that do not say it themselves."""
        return kept(self.remove_on_complete)

    @property
    def keep_failed(self) -> KeepJobs:
        """How long to keep failed jobs that do not say it themselves."""
        return kept(self.remove_on_fail)

    @property
    def timeout_seconds(self) -> float | None:
        """The timeout in seconds."""
        return None if self.timeout is None else self.timeout.total_seconds()


def mark_of(thing: object) -> ProcessorMark | None:
    """Return what ``@processor`` noted on ``thing`` itself; a subclass inherits no mark."""
    return vars(thing).get(ATTRIBUTE) if is_definition(thing) else None


def check_mark(mark: ProcessorMark, where: str) -> None:
    """Refuse what cannot work whatever the processor looks like.

    Raises:
        ProcessorError: It names the keyword and what is allowed.
    """
    check_queue(mark.queue, where=where, error=ProcessorError)
    if mark.name is not None:
        check_name(mark.name, where=where, error=ProcessorError)
    concurrency: object = mark.concurrency  # of any type, where no type checker looks
    if not isinstance(concurrency, int) or concurrency < 1:
        raise ProcessorError(
            f"concurrency={concurrency!r}",
            where=where,
            fix="write a whole number, at least 1: how many jobs run at once",
        )
    if mark.run_in is not None and mark.run_in not in get_args(RunIn):
        raise ProcessorError(
            f"run_in={mark.run_in!r}",
            where=where,
            fix='write "loop", "thread" or "process"',
        )
    check_limiter(mark.limiter, where)
    if mark.metrics is not None:
        check_metrics(mark.metrics, where)
    check_span("lock_duration", mark.lock_duration, where)
    check_span("stalled_interval", mark.stalled_interval, where)
    if mark.timeout is not None:
        check_span("timeout", mark.timeout, where)
    started: object = mark.max_started_attempts
    if started is not None and (not isinstance(started, int) or started < 1):
        raise ProcessorError(
            f"max_started_attempts={started!r}",
            where=where,
            fix="write a whole number, at least 1: how often a job may be started",
        )
    check_crashes(mark.max_crashes, where)
    check_stalls(mark.max_stalled_count, where)
    for keyword in ("remove_on_complete", "remove_on_fail"):
        check_keep(keyword, getattr(mark, keyword), where)
    check_backoffs(mark.backoffs, where)


def check_crashes(most: object, where: str) -> None:
    """Refuse what is no number of crashes; the ellipsis stands for the setting."""
    if most is None or most is ... or (isinstance(most, int) and most >= 1):
        return
    raise ProcessorError(
        f"max_crashes={most!r}",
        where=where,
        fix="write a whole number, at least 1: how many crashes quarantine a job; None for never",
    )


def kept(keep: KeepJobs | bool | None) -> KeepJobs:
    """Return a retention that was said in any of its forms."""
    if isinstance(keep, KeepJobs):
        return keep
    return KeepJobs.none() if keep else KeepJobs.all()


def check_keep(keyword: str, keep: object, where: str) -> None:
    """Refuse what is no retention.

    Raises:
        ProcessorError: It names the keyword.
    """
    if keep is not None and not isinstance(keep, KeepJobs | bool):
        raise ProcessorError(
            f"{keyword}={keep!r}",
            where=where,
            fix="write KeepJobs(count=1000), say, True for none, or False for all",
        )


def check_stalls(most: object, where: str) -> None:
    """Refuse what is no number of stalls.

    Raises:
        ProcessorError: It is none.
    """
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise ProcessorError(
            f"max_stalled_count={most!r}",
            where=where,
            fix="write a whole number, at least 0: how often a job may stall; None for always",
        )


def check_span(keyword: str, span: object, where: str) -> None:
    """Refuse what is no time, or none at all.

    Raises:
        ProcessorError: It names the keyword.
    """
    if not isinstance(span, timedelta) or span < timedelta(milliseconds=1):
        raise ProcessorError(
            f"{keyword}={span!r}",
            where=where,
            fix="write a timedelta of at least a millisecond, as in timedelta(seconds=30)",
        )


def check_backoffs(backoffs: Mapping[str, BackoffStrategy], where: str) -> None:
    """Refuse a strategy that no job could ask for, or that cannot be called.

    Raises:
        ProcessorError: It names the strategy.
    """
    named: object = backoffs
    if not isinstance(named, Mapping):
        raise ProcessorError(
            f"backoffs={backoffs!r}",
            where=where,
            fix='give each a name, as in backoffs={"bank": wait_for_bank}',
        )
    for name, strategy in backoffs.items():
        if not name or name in BUILT_IN:
            raise ProcessorError(
                f"backoffs={{{name!r}: ...}}",
                where=where,
                fix='"fixed" and "exponential" are there; give yours another name',
            )
        given: object = strategy
        if not callable(given) or inspect.iscoroutinefunction(given):
            raise ProcessorError(
                f"backoffs={{{name!r}: {strategy!r}}}",
                where=where,
                fix="write a plain function (attempt, error, job) -> timedelta, or None for "
                "no retry",
            )


def check_limiter(limiter: object, where: str) -> None:
    """Refuse what is no limit."""
    if limiter is not None and not isinstance(limiter, Limiter):
        raise ProcessorError(
            f"limiter={limiter!r}",
            where=where,
            fix="write Limiter(max=100, duration=timedelta(seconds=1)), say",
        )


def check_metrics(span: object, where: str) -> None:
    """Refuse what is no time to keep metrics for."""
    if not isinstance(span, timedelta) or span < timedelta(0):
        raise ProcessorError(
            f"metrics={span!r}",
            where=where,
            fix="write how long to keep them, as in timedelta(days=14), or timedelta(0) for none",
        )
