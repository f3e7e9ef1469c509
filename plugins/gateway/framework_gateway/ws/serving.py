"""What all channels do around what they do: accept, note who is there, send, and end."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

import anyio
from anyio.abc import TaskGroup
from starlette.websockets import WebSocket

from framework_gateway.auth import Channel
from framework_gateway.connections import Entry
from framework_gateway.hub import Hub
from framework_gateway.ws.connection import Connection, Headers

NOTHING: AbstractAsyncContextManager[object] = nullcontext()


class Runs(Protocol):
    """A channel of one client."""

    @property
    def in_hand(self) -> int:
        """How many jobs, or requests, it has now."""
        ...

    def close_soon(self, code: int, reason: str) -> None:
        """Close it."""
        ...

    async def run(self, tasks: TaskGroup) -> None:
        """Serve until the client is gone."""
        ...


async def serve(
    hub: Hub,
    socket: WebSocket,
    kind: Channel,
    connection: Connection,
    channel: Runs,
    *,
    around: AbstractAsyncContextManager[object] = NOTHING,
    headers: Callable[[], Headers] = tuple,
    concurrency: int | None = None,
    name: str = "",
) -> None:
    """Accept a client and serve it until it is gone.

    Args:
        around: Entered before the client is accepted, left once it is gone.
        headers: Of the answer to the handshake, asked for once what is around it is entered.

    Raises:
        FrameworkError: What is around it could not be entered; the client was not accepted.
    """
    entry = Entry(
        channel=kind,
        queue=socket.path_params["queue"],
        client=address_of(socket),
        since_ms=hub.now_ms(),
        token=socket.scope.get("token"),
        connection=channel,
        concurrency=concurrency,
        name=name,
    )
    async with around:
        await connection.accept(headers())
        hub.connections.add(entry)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(connection.run)
                await channel.run(tasks)
                tasks.cancel_scope.cancel()
        finally:
            connection.lost()
            hub.connections.remove(entry)


def address_of(socket: WebSocket) -> str:
    """Return where a client connected from."""
    client = socket.client
    return "" if client is None else f"{client.host}:{client.port}"
