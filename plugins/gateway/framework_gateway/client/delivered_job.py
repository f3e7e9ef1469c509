"""A job in the hands of a client's handler: what that may say of it while it runs."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NoReturn

from framework_gateway.client.options import ONE_MS
from framework_gateway.client.remote_job import RemoteJob

Say = Callable[[dict[str, object]], Awaitable[None]]


class LeftEarly(BaseException):
    """A handler has left before its job was done; no ``except Exception`` is to eat it.

    Args:
        wish: What is to become of the job, as the gateway is told.
    """

    def __init__(self, wish: dict[str, object]) -> None:
        super().__init__(wish)
        self.wish = wish


class DeliveredJob:
    """A job in a handler's hands.

    All that it says raises `GatewayConnectionError` once the job is no longer the handler's.

    Attributes:
        job: All that is known of it.
        token: What holds it: HTTP takes it for progress and logs of this job.
    """

    def __init__(self, job: RemoteJob, token: str, say: Say) -> None:
        self.job = job
        self.token = token
        self._say = say

    def __repr__(self) -> str:
        """Name the job; its data may be secret."""
        return f"DeliveredJob(id={self.id!r}, name={self.name!r})"

    @property
    def id(self) -> str:
        """Unique within its queue."""
        return self.job.id

    @property
    def name(self) -> str:
        """What kind of job it is."""
        return self.job.name

    @property
    def data(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The payload, as it was when the job was delivered."""
        return self.job.data

    @property
    def attempts_made(self) -> int:
        """How many attempts have ended before this one."""
        return self.job.attempts_made

    @property
    def attempts(self) -> int:
        """How many tries it gets in all."""
        return self.job.attempts

    async def progress(self, value: object) -> None:
        """Report how far it is: a number, text or a JSON object, but not None."""
        await self._say({"type": "progress", "payload": value})

    async def log(self, row: str) -> None:
        """Append a row to its log."""
        await self._say({"type": "log", "payload": row})

    async def save(self, data: object) -> None:
        """Replace its payload: a later attempt begins with it."""
        await self._say({"type": "update", "payload": data})

    async def extend(self, span: timedelta) -> None:
        """Hold it so long from now even if the gateway dies; at most an hour."""
        await self._say({"type": "extend", "payload": span // ONE_MS})

    async def delay_for(self, span: timedelta) -> NoReturn:
        """Leave, and run it again after a time; no attempt is counted."""
        raise LeftEarly({"type": "delay", "payload": span // ONE_MS})

    async def give_back(self) -> NoReturn:
        """Leave, and let it wait again as the first; no attempt is counted."""
        raise LeftEarly({"type": "release"})
