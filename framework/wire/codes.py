"""Negative script codes and the errors they stand for; the numbers up to -11 are BullMQ's."""

from framework.errors import (
    FailedChildrenError,
    JobCancelledError,
    JobNotFoundError,
    LockLostError,
    OddKeysError,
    OtherParentError,
    ParentNotFoundError,
    PendingChildrenError,
    RunExistsError,
    SchedulerJobError,
    TransitionError,
    WrongStateError,
)

NOT_FOUND = -1
LOCK_MISSING = -2
WRONG_STATE = -3
PENDING_CHILDREN = -4
PARENT_NOT_FOUND = -5
LOCK_MISMATCH = -6
OTHER_PARENT = -7
SCHEDULER_JOB = -8
FAILED_CHILDREN = -9
RUN_EXISTS = -10
SLOTS_BUSY = -11
BROKEN = -20
CANCELLED = -22

ERRORS: dict[int, type[TransitionError]] = {
    NOT_FOUND: JobNotFoundError,
    LOCK_MISSING: LockLostError,
    WRONG_STATE: WrongStateError,
    PENDING_CHILDREN: PendingChildrenError,
    PARENT_NOT_FOUND: ParentNotFoundError,
    LOCK_MISMATCH: LockLostError,
    OTHER_PARENT: OtherParentError,
    SCHEDULER_JOB: SchedulerJobError,
    FAILED_CHILDREN: FailedChildrenError,
    RUN_EXISTS: RunExistsError,
    SLOTS_BUSY: RunExistsError,
    BROKEN: OddKeysError,
    CANCELLED: JobCancelledError,
}


def error_for(code: int, *, job_id: str, queue: str) -> TransitionError:
    """Return the error that a negative ``code`` stands for."""
    return ERRORS.get(code, TransitionError)(job_id=job_id, queue=queue, code=code)


def raise_for(code: int, *, job_id: str, queue: str, wrong_state: str = "") -> None:
    """Raise the error of a negative ``code``; let every other one pass.

    Args:
        code: The script's code.
        job_id: The job.
        queue: The queue's name.
        wrong_state: How a job stands that the script takes from no other state.

    Raises:
        TransitionError: Its subclass for ``code``.
    """
    if code == WRONG_STATE:
        raise WrongStateError(job_id=job_id, queue=queue, code=code, problem=wrong_state)
    if code < 0:
        raise error_for(code, job_id=job_id, queue=queue)
