"""Server-sent events: how one is written, and an answer that is a stream of them."""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import anyio
import structlog
from starlette.types import Receive, Scope, Send

from framework import FrameworkError
from framework_web.stopping import stopping

log = structlog.get_logger("framework.web")

RETRY_MS = 2000
# A client that takes nothing for so long is dropped; with its Last-Event-ID it misses nothing.
SLOW_SECONDS = 30.0
BEGIN = b"retry: %d\n\n" % RETRY_MS
HEARTBEAT = b": still here\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

END = {"type": "http.response.body", "body": b"", "more_body": False}

Frames = AsyncGenerator[bytes, None]
Work = Callable[[], Coroutine[Any, Any, None]]


def frame(event: str, data: object, event_id: str) -> bytes:
    """Return one event as it is sent."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"id: {event_id}\nevent: {event}\ndata: {text}\n\n".encode()


class EventStream:
    """An answer that sends frames as they come. An ASGI app.

    It ends with them, when the client leaves, and when the process is told to stop.

    Args:
        frames: What to send.
        close: Called whichever way it ends.
        work: What runs meanwhile.
        lasts: For how many seconds at most; None: as long as there are frames.
        slow_seconds: How long the client may take nothing; half a minute unless given.
    """

    def __init__(
        self,
        frames: Frames,
        close: Work,
        work: Sequence[Work] = (),
        *,
        lasts: float | None = None,
        slow_seconds: float | None = None,
    ) -> None:
        self._frames = frames
        self._close = close
        self._work = work
        self._lasts = lasts
        self._slow_seconds = SLOW_SECONDS if slow_seconds is None else slow_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        ending = Ending()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._end_with_client, receive, tasks.cancel_scope)
                for one in self._work:
                    tasks.start_soon(ending.told_of, one, scope)
                await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                with ending.scope:
                    await ending.told_of(partial(self._send_all, send, scope, ending), scope)
                if not ending.is_slow:
                    await send(END)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._frames.aclose()
                await self._close()

    async def _send_all(self, send: Send, scope: Scope, ending: "Ending") -> None:
        """Send all frames, unless the client is too slow for them."""
        with stopping.ends(), anyio.move_on_after(self._lasts):
            async for part in self._frames:
                with anyio.move_on_after(self._slow_seconds) as patience:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                if patience.cancelled_caught:
                    facts = {"path": scope["path"], "seconds": self._slow_seconds}
                    log.warning("slow client dropped: it took nothing", **facts)
                    ending.is_slow = True
                    return

    async def _end_with_client(self, receive: Receive, scope: anyio.CancelScope) -> None:
        """Notice that the client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


class Ending:
    """How a stream ends.

    Attributes:
        is_slow: The client took nothing.
        scope: Cancelled where there is nothing more to send.
    """

    def __init__(self) -> None:
        self.is_slow = False
        self.scope = anyio.CancelScope()

    async def told_of(self, work: Work, scope: Scope) -> None:
        """Do what a stream needs; where Redis fails it, the client comes back, missing nothing."""
        try:
            await work()
        except FrameworkError as error:
            log.warning(
                "stream ended: its client may come back", path=scope["path"], error=str(error)
            )
            self.scope.cancel()
