"""What kinds of tasks there are: declared with `task`, or registered at run time."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeVar

from typing_extensions import Unpack

from framework import DeclarationError, Exponential, JobOptions, KeepJobs, processor

ATTRIBUTE = "__framework_task__"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CONCURRENCY = 3
DEFAULTS = JobOptions(
    attempts=3,
    backoff=Exponential(timedelta(seconds=2)),
    remove_on_complete=KeepJobs(count=10),
    remove_on_fail=KeepJobs(count=5),
)

Target = TypeVar("Target", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class TaskType:
    """A kind of task.

    Attributes:
        name: What it is called; its jobs too.
        queue: The queue of its jobs, which are all of this type.
        defaults: The options of its jobs, unless they are added with others.
    """

    name: str
    queue: str
    defaults: JobOptions = field(default_factory=JobOptions, hash=False)

    @classmethod
    def of(cls, name: str, queue: str | None, options: JobOptions) -> "TaskType":
        """Return it, over the defaults of all.

        Raises:
            DeclarationError: What no task can be called.
        """
        given: object = name
        if not isinstance(given, str) or not NAME.fullmatch(given):
            raise DeclarationError(
                f"no task can be called {name!r}",
                fix="use letters, digits, '.', '_' and '-'",
            )
        return cls(name, queue or name, JobOptions(**{**DEFAULTS, **options}))


def task(
    type: str,
    *,
    queue: str | None = None,
    concurrency: int = CONCURRENCY,
    run_in: Literal["loop", "thread", "process"] | None = None,
    **defaults: Unpack[JobOptions],
) -> Callable[[Target], Target]:
    """Declare a task type: a class with ``process``, or one function, as `processor` takes it.

    It is a processor, whose jobs are tried three times with a growing wait from 2 s, and of which
    the newest 10 completed and 5 failed are kept, unless ``defaults`` say otherwise.

    Args:
        type: What it is called. Letters, digits, ``.``, ``_`` and ``-``.
        queue: The queue of its jobs; called as the type unless given.
        concurrency: How many a worker runs at once.
        run_in: As of `processor`.
        defaults: The options of its jobs.

    Raises:
        DeclarationError: An argument that cannot work.
    """
    kind = TaskType.of(type, queue, defaults)
    mark = processor(
        kind.queue, concurrency=concurrency, run_in=run_in, name=type, defaults=kind.defaults
    )

    def note(target: Target) -> Target:
        marked = mark(target)
        setattr(marked, ATTRIBUTE, kind)
        return marked

    return note


def type_of(target: object) -> TaskType | None:
    """Return what `task` noted on a class or function itself; a subclass inherits nothing."""
    noted: TaskType | None = vars(target).get(ATTRIBUTE) if hasattr(target, "__dict__") else None
    return noted
