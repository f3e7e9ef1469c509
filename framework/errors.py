"""Every error that the framework raises, in one tree.

FrameworkError
├── DeclarationError            found before anything runs; says where, and how to mend it
│   ├── ProcessorError          a processor, handler or hook of the wrong shape
│   ├── RouteError              a payload type that leads to no queue, or to two
│   ├── DependencyError         a type that nothing provides, a cycle, a scope that ends too soon
│   ├── DiscoveryError          a package that cannot be imported or holds no processor
│   └── ScheduleError           a time that cannot be: a bad cron expression, a naive datetime
├── SettingsError               a setting that cannot be used
│   └── SlotError               keys that a Redis Cluster would keep in several places
├── OptionsError                a job option out of its range
├── PayloadError                data that does not fit its type; a retry will not help
├── ResultError                 a result that is no JSON; the work is done, the job fails
├── TransitionError             Redis refused; carries job_id, queue and code
│   ├── JobNotFoundError (-1)   LockLostError (-2, -6)         WrongStateError (-3)
│   ├── PendingChildrenError (-4), ParentNotFoundError (-5), OtherParentError (-7)
│   ├── FailedChildrenError (-9), OddKeysError (-20)
│   ├── JobLockedError (removal), SchedulerJobError (-8)
│   ├── RunExistsError (-10, -11)
│   └── JobCancelledError (-22) somebody cancelled the job
├── ActiveJobsError             a queue that workers use cannot be obliterated
├── RedisUnavailableError       no answer in time, or the connection is refused
│   └── RedisRefusedError       it answers, but not to us: wrong password, no rights, no memory
├── FormatError                 the queue was written by a newer release of the framework
├── StartError                  what the workers need could not be made
│   └── ProcessStartError       a child process that is to run jobs did not begin
├── StuckError                  workers take nothing although jobs wait
├── JobTimeoutError             a job ran longer than its timeout
├── ProcessCrashedError         the child process that ran a job ended
├── HandlerError                what a handler raised in a child process
│   └── UnrecoverableHandlerError   the same, of a kind that no retry helps
├── ServerError                 the embedded server cannot be found, started or stopped
├── JobFailedError              a result was awaited, and the job failed
├── ResultTimeoutError          a result was awaited for too long
├── UnrecoverableError          raised by application code: do not retry
└── FailedByHandError           never raised: why whoever held a job failed it
"""

from collections.abc import Sequence
from datetime import timedelta


class FrameworkError(Exception):
    """What all errors of the framework have in common."""


class DeclarationError(FrameworkError):
    """Something declared cannot work; found before Redis is touched.

    Args:
        what: What is wrong, in one clause.
        where: The place, as ``file.py:12`` or ``package.module.Name``.
        fix: What to write instead.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        if not self.fix:
            return f"{place}{self.what}"
        return f"{place}{self.what.rstrip('.')}. {self.fix[:1].upper()}{self.fix[1:]}"


class ProcessorError(DeclarationError):
    """A processor, a handler or a hook has the wrong shape."""


class RouteError(DeclarationError):
    """A payload type leads to no queue, or to more than one."""


class DependencyError(DeclarationError):
    """A parameter asks for what the container cannot give."""


class DiscoveryError(DeclarationError):
    """A package cannot be imported, or holds nothing to run."""


class ScheduleError(DeclarationError):
    """A schedule cannot work: its expression, zone, times or options."""


class SettingsError(FrameworkError):
    """A setting cannot be used; the text names it and the fix."""


class SlotError(SettingsError):
    """A Redis Cluster would keep apart what one call touches.

    Args:
        bases: What the keys begin with: one that has no hash tag, or several whose tags differ.
    """

    def __init__(self, bases: Sequence[str]) -> None:
        super().__init__(bases)
        self.bases = tuple(bases)

    def __str__(self) -> str:
        names = [base.rstrip(":") for base in self.bases]
        fix = 'Put one hash tag into the prefix: FRAMEWORK_PREFIX="{bull}"'
        if len(names) > 1:
            return f"{', '.join(names)} are in several slots of the cluster. {fix}"
        queue = names[0].rpartition(":")[2]
        return (
            f"the keys of {names[0]} would spread over the cluster. {fix}, "
            f'or into the name of the queue: "{{{queue}}}"'
        )


class OptionsError(FrameworkError, ValueError):
    """A job option is out of its range.

    Args:
        option: The option's name, such as ``delay``.
        problem: What is wrong with it and what is allowed.
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(option, problem)
        self.option = option
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.option}: {self.problem}"


class PayloadError(FrameworkError):
    """Data does not fit its type, where it enters Redis or where it leaves it."""


class ResultError(FrameworkError):
    """A processor returned what cannot be written as JSON; its work is done."""


class TransitionError(FrameworkError):
    """Redis refused to change a job's state.

    Args:
        job_id: The job.
        queue: The queue's name.
        code: The script's code, for those who compare with BullMQ's.
    """

    problem = "cannot change state"

    def __init__(self, *, job_id: str, queue: str, code: int = 0) -> None:
        super().__init__(job_id, queue, code)
        self.job_id = job_id
        self.queue = queue
        self.code = code

    def __str__(self) -> str:
        return f'job {self.job_id} of queue "{self.queue}" {self.problem}'


class JobNotFoundError(TransitionError):
    """The job's hash is gone: it never was, was removed, or its retention ended."""

    problem = "is not in Redis: it was removed, or its retention ended"


class LockLostError(TransitionError):
    """The lock expired, or another worker holds it; what this one did is not recorded."""

    problem = (
        "is locked by no one or by another worker; its outcome here was dropped. "
        "If this repeats, look for a blocked machine or a Redis that was away for long"
    )


class WrongStateError(TransitionError):
    """The job is not in the state that the change starts from.

    Args:
        job_id: The job.
        queue: The queue's name.
        code: The script's code.
        problem: Which state that is, where it is known.
    """

    problem = "is not in the state that this change starts from"

    def __init__(self, *, job_id: str, queue: str, code: int = 0, problem: str = "") -> None:
        super().__init__(job_id=job_id, queue=queue, code=code)
        self.problem = problem or type(self).problem


class PendingChildrenError(TransitionError):
    """The job has children that have not finished."""

    problem = "cannot complete while children of it are pending"


class ParentNotFoundError(TransitionError):
    """The parent that a new job names does not exist; nothing was added.

    Args:
        job_id: The job.
        queue: The queue's name.
        code: The script's code.
        parent: The parent's full key, where it is known.
    """

    problem = "names a parent that is not in Redis"

    def __init__(self, *, job_id: str, queue: str, code: int = 0, parent: str = "") -> None:
        super().__init__(job_id=job_id, queue=queue, code=code)
        self.parent = parent

    def __str__(self) -> str:
        return f"{super().__str__()}: {self.parent}" if self.parent else super().__str__()


class OtherParentError(TransitionError):
    """A job of this id is there, and cannot become this parent's child; nothing was added."""

    problem = (
        "is there already and cannot be this parent's child: it is another's, or stands above it"
    )


class FailedChildrenError(TransitionError):
    """A child failed that the job may not outlive; the job fails too, without retry.

    Args:
        job_id: The job.
        queue: The queue's name.
        code: The script's code.
        child: The child's full key, where it is known.
    """

    problem = "cannot complete: a child of it failed"

    def __init__(self, *, job_id: str, queue: str, code: int = 0, child: str = "") -> None:
        super().__init__(job_id=job_id, queue=queue, code=code)
        self.child = child

    def __str__(self) -> str:
        return f"child {self.child} failed" if self.child else super().__str__()


class OddKeysError(TransitionError):
    """A key of the job, or of one tied to it, is not of the type that it should be."""

    problem = (
        "cannot change state: a key of it, or of its parent, is not of the type that it should "
        "be; the log, or Redis' own, has Redis' words"
    )


class JobCancelledError(TransitionError):
    """Somebody cancelled the job: it has failed, without retry, whatever its run led to.

    The hook ``failed`` is told this one; whoever ends a job by hand meets it.

    Args:
        job_id: The job.
        queue: The queue's name.
        code: The script's code.
        reason: Its ``failedReason``: ``cancelled``, or ``cancelled: `` and why.
    """

    def __init__(
        self, *, job_id: str, queue: str, code: int = 0, reason: str = "cancelled"
    ) -> None:
        super().__init__(job_id=job_id, queue=queue, code=code)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class JobLockedError(TransitionError):
    """The job is being worked on, so it cannot be removed."""

    problem = "cannot be removed now: a worker runs it, or a job below it"


class SchedulerJobError(TransitionError):
    """The job is the next run of a schedule and cannot be removed by itself."""

    problem = "is the next run of a schedule; remove the schedule instead"


class RunExistsError(TransitionError):
    """A schedule was changed while the run that would be its next one runs, or has run."""

    problem = (
        "is there already: the schedule stays as it was. Try again once that job has ended, or use "
        "another id"
    )


class ActiveJobsError(FrameworkError):
    """Workers hold jobs of a queue, so it cannot be obliterated.

    Args:
        queue: The queue's name.
    """

    def __init__(self, *, queue: str) -> None:
        super().__init__(queue)
        self.queue = queue

    def __str__(self) -> str:
        return (
            f'queue "{self.queue}" has active jobs. Wait until they end, or obliterate it with '
            "force=True: then their outcomes are dropped"
        )


class RedisUnavailableError(FrameworkError):
    """Redis does not answer.

    Args:
        address: Where it was looked for, without its password.
        problem: What the connection said.
    """

    fix = "Set REDIS_URL, or run: framework dev"

    def __init__(self, address: str, problem: str, *, fix: str | None = None) -> None:
        super().__init__(address, problem)
        self.address = address
        self.problem = problem.rstrip(". ")
        self.fix = type(self).fix if fix is None else fix

    def __str__(self) -> str:
        return f"cannot reach redis at {self.address} ({self.problem}). {self.fix}"


class RedisRefusedError(RedisUnavailableError):
    """Redis answers, but refuses what was asked of it."""

    fix = "Check the user, the password and the rights in REDIS_URL"

    def __str__(self) -> str:
        return f"redis at {self.address} refused: {self.problem}. {self.fix}"


class FormatError(FrameworkError):
    """A queue was written by a newer release than this one.

    Args:
        queue: The queue's name.
        found: The format number in Redis.
        known: The highest number this release reads.
    """

    def __init__(self, *, queue: str, found: int, known: int) -> None:
        super().__init__(queue, found, known)
        self.queue = queue
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f'queue "{self.queue}" holds format {self.found}, this release reads up to '
            f"{self.known}. Upgrade this process to the release that the others run"
        )


class StartError(FrameworkError):
    """A provider or a constructor raised while the workers started.

    Args:
        what: What was being made.
        where: Where it was raised.
        cause: What was raised.
    """

    def __init__(self, what: str, where: str, cause: BaseException) -> None:
        super().__init__(what, where, cause)
        self.what = what
        self.where = where
        self.cause = cause

    def __str__(self) -> str:
        told = f"{type(self.cause).__name__}: {self.cause}".rstrip(": ")
        return f"{self.where}: what {self.what} needs could not be made: {told}"


class StuckError(FrameworkError):
    """Jobs wait and slots are free, but the workers of this process take nothing."""

    def __str__(self) -> str:
        return "jobs wait and slots are free, but nothing was fetched; start this process anew"


class ProcessStartError(StartError):
    """A child process could not begin to run jobs.

    Args:
        what: The processor.
        problem: What it said, or how it ended.
        trace: What it printed last.
    """

    def __init__(self, what: str, problem: str, trace: str = "") -> None:
        FrameworkError.__init__(self, what, problem, trace)
        self.what = what
        self.problem = problem
        self.trace = trace

    def __str__(self) -> str:
        return f"no process for {self.what} could be started: {self.problem}"


class ServerError(FrameworkError):
    """The embedded server cannot be found, started or stopped."""


class JobFailedError(FrameworkError):
    """A result was awaited, and the job failed for good.

    Args:
        job_id: The job.
        queue: The queue's name.
        reason: Its ``failedReason``.
        stacktrace: One text per failed attempt, newest last.
    """

    def __init__(
        self, *, job_id: str, queue: str, reason: str, stacktrace: Sequence[str] = ()
    ) -> None:
        super().__init__(job_id, queue, reason)
        self.job_id = job_id
        self.queue = queue
        self.reason = reason
        self.stacktrace = tuple(stacktrace)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled it, as its reason tells."""
        return self.reason == "cancelled" or self.reason.startswith("cancelled: ")

    def __str__(self) -> str:
        return f'job {self.job_id} of queue "{self.queue}" failed: {self.reason}'


class ResultTimeoutError(FrameworkError, TimeoutError):
    """A result was awaited for too long; the job goes on.

    Args:
        job_id: The job.
        queue: The queue's name.
        timeout: How long was waited.
    """

    def __init__(self, *, job_id: str, queue: str, timeout: timedelta) -> None:
        super().__init__(job_id, queue, timeout)
        self.job_id = job_id
        self.queue = queue
        self.timeout = timeout

    def __str__(self) -> str:
        return (
            f'job {self.job_id} of queue "{self.queue}" did not finish within '
            f"{self.timeout.total_seconds():g} s; it goes on"
        )


class UnrecoverableError(FrameworkError):
    """Raised by application code: fail this job now, whatever attempts are left."""


class JobTimeoutError(FrameworkError, TimeoutError):
    """An attempt took longer than the job's timeout, or its processor's.

    Args:
        timeout: How long it may take.
    """

    def __init__(self, timeout: timedelta) -> None:
        super().__init__(timeout)
        self.timeout = timeout

    def __str__(self) -> str:
        return f"the job ran longer than its timeout of {self.timeout.total_seconds():g} s"


class ProcessCrashedError(FrameworkError):
    """The child process that ran a job ended in the middle of it.

    Args:
        exit_code: Its exit code; None if a signal ended it.
        signal_name: The signal, such as ``SIGKILL``; None if it ended by itself.
        trace: What it printed last.
    """

    def __init__(self, exit_code: int | None, signal_name: str | None, trace: str = "") -> None:
        super().__init__(exit_code, signal_name, trace)
        self.exit_code = exit_code
        self.signal_name = signal_name
        self.trace = trace

    def __str__(self) -> str:
        if self.signal_name is None:
            return f"the process that ran the job ended with exit code {self.exit_code}"
        hint = " (out of memory?)" if self.signal_name == "SIGKILL" else ""
        return f"the process that ran the job was ended by {self.signal_name}{hint}"


class HandlerError(FrameworkError):
    """What a handler raised in a child process; only its words reach the worker.

    Args:
        kind: The name of its type, such as ``ValueError``.
        text: What it said.
        trace: Where it was raised, in the child.
    """

    def __init__(self, kind: str, text: str, trace: str) -> None:
        super().__init__(kind, text, trace)
        self.kind = kind
        self.text = text
        self.trace = trace

    def __str__(self) -> str:
        return self.text


class UnrecoverableHandlerError(HandlerError, UnrecoverableError):
    """A `HandlerError` of a kind that no retry helps."""


class FailedByHandError(FrameworkError):
    """Why a job failed, in the words of whoever held it."""
