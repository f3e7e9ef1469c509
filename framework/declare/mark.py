"""What ``@processor`` notes: facts that need no type hints, checked at once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from framework.declare.names import check_name, check_queue
from framework.di.place import is_definition
from framework.errors import ProcessorError
from framework.model.options import JobOptions

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
    name: str | None = None
    defaults: JobOptions = field(default_factory=JobOptions, hash=False)


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
    for keyword in ("lock_duration", "stalled_interval"):
        span: object = getattr(mark, keyword)
        if not isinstance(span, timedelta) or span < timedelta(milliseconds=1):
            raise ProcessorError(
                f"{keyword}={span!r}",
                where=where,
                fix="write a timedelta of at least a millisecond, as in timedelta(seconds=30)",
            )
