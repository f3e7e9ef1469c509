"""What all endpoints of one gateway share."""

from framework import Application, Queue, Queues, Workers
from framework_gateway.auth import Guard
from framework_gateway.errors import closing
from framework_gateway.settings import GatewaySettings


class Hub:
    """What all endpoints share.

    Args:
        application: Open; it has no declarations of its own.
        queues: The application's.
        workers: The application's.
        settings: The gateway's.
        guard: Knows the tokens.

    Attributes:
        is_closing: Whether the gateway closes: nothing new begins.
    """

    def __init__(
        self,
        application: Application,
        queues: Queues,
        workers: Workers,
        settings: GatewaySettings,
        guard: Guard,
    ) -> None:
        self.application = application
        self.workers = workers
        self.settings = settings
        self.guard = guard
        self.is_closing = False
        self._queues = queues

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return self.application.settings.prefix

    def queue(self, name: str) -> Queue:
        """Return a queue whose name is checked."""
        return self._queues.get(name)

    def check_open(self) -> None:
        """Refuse what begins while the gateway closes.

        Raises:
            AnswerError: 503.
        """
        if self.is_closing:
            raise closing()

    async def close(self) -> None:
        """Let nothing new begin, and what runs end."""
        self.is_closing = True
