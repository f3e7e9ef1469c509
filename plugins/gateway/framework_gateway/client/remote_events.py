"""Events of a queue, heard through a gateway: in order, each once, over cuts as well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from framework_gateway.client.address import path_of
from framework_gateway.client.json_text import data_in, read
from framework_gateway.client.link import Link, leave

# The header of the handshake's answer that says where listening begins.
POSITION = "Last-Event-ID"


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """Something that happened in a queue.

    Attributes:
        event: Its name, such as ``completed``.
        id: Its place in the queue's stream: `GatewayClient.events` goes on ``after`` it.
        fields: What it carries, in BullMQ's words.
    """

    event: str
    id: str
    fields: Mapping[str, Any]

    @property
    def job_id(self) -> str | None:
        """The job that it is about, if it is about one."""
        return self.fields.get("jobId")

    @property
    def result(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What a job that completed returned."""
        return self.fields.get("returnvalue")

    @property
    def progress(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What a job reported."""
        return self.fields.get("data")

    @property
    def reason(self) -> str | None:
        """Why a job failed."""
        return self.fields.get("failedReason")


class RemoteEvents:
    """Events of a queue, one after the other. Get it from `GatewayClient.events`.

    It listens from the first `anext` on, or from where ``async with`` begins. After a cut it goes
    on behind the last event that was taken, as far back as the queue's stream reaches (about
    10,000 events). The iteration ends when the gateway ends the connection, or it is closed.

    Args:
        queue: Its name.
        names: Of the events; none: all.
        after: Where it begins; None: with what happens from now on.
        link_to: Makes the link to a path.
        on_close: Told when it listens no more.

    Attributes:
        after: The id of the last event taken; what comes is behind it. None: not known yet.
    """

    def __init__(
        self,
        queue: str,
        names: Sequence[str],
        after: str | None,
        link_to: Callable[[str, Callable[[], str]], Link],
        on_close: Callable[["RemoteEvents"], None],
    ) -> None:
        self.after = after
        self._queue = queue
        self._names = ",".join(names) or None
        self._link = link_to(f"events of {queue}", self._path)
        self._on_close = on_close
        self._socket: ClientConnection | None = None
        self._has_ended = False

    async def __aenter__(self) -> Self:
        await self._connected()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RemoteEvent:
        """Return the next event.

        Raises:
            GatewayRefusedError: The token does not open the queue's events, or not any more.
        """
        while not self._has_ended:
            socket = await self._connected()
            if socket is None:
                break
            try:
                message = await socket.recv()
            except ConnectionClosed:
                await self._lose(socket)
                continue
            event = event_in(data_in(read(message)))
            if event is not None:
                self.after = event.id
                return event
        raise StopAsyncIteration

    async def close(self) -> None:
        """Listen no more."""
        self._has_ended = True
        self._on_close(self)
        self._link.end()
        if self._socket is not None:
            await leave(self._socket)

    def _path(self) -> str:
        return path_of(self._queue, "events", events=self._names, lastEventId=self.after)

    async def _connected(self) -> ClientConnection | None:
        if self._socket is None:
            self._socket = await self._link.open()
            if self._socket and self._socket.response and self.after is None:
                # Cut before the first event, it goes on from here.
                self.after = self._socket.response.headers.get(POSITION)
        return self._socket

    async def _lose(self, socket: ClientConnection) -> None:
        self._socket = None
        self._has_ended = self._has_ended or not self._link.was_lost(socket)


def event_in(data: dict[str, Any]) -> RemoteEvent | None:
    """Return the event that a message tells of, if it does."""
    match data:
        case {"event": str(event), "args": [dict(fields), str(entry_id), *_]}:
            return RemoteEvent(event, entry_id, fields)
        case _:
            return None
