"""The Queue channel: a client calls functions of one queue and gets an answer to each."""

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
import structlog
from anyio.abc import TaskGroup
from starlette.websockets import WebSocket

from framework import (
    FrameworkError,
    OptionsError,
    PayloadError,
    Queue,
    RedisRefusedError,
    RedisUnavailableError,
    ScheduleError,
)
from framework_gateway.auth import Channel
from framework_gateway.errors import AnswerError
from framework_gateway.hub import Hub
from framework_gateway.ws.arguments import Arguments
from framework_gateway.ws.connection import Connection
from framework_gateway.ws.frames import Frame, FrameError, failed, ok, read_frame
from framework_gateway.ws.functions import FUNCTIONS, Function, Kind
from framework_gateway.ws.serving import serve

log = structlog.get_logger("framework.gateway")

# How many requests of one connection may be under way.
MOST_AT_ONCE = 100
MOST_BYTES_AT_ONCE = 4 * 1024 * 1024


async def open_queue_channel(hub: Hub, socket: WebSocket) -> Callable[[], Awaitable[None]]:
    """Return what serves a client of a queue."""
    queue = hub.queue(socket.path_params["queue"])
    channel = QueueChannel(hub, queue, Connection(socket))
    return lambda: serve(hub, socket, Channel.QUEUE, channel.connection, channel)


@dataclass(slots=True)
class QueueChannel:
    """One client of a queue.

    Args:
        hub: What all endpoints share.
        queue: Its queue.
        connection: Its socket.
    """

    hub: Hub
    queue: Queue
    connection: Connection
    _kind: Kind = "read"
    _under_way: int = 0
    _size: int = 0
    _ended: anyio.Event = field(default_factory=anyio.Event)

    @property
    def in_hand(self) -> int:
        """How many requests are under way."""
        return self._under_way

    def close_soon(self, code: int, reason: str) -> None:
        """Close it."""
        self.connection.close_soon(code, reason)

    async def run(self, tasks: TaskGroup) -> None:
        """Answer requests until the client is gone."""
        while (text := await self.connection.receive()) is not None:
            await self._take(text, tasks)
            await self.connection.room()
        # What was asked before the client left is done all the same.
        await self._turn("write")

    async def _take(self, text: bytes, tasks: TaskGroup) -> None:
        try:
            frame = read_frame(text)
        except FrameError as error:
            self.connection.send(failed(error.frame_id, error.code, error.message))
            return
        name = frame.data.get("fn")
        function = FUNCTIONS.get(name) if isinstance(name, str) else None
        if function is None:
            self.connection.send(failed(frame.id, "EFN", "there is no such function"))
            return
        args = frame.data.get("args", [])
        if not isinstance(args, list):
            self.connection.send(failed(frame.id, "EARGS", "args must be an array"))
            return
        await self._turn(function.kind, len(text))
        self._under_way += 1
        self._size += len(text)
        tasks.start_soon(self._answer, frame, function, Arguments(args), len(text))

    async def _turn(self, kind: Kind, size: int = 0) -> None:
        """Wait until a request may begin: those before it take effect first."""
        is_other = kind != self._kind or kind == "write"
        while self._under_way and (is_other or self._is_full(size)):
            self._ended = anyio.Event()
            await self._ended.wait()
        self._kind = kind

    def _is_full(self, size: int) -> bool:
        return self._under_way >= MOST_AT_ONCE or self._size + size > MOST_BYTES_AT_ONCE

    async def _answer(self, frame: Frame, function: Function, args: Arguments, size: int) -> None:
        try:
            answer = ok(frame.id, await function.call(self.hub, self.queue, args))
        except Exception as error:  # whatever it is, the client gets an answer
            stack = traceback.format_exc() if self.hub.settings.debug else ""
            answer = failed(frame.id, *worded(error), stack)
        finally:
            self._under_way -= 1
            self._size -= size
            self._ended.set()
        self.connection.send(answer)


def worded(error: Exception) -> tuple[str, str]:
    """Return the code and the words of an error; one that is not foreseen is logged."""
    match error:
        case AnswerError():
            return "EARGS", error.message
        case RedisUnavailableError() | RedisRefusedError():
            return "EREDIS", "Redis is unavailable"
        case OptionsError() | PayloadError() | ScheduleError():
            return "EARGS", str(error)
        case FrameworkError():
            return "EJOB", str(error)
        case _:
            log.error("request failed", exc_info=error)
            return "EINTERNAL", "Internal error"
