"""``@processor`` and ``@handles``: note what a class or function is, and return it as it was."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import EllipsisType
from typing import TypeVar

from framework.declare.mark import (
    ATTRIBUTE,
    HALF_A_MINUTE,
    Limiter,
    ProcessorMark,
    RunIn,
    check_mark,
)
from framework.declare.methods import add_mark
from framework.declare.names import check_name
from framework.di.place import caller, is_definition
from framework.errors import ProcessorError
from framework.model.backoff import BackoffStrategy
from framework.model.options import JobOptions, KeepJobs

HANDLES = "__framework_handles__"

Target = TypeVar("Target", bound=Callable[..., object])


def processor(
    queue: str,
    *,
    concurrency: int = 1,
    run_in: RunIn | None = None,
    lock_duration: timedelta = HALF_A_MINUTE,
    stalled_interval: timedelta = HALF_A_MINUTE,
    limiter: Limiter | None = None,
    metrics: timedelta | None = None,
    name: str | None = None,
    defaults: JobOptions | None = None,
    backoffs: Mapping[str, BackoffStrategy] | None = None,
    max_started_attempts: int | None = None,
    timeout: timedelta | None = None,
    max_crashes: int | EllipsisType | None = ...,
    remove_on_complete: KeepJobs | bool | None = None,
    remove_on_fail: KeepJobs | bool | None = None,
    max_stalled_count: int | None = None,
) -> Callable[[Target], Target]:
    """Declare what runs the jobs of a queue: a class with ``process``, or one function.

    Args:
        queue: The queue's name. Not empty, no ``:``.
        concurrency: How many jobs a worker runs at once.
        run_in: Where jobs run: in the event ``loop``, a ``thread`` or a ``process``. An
            ``async def`` runs in the loop; a plain ``def`` must say which.
        lock_duration: How long a job stays this worker's without a sign of life.
        stalled_interval: How often to look for jobs whose worker vanished.
        limiter: How many jobs may start in a time, over all workers of the queue.
        metrics: For how long to keep how many jobs ended in each minute, for `Queue.metrics`
            and dashboards; as the setting ``metrics`` says unless given. Zero: none.
        name: The name that jobs for ``process`` are added under; their payload's class in
            kebab case unless set. ``process`` takes jobs of every name all the same.
        defaults: Options of the jobs added through this declaration's producers.
        backoffs: What a job's ``backoff=Custom(name)`` stands for: called with the retry's
            number from 1, the error and the job, it returns how long to wait, or None for
            no retry. It runs in the event loop, so it must not block.
        max_started_attempts: Fail a job that was started more often, crashes and parking
            included.
        timeout: How long an attempt may take, unless the job's own ``timeout`` says. Then it
            fails with `JobTimeoutError` and is retried as its ``attempts`` allow: an
            ``async def`` is cancelled; a thread is told by ``ctx.cancelled`` and left to
            itself; a process is ended, and killed if it does not listen.
        max_crashes: From how many crashes on a job is quarantined: it has failed, with
            `JobQuarantinedError`, whatever attempts are left. A worker's death counts for all jobs
            that it ran and quarantines none; a job that was there twice runs alone from then on,
            in a child process, wherever its processor runs. As the setting ``max_crashes`` says
            unless given; None: never. With ``run_in="process"`` a crash fails an attempt instead.
        remove_on_complete: How long to keep jobs that completed and do not say it themselves, as
            our producers' do; all unless given.
        remove_on_fail: The same of those that failed.
        max_stalled_count: Fail a job that stalled more often, as BullMQ does, the next time that it
            would start. Never unless given.

    Raises:
        ProcessorError: An argument that cannot work.
    """
    mark = ProcessorMark(
        queue=queue,
        concurrency=concurrency,
        run_in=run_in,
        lock_duration=lock_duration,
        stalled_interval=stalled_interval,
        limiter=limiter,
        metrics=metrics,
        name=name,
        defaults=defaults if defaults is not None else JobOptions(),
        backoffs=backoffs if backoffs is not None else {},
        max_started_attempts=max_started_attempts,
        timeout=timeout,
        max_crashes=max_crashes,
        remove_on_complete=remove_on_complete,
        remove_on_fail=remove_on_fail,
        max_stalled_count=max_stalled_count,
    )
    check_mark(mark, caller())

    def note(target: Target) -> Target:
        if not is_definition(target):
            raise ProcessorError(
                f"@processor cannot mark a {type(target).__name__}",
                where=caller(),
                fix="put it on a class with process(self, job, …), or on a function",
            )
        setattr(target, ATTRIBUTE, mark)
        return target

    return note


def handles(name: str) -> Callable[[Target], Target]:
    """Declare that a method takes the jobs of one name; ``process`` takes the rest.

    May be stacked, for several names.

    Args:
        name: The jobs' name.

    Raises:
        ProcessorError: Not a name, or not a plain method.
    """
    check_name(name, where=caller(), error=ProcessorError)

    def note(method: Target) -> Target:
        add_mark("handles", method, HANDLES, name)
        return method

    return note
