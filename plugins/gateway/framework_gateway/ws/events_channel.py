"""The Events channel: what happens in a queue goes to a client as it happens."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup
from starlette.websockets import WebSocket

from framework import Listener, OptionsError, QueueEvent, RedisUnavailableError
from framework_gateway.auth import Channel
from framework_gateway.errors import bad_request
from framework_gateway.event_json import event_args
from framework_gateway.hub import Hub
from framework_gateway.shown import shown
from framework_gateway.ws.connection import Connection, Headers
from framework_gateway.ws.notices import happened
from framework_gateway.ws.serving import serve

# What may wait for a client that takes less than happens.
MOST_MESSAGES = 1000
MOST_BYTES = 4 * 1024 * 1024
# How long one has to take half of that; meanwhile nothing more is read for it.
PATIENCE_SECONDS = 1.0
POSITION = b"Last-Event-ID"
SLOW = 1013, "slow consumer"
TRY_LATER = 1013, "events cannot be read"


async def open_events_channel(hub: Hub, socket: WebSocket) -> Callable[[], Awaitable[None]]:
    """Return what serves a client that listens to a queue."""
    queue = hub.queue(socket.path_params["queue"])
    after = socket.query_params.get("lastEventId") or None
    try:
        listening = queue.listen(after=after)
    except OptionsError:
        raise bad_request(f"Invalid lastEventId {shown(after)}") from None
    names = wanted_names(socket.query_params.get("events", ""))
    around = Listening(listening)
    channel = EventsChannel(around, names, Connection(socket))
    return lambda: serve(
        hub,
        socket,
        Channel.EVENTS,
        channel.connection,
        channel,
        around=around,
        headers=around.position,
    )


def wanted_names(text: str) -> frozenset[str]:
    """Return the names of events in a text with commas between them; none is all."""
    return frozenset(name.strip() for name in text.split(",") if name.strip())


class Listening:
    """Listens to a queue from before a client is accepted until it is gone.

    Args:
        listening: Not entered yet.
    """

    def __init__(self, listening: AbstractAsyncContextManager[Listener]) -> None:
        self._listening = listening
        self.listener: Listener

    async def __aenter__(self) -> None:
        self.listener = await self._listening.__aenter__()

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._listening.__aexit__(*error)  # type: ignore[arg-type]  # as they came

    def position(self) -> Headers:
        """Return what tells the client where it begins: it may be cut before the first event."""
        return [(POSITION, self.listener.after.encode())]


@dataclass(slots=True)
class EventsChannel:
    """One client that listens to a queue.

    Args:
        listening: Hears the queue.
        names: Of the events it wants; none: all.
        connection: Its socket.
    """

    listening: Listening
    names: frozenset[str]
    connection: Connection

    @property
    def in_hand(self) -> int:
        """How many messages wait to be sent."""
        return self.connection.count

    def close_soon(self, code: int, reason: str) -> None:
        """Close it."""
        self.connection.close_soon(code, reason)

    async def run(self, tasks: TaskGroup) -> None:
        """Tell of events until the client is gone; what it says is ignored."""
        tasks.start_soon(self._tell)
        while await self.connection.receive() is not None:
            pass

    async def _tell(self) -> None:
        connection = self.connection
        while True:
            try:
                events = await self.listening.listener.receive()
            except RedisUnavailableError:
                connection.close_soon(*TRY_LATER)
                return
            for event in events:
                if not self._wants(event):
                    continue
                args = event_args(event)
                connection.send(happened(connection.next_id(), event.event, args))
                if self._is_full and not await self._has_room():
                    connection.drop(*SLOW)
                    return

    @property
    def _is_full(self) -> bool:
        return self.connection.count >= MOST_MESSAGES or self.connection.size >= MOST_BYTES

    async def _has_room(self) -> bool:
        """Wait for a client that takes what it is sent; tell whether it does."""
        with anyio.move_on_after(PATIENCE_SECONDS):
            await self.connection.room(MOST_BYTES // 2, MOST_MESSAGES // 2)
            return True
        return False

    def _wants(self, event: QueueEvent) -> bool:
        return not self.names or event.event in self.names
