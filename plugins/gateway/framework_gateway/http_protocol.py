"""The HTTP side of a connection: a request whose head does not come in whole is closed."""

import asyncio  # noqa: TID251 - a protocol of asyncio's
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from framework_gateway.quiet import quiet_logger


def http_protocol(seconds: float) -> type[H11Protocol]:
    """Return the protocol of connections that have so many seconds for each request's head."""

    class Protocol(HeadDeadline):
        head_seconds = seconds

    return Protocol


class HeadDeadline(H11Protocol):
    """Closes a connection on which a request has begun, or none ever does, and that takes too long.

    Attributes:
        head_seconds: How long the head of a request may take.
    """

    head_seconds = 10.0

    def __init__(
        self,
        config: Any,  # noqa: ANN401 - uvicorn's
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = quiet_logger()
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Give the first request its time."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Give a request its time from its first byte to the end of its head."""
        super().data_received(data)
        if self._awaits_head and self.transport.get_protocol() is self:
            self._begin()
        else:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._end()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; if that is seen in a body, nobody else answers the request."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    @property
    def _awaits_head(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _begin(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._expire)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        self.transport.close()
