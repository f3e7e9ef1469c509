"""The job that the current task runs, for log lines and for code that has no context."""

from contextvars import ContextVar
from typing import Any

from framework.model.job import Job

# The job itself: what a line says of it is decoded where there is a line, and most runs have none.
CURRENT: ContextVar[Job[Any, Any] | None] = ContextVar("framework_running_job", default=None)
