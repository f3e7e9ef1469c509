"""What Redis answers that refuses to change the state of a job or a queue."""

from framework.errors.base import FrameworkError


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
