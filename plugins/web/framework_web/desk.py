"""What all endpoints work with."""

from http import HTTPStatus

from framework import JobNotFoundError, Queue, Queues, Routes
from framework_web.kinds import TaskType
from framework_web.log_rows import Logs
from framework_web.payloads import Payloads
from framework_web.problems import ProblemError
from framework_web.standing import Look
from framework_web.tasks import Tasks
from framework_web.web_settings import Guard, WebSettings


class Desk:
    """What all endpoints work with; one an application.

    Args:
        tasks: Knows all types of tasks.
        queues: All queues.
        routes: Where payloads go.

    Attributes:
        payloads: What tasks may be started with.
        settings: What the environment says.
        guard: Decides who may ask.
        logs: The logs that are watched.
    """

    def __init__(self, tasks: Tasks, queues: Queues, routes: Routes) -> None:
        self.payloads = Payloads(routes)
        self.settings = WebSettings()
        self.guard = Guard(self.settings)
        self.logs = Logs()
        self._tasks = tasks
        self._queues = queues

    @property
    def kinds(self) -> tuple[TaskType, ...]:
        """All types of tasks that are known now."""
        return self._tasks.types

    def find(self, name: str) -> TaskType:
        """Return a type of tasks.

        Raises:
            ProblemError: There is none of this name.
        """
        found = next((one for one in self.kinds if one.name == name), None)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such type of task.")
        return found

    def queue_of(self, kind: TaskType) -> Queue:
        """Return the queue of a type."""
        return self._queues.get(kind.queue)

    async def look(self, kind: TaskType, task_id: str) -> Look:
        """See how a task stands.

        Raises:
            JobNotFoundError: There is none of this type and id.
        """
        look = await self.queue_of(kind).look(task_id)
        if look is None:
            raise JobNotFoundError(job_id=task_id, queue=kind.queue)
        return look
