"""The job that the current task runs, for log lines and for code that has no context."""

from contextvars import ContextVar
from typing import NamedTuple


class Running(NamedTuple):
    """What log lines say of a running job.

    Attributes:
        job: Its id.
        queue: The queue's name.
        name: The job's name.
        attempt: Which attempt this is, from 1.
    """

    job: str
    queue: str
    name: str
    attempt: int


CURRENT: ContextVar[Running | None] = ContextVar("framework_running_job", default=None)
