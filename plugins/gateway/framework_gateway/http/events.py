"""The events of a queue as they happen, for whoever has no WebSocket: server-sent events."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from http import HTTPStatus

import anyio
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from framework import FrameworkError, Listener, OptionsError
from framework_gateway.errors import AnswerError, bad_request
from framework_gateway.event_json import event_fields
from framework_gateway.hub import Hub
from framework_gateway.shown import shown
from framework_gateway.ws.events_channel import wanted_names

KIND = "text/event-stream"
HEADERS = {"Content-Type": KIND, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT = timedelta(seconds=15)
STILL_HERE = b":\n\n"
# A client that takes nothing for so long is dropped; with its Last-Event-ID it misses nothing.
SLOW_SECONDS = 30.0


async def follow(hub: Hub, request: Request) -> ASGIApp:
    """Stream what happens in a queue, from now on or behind the event that is known."""
    if KIND not in request.headers.get("accept", ""):
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        raise AnswerError(HTTPStatus.UPGRADE_REQUIRED, "Upgrade Required", headers=headers)
    query = request.query_params
    names = wanted_names(query.get("events", ""))
    after = request.headers.get("last-event-id") or query.get("lastEventId") or None
    stack = AsyncExitStack()
    try:
        listening = hub.queue(request.path_params["queue"]).listen(after=after)
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        listener = await stack.enter_async_context(listening)
    except OptionsError:
        raise bad_request(f"Invalid Last-Event-ID {shown(after)}") from None
    return EventStream(hub, listener, names, stack)


class EventStream:
    """An answer that goes on until the client leaves, or the gateway closes. An ASGI app.

    Args:
        hub: Says when the gateway closes.
        listener: Hears the queue.
        names: Of the events that are wanted; none: all.
        around: What ends with it.
    """

    def __init__(
        self, hub: Hub, listener: Listener, names: frozenset[str], around: AsyncExitStack
    ) -> None:
        self._hub = hub
        self._listener = listener
        self._names = names
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events as they happen."""
        async with self._around, anyio.create_task_group() as tasks:
            tasks.start_soon(end_with_client, receive, tasks.cancel_scope)
            tasks.start_soon(self._end_with_gateway, tasks.cancel_scope)
            headers = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            # So that the client learns at once that it is heard from now on.
            await send_part(send, STILL_HERE)
            async for part in self._parts():
                with anyio.move_on_after(SLOW_SECONDS) as patience:
                    await send_part(send, part)
                if patience.cancelled_caught:
                    break
            tasks.cancel_scope.cancel()
        if self._hub.closed.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _parts(self) -> AsyncIterator[bytes]:
        while True:
            try:
                events = await self._listener.receive(HEARTBEAT)
            except FrameworkError:  # who resumes misses nothing that the stream still holds
                return
            told = [
                frame(event.id, event.event, event_fields(event))
                for event in events
                if not self._names or event.event in self._names
            ]
            yield b"".join(told) or STILL_HERE

    async def _end_with_gateway(self, scope: anyio.CancelScope) -> None:
        await self._hub.closed.wait()
        scope.cancel()


async def end_with_client(receive: Receive, scope: anyio.CancelScope) -> None:
    """Notice that the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def send_part(send: Send, part: bytes) -> None:
    """Send a part of the body."""
    await send({"type": "http.response.body", "body": part, "more_body": True})


def frame(event_id: str, name: str, fields: dict[str, object]) -> bytes:
    """Return one event as it is sent; a name that would break its line is worded in one."""
    line = " ".join(name.split()).encode()
    written = to_json(fields, inf_nan_mode="null")
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), line, written)
