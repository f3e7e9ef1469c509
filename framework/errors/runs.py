"""Why the run of a job failed, and what those are told who await its result."""

from collections.abc import Sequence
from datetime import timedelta

from framework.errors.base import FrameworkError


class PayloadError(FrameworkError):
    """Data does not fit its type, where it enters Redis or where it leaves it."""


class ResultError(FrameworkError):
    """A processor returned what cannot be written as JSON; its work is done."""


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
