"""What all endpoints work with."""

from typing import Any

from framework import Job, JobNotFoundError, Queue, Queues, Routes
from framework_web.log_rows import Logs
from framework_web.standing import Look
from framework_web.task_types import TaskType, TaskTypes
from framework_web.web_settings import Guard, WebSettings


class Desk:
    """What all endpoints work with; one a process.

    Args:
        queues: All queues.
        routes: Where payloads go.

    Attributes:
        types: The types of tasks.
        settings: What the environment says.
        guard: Decides who may ask.
        logs: The logs that are watched.
    """

    def __init__(self, queues: Queues, routes: Routes) -> None:
        self.types = TaskTypes.of_routes(routes)
        self.settings = WebSettings()
        self.guard = Guard(self.settings)
        self.logs = Logs()
        self._queues = queues

    def queue_of(self, kind: TaskType) -> Queue:
        """Return the queue of a type."""
        return self._queues.get(kind.queue)

    async def look(self, kind: TaskType, task_id: str) -> Look:
        """See how a task stands.

        Raises:
            JobNotFoundError: There is none of this type and id.
        """
        look = await self.queue_of(kind).look(task_id)
        if look is None or not is_of(kind, look.job):
            raise JobNotFoundError(job_id=task_id, queue=kind.queue)
        return look


def is_of(kind: TaskType, job: Job[Any, Any]) -> bool:
    """Tell whether a job is a task of a type."""
    return job.name == kind.job_name
