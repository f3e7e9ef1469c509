"""One WebSocket: messages in, and messages out through a buffer that is watched."""

from collections import deque
from collections.abc import Callable, Iterable
from math import inf

import anyio
from starlette.types import Receive, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

# Where the app puts what the server gave it.
RECEIVE, SEND = "gateway.receive", "gateway.send"
# From so many bytes on, which the client has not taken, nothing more is begun for it.
CONGESTED_BYTES = 256 * 1024
# A client that is to go has so long to take what waits for it.
CLOSE_SECONDS = 5.0
Headers = Iterable[tuple[bytes, bytes]]


def nothing() -> None:
    """Do nothing."""


class Connection:
    """One WebSocket, from its acceptance on.

    Whoever has it enters `run` in a task group; `send` never waits.

    Args:
        socket: Not accepted yet.

    Attributes:
        is_open: Whether messages still reach the client, for all that is known.
        on_room: Called when the client has taken what made it congested.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        # The server's own: what Starlette adds costs as much again for each message.
        self._receive: Receive = socket.scope[RECEIVE]
        self._send: Send = socket.scope[SEND]
        self._outbox: deque[bytes] = deque()
        self._size = 0
        self._news = anyio.Event()
        self._room = anyio.Event()
        self._ending: tuple[int, str] | None = None
        self._next_id = 0
        self.is_open = True
        self.on_room: Callable[[], None] = nothing

    @property
    def size(self) -> int:
        """How many bytes wait to be sent."""
        return self._size

    @property
    def count(self) -> int:
        """How many messages wait to be sent."""
        return len(self._outbox)

    @property
    def is_congested(self) -> bool:
        """Whether the client takes less than it is sent."""
        return self._size >= CONGESTED_BYTES

    def next_id(self) -> int:
        """Return the next id of our own: from 0 on."""
        self._next_id += 1
        return self._next_id - 1

    def send(self, text: bytes) -> None:
        """Send a message, after those before it; in vain once it is closed."""
        if not self.is_open or self._ending is not None:
            return
        self._outbox.append(text)
        self._size += len(text)
        self._news.set()

    def close_soon(self, code: int, reason: str) -> None:
        """Close it once what waits has been sent; the first call counts."""
        if self._ending is None:
            self._ending = code, reason
            self._news.set()

    def drop(self, code: int, reason: str) -> None:
        """Close it, and send nothing more of what waits."""
        self._outbox.clear()
        self._size = 0
        self.close_soon(code, reason)

    async def room(self, size: int = CONGESTED_BYTES, count: float = inf) -> None:
        """Wait until less than that waits to be sent, or the client is gone."""
        while self.is_open and (self._size >= size or self.count >= count):
            self._room = anyio.Event()
            await self._room.wait()

    async def accept(self, headers: Headers = ()) -> None:
        """Answer the handshake."""
        await self._socket.accept(headers=headers)

    async def receive(self) -> bytes | None:
        """Return the next message; None once the client is gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self.lost()
            return None
        data: bytes | None = message.get("bytes")
        return data if data is not None else message.get("text", "").encode()

    def lost(self) -> None:
        """Note that the client is gone."""
        self.is_open = False
        self._outbox.clear()
        self._size = 0
        self._news.set()
        self._room.set()

    async def run(self) -> None:
        """Send what `send` was given, until it is closed or lost."""
        try:
            while self.is_open and self._ending is None:
                while self._outbox and self._ending is None:
                    await self._send_one()
                if self._ending is None:
                    self._news = anyio.Event()
                    await self._news.wait()
            if self._ending is not None:
                with anyio.move_on_after(CLOSE_SECONDS):
                    while self._outbox:
                        await self._send_one()
                    await self._socket.close(*self._ending)
        except (WebSocketDisconnect, OSError, RuntimeError):
            pass  # RuntimeError: Starlette's word for a socket that is closed already
        self.lost()

    async def _send_one(self) -> None:
        text = self._outbox[0]
        await self._send({"type": "websocket.send", "text": text})
        if not self._outbox or self._outbox[0] is not text:  # dropped meanwhile
            return
        was_congested = self.is_congested
        self._outbox.popleft()
        self._size -= len(text)
        self._room.set()
        if was_congested and not self.is_congested:
            self.on_room()
