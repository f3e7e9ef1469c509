"""The WebSocket side of a connection: messages are bytes, and those of one turn leave together."""

import asyncio  # noqa: TID251 - a protocol of asyncio's
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState

from framework_gateway.quiet import quiet_logger

ABORT_SECONDS = 1.0
# How many messages may wait for the app until no more is read; a large one waits alone.
MOST_WAITING = 16
LARGE = 16 * 1024
# So many bytes are written at once, whatever else the turn brings.
MOST_UNWRITTEN = 64 * 1024
SEND = "websocket.send"


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
        self._will_flush = False
        self._unwritten = 0

    async def send(self, message: Any) -> None:  # noqa: ANN401 - uvicorn's
        """Send a message; its text may be bytes, which are UTF-8."""
        if message["type"] != SEND or self.close_sent or not self.handshake_complete:
            await super().send(message)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected
        text: bytes = message["text"]
        try:
            self.conn.send_text(text)
        except InvalidState:
            raise ClientDisconnected from None
        self._unwritten += len(text)
        if self._unwritten > MOST_UNWRITTEN:
            self._flush()
        elif not self._will_flush:
            self._will_flush = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write what was sent in this turn: each write is a call of the system."""
        self._will_flush = False
        self._unwritten = 0
        output = b"".join(self.conn.data_to_send())
        if output and not self.transport.is_closing():
            self.transport.write(output)

    def send_receive_event_to_app(self) -> None:
        """Hand over a message: a reader of JSON wants bytes, and answers what it cannot read.

        Reading stops once several wait: to stop and begin again takes two calls of the system.
        """
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        is_enough = len(data) > LARGE or self.queue.qsize() >= MOST_WAITING
        if is_enough and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

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
