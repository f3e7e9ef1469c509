"""What can go wrong with a task that is started and watched over HTTP.

::

    TaskClientError
    ├── TaskFailedError        the task failed, or was aborted
    ├── TaskTimeoutError       it was awaited for too long; it goes on
    ├── TaskRefusedError       the server says no, and will again
    └── TaskUnreachableError   the server is not there, or not well
"""

from collections.abc import Mapping
from datetime import timedelta

from framework import FrameworkError


class TaskClientError(FrameworkError):
    """What all errors of `TaskClient` have in common."""


class TaskFailedError(TaskClientError):
    """A task failed for good.

    Args:
        type_name: Its type.
        task_id: Its id.
        reason: Why.
        attempts_made: After how many attempts.
    """

    def __init__(self, *, type_name: str, task_id: str, reason: str, attempts_made: int) -> None:
        super().__init__(type_name, task_id, reason, attempts_made)
        self.type_name = type_name
        self.task_id = task_id
        self.reason = reason
        self.attempts_made = attempts_made

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody aborted it."""
        return self.reason == "cancelled" or self.reason.startswith("cancelled: ")

    def __str__(self) -> str:
        return f"{self.type_name} {self.task_id} failed: {self.reason}"


class TaskTimeoutError(TaskClientError, TimeoutError):
    """A task was awaited for too long; it goes on.

    Args:
        type_name: Its type.
        task_id: Its id.
        timeout: How long was waited.
    """

    def __init__(self, *, type_name: str, task_id: str, timeout: timedelta) -> None:
        super().__init__(type_name, task_id, timeout)
        self.type_name = type_name
        self.task_id = task_id
        self.timeout = timeout

    def __str__(self) -> str:
        seconds = self.timeout.total_seconds()
        return f"{self.type_name} {self.task_id} has not ended after {seconds:g} s"


class TaskRefusedError(TaskClientError):
    """The server answered with an error that another try does not mend.

    Args:
        url: What was asked.
        status: The HTTP status.
        problem: What it says of it, as RFC 9457 has it; empty if it says nothing.
    """

    def __init__(self, *, url: str, status: int, problem: Mapping[str, object]) -> None:
        super().__init__(url, status, problem)
        self.url = url
        self.status = status
        self.problem = problem

    def __str__(self) -> str:
        said = self.problem.get("detail") or self.problem.get("title") or "refused"
        return f"{self.url} answered {self.status}: {said}"


class TaskUnreachableError(TaskClientError):
    """The server does not answer, or only with errors that pass.

    Args:
        url: What was asked.
        reason: What happened instead.
        retry_after: Seconds that it asked us to leave it alone; 0 if it did not.
    """

    def __init__(self, *, url: str, reason: str, retry_after: float = 0) -> None:
        super().__init__(url, reason, retry_after)
        self.url = url
        self.reason = reason
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.url} cannot be reached: {self.reason}"
