"""Calls of functions over one connection, each with an id, and what a cut means for them."""

from collections import deque
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from framework_gateway.client.errors import (
    GatewayAnswerError,
    GatewayConnectionError,
    GatewayError,
    GatewayTimeoutError,
)
from framework_gateway.client.json_text import data_in, read, worded
from framework_gateway.client.link import Link
from framework_gateway.client.log import log

# Sent again, it would close the next connection too.
TOO_LARGE = 1009


@dataclass(slots=True, eq=False)
class Request:
    """A call that has no answer yet.

    Attributes:
        text: The message.
        is_idempotent: Whether it may be sent twice.
        was_sent: Whether the gateway may have got it.
        answer: What it said, or why it will not.
    """

    fn: str
    text: str
    is_idempotent: bool
    was_sent: bool = False
    answer: dict[str, Any] | GatewayError | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)

    def settle(self, answer: dict[str, Any] | GatewayError) -> None:
        """Give it its answer."""
        self.answer = answer
        self.answered.set()


class Calls:
    """Calls to one queue; any number may wait for their answers.

    They are sent in the order in which they were made, and take effect in it.

    Args:
        link: To the queue's channel.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ids = 0
        # Without an answer, in order.
        self._open: dict[int, Request] = {}
        # Of those, what is to be sent; None: there is no connection.
        self._outbox: deque[int] | None = None
        self._news = anyio.Event()
        self._ended: GatewayError | None = None

    @property
    def has_ended(self) -> bool:
        """Whether no call can be answered any more."""
        return self._ended is not None

    async def run(self) -> None:
        """Keep a connection until cancelled, refused, or told to go by the gateway."""
        where = self._link.where
        try:
            await self._link.serve(self._use)
            self._end(GatewayConnectionError(where, self._link.trouble, was_sent=False))
        except GatewayError as error:
            log.warning("gateway refuses", channel=where, why=str(error))
            self._end(error)
        finally:
            self._end(GatewayConnectionError(where, "the client was closed", was_sent=False))

    async def call(
        self, fn: str, args: list[object], *, idempotent: bool, timeout: timedelta | None
    ) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Call a function; see `RemoteQueue.call`."""
        if self._ended is not None:
            raise copy(self._ended)  # each has a traceback of its own
        self._ids += 1
        own_id = self._ids
        text = worded({"id": own_id, "data": {"fn": fn, "args": args}})
        request = self._open[own_id] = Request(fn, text, idempotent)
        if self._outbox is not None:
            self._outbox.append(own_id)
            self._news.set()
        try:
            with anyio.move_on_after(None if timeout is None else timeout.total_seconds()):
                await request.answered.wait()
        finally:
            # What was not sent yet never will be.
            self._open.pop(own_id, None)
        if request.answer is None:
            span, trouble = timeout or timedelta(0), self._link.trouble
            raise GatewayTimeoutError(fn, span, was_sent=request.was_sent, trouble=trouble)
        return result_of(request)

    async def _use(self, socket: ClientConnection) -> None:
        self._outbox = deque(self._open)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, socket, self._outbox)
            try:
                async for message in socket:
                    self._take(message)
            except ConnectionClosed:
                pass
            tasks.cancel_scope.cancel()
        self._outbox = None
        self._cut(socket.close_code or 0)

    async def _write(self, socket: ClientConnection, outbox: deque[int]) -> None:
        while True:
            while outbox:
                request = self._open.get(outbox.popleft())
                if request is None or request.answered.is_set():
                    continue
                if socket.state is not State.OPEN:
                    return
                request.was_sent = True
                try:
                    await socket.send(request.text)
                except ConnectionClosed:
                    return
            self._news = anyio.Event()
            await self._news.wait()

    def _take(self, message: str | bytes) -> None:
        told = read(message)
        own_id = told.get("id")
        request = self._open.get(own_id) if isinstance(own_id, int) else None
        if request is not None:
            request.settle(data_in(told))
        elif own_id is None:
            # What could not be read has no id; it is known all the same if it is the only one.
            sent = [one for one in self._open.values() if one.was_sent]
            log.warning("gateway cannot read a call", said=data_in(told).get("err"))
            if len(sent) == 1:
                sent[0].settle(data_in(told))

    def _cut(self, code: int) -> None:
        """Fail what was under way, but for what may be sent again."""
        for request in self._open.values():
            if not request.was_sent or request.answered.is_set():
                continue
            if request.is_idempotent and code != TOO_LARGE:
                request.was_sent = False
            else:
                why = f"the connection was lost ({code})"
                request.settle(GatewayConnectionError(request.fn, why, was_sent=True))

    def _end(self, error: GatewayError) -> None:
        """Fail all there is and all that comes; the first reason counts."""
        if self._ended is not None:
            return
        self._ended = error
        for request in self._open.values():
            if not request.answered.is_set():
                lost = GatewayConnectionError(request.fn, str(error), was_sent=request.was_sent)
                request.settle(lost if isinstance(error, GatewayConnectionError) else copy(error))


def result_of(request: Request) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a function returned.

    Raises:
        GatewayError: The answer was an error, or there is none.
    """
    answer = request.answer
    if isinstance(answer, GatewayError):
        raise answer
    told = {} if answer is None else answer
    if "err" not in told:
        return told.get("ok")
    error = told["err"]
    if not isinstance(error, dict):  # as BullMQ Proxy words it
        error = {"message": str(error)}
    code, message = str(error.get("code", "EINTERNAL")), str(error.get("message", ""))
    raise GatewayAnswerError(request.fn, code, message, str(error.get("stack", "")))
