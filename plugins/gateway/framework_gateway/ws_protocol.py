"""The WebSocket side of a connection: messages come as bytes, and what is no UTF-8 is one too."""

import asyncio  # noqa: TID251 - a protocol of asyncio's
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from framework_gateway.quiet import quiet_logger

ABORT_SECONDS = 1.0


class QuietSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose messages are all bytes, and that logs nothing."""

    def __init__(
        self,
        config: Any,  # noqa: ANN401 - uvicorn's
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = self.conn.logger = quiet_logger()

    def keepalive_timeout(self) -> None:
        """Close a connection that does not answer, whatever waits to be sent."""
        super().keepalive_timeout()
        self._abort_soon()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """See that a connection ends that nobody serves any more."""
        super().on_task_complete(task)
        self._abort_soon()

    def _abort_soon(self) -> None:
        # `close` waits for the other side to take what was written, and that may be for ever.
        self.loop.call_later(ABORT_SECONDS, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        """Hand over a message: a reader of JSON wants bytes, and answers what it cannot read."""
        self.curr_msg_data_type = "bytes"
        super().send_receive_event_to_app()
