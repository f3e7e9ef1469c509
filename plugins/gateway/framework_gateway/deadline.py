"""Requests that come in too slowly: nobody may hold a connection by never ending one."""

from http import HTTPStatus

import anyio
from starlette.types import Message, Receive

from framework_gateway.errors import AnswerError


class Deadline:
    """Lets a request's body come in for so long.

    Args:
        receive: The server's.
        seconds: From now on.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._ends = anyio.current_time() + seconds
        self._is_whole = False

    async def receive(self) -> Message:
        """Return the next part of the body; once it is whole, what else happens.

        Raises:
            AnswerError: 408, it did not come in whole in time. The connection is closed.
        """
        if self._is_whole:
            return await self._receive()
        try:
            with anyio.fail_after(self._ends - anyio.current_time()):
                message = await self._receive()
        except TimeoutError:
            raise AnswerError(
                HTTPStatus.REQUEST_TIMEOUT,
                "The request did not come in whole in time",
                headers={"Connection": "close"},
            ) from None
        self._is_whole = not message.get("more_body", False)
        return message
