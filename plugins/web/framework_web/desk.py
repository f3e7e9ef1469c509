"""What all endpoints work with."""

from http import HTTPStatus

from framework import JobNotFoundError, Queue, Queues, Routes
from framework_web.access import Access
from framework_web.kinds import TaskType
from framework_web.log_rows import Logs
from framework_web.payloads import Payloads
from framework_web.problems import ProblemError
from framework_web.rates import Rates, Streams
from framework_web.standing import Look
from framework_web.tasks import Tasks
from framework_web.tokens import WatchTokens
from framework_web.web_settings import WebSettings


class Desk:
    """What all endpoints work with; one an application.

    Args:
        tasks: Knows all types of tasks.
        queues: All queues.
        routes: Where payloads go.
        settings: What the environment says.
        access: Decides who may ask.
        tokens: Signs watch tokens.

    Attributes:
        payloads: What tasks may be started with.
        rates: How often clients ask.
        streams: What they follow.
        logs: The logs that are watched.
    """

    def __init__(
        self,
        tasks: Tasks,
        queues: Queues,
        routes: Routes,
        settings: WebSettings,
        access: Access,
        tokens: WatchTokens,
    ) -> None:
        self.payloads = Payloads(routes)
        self.settings = settings
        self.access = access
        self.tokens = tokens
        self.rates = Rates(settings.web_rate_limit)
        self.streams = Streams(settings.web_stream_limit)
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
