"""Clients of a gateway over real sockets, which see what is sent as it is."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from framework import Job, JobState, Queue
from framework_gateway import Gateway
from tests.support.until import until

PATIENCE = 30.0


class Client:
    """One WebSocket.

    Args:
        socket: Connected.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = 0

    async def send(self, message: object) -> None:
        """Send a message: text and bytes as they are, else as JSON."""
        is_raw = isinstance(message, str | bytes)
        await self.socket.send(message if is_raw else json.dumps(message))  # type: ignore[arg-type]  # one of the two

    async def text(self) -> str:
        """Receive one message as it was sent."""
        with anyio.fail_after(PATIENCE):
            received = await self.socket.recv()
        assert isinstance(received, str)
        return received

    async def receive(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Receive one message."""
        return json.loads(await self.text())

    async def data(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Receive what one message says."""
        return (await self.receive())["data"]

    async def call(self, fn: str, *args: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Call a function and return what its answer says."""
        self._ids += 1
        await self.send({"id": self._ids, "data": {"fn": fn, "args": list(args)}})
        answer = await self.receive()
        assert answer["id"] == self._ids
        return answer["data"]

    async def ok(self, fn: str, *args: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Call a function that succeeds."""
        answer = await self.call(fn, *args)
        assert list(answer) == ["ok"], answer
        return answer["ok"]

    async def refused(self, fn: str, *args: object) -> tuple[str, str]:
        """Call a function that is refused; return the code and the message."""
        answer = await self.call(fn, *args)
        assert list(answer) == ["err"], answer
        assert list(answer["err"]) == ["message", "code", "stack"]
        return answer["err"]["code"], answer["err"]["message"]

    async def answer(self, delivery: int, **data: object) -> None:
        """Say something of a delivery."""
        await self.send({"id": delivery, "data": data})

    async def was_heard(self) -> None:
        """See that what was said is read and done, and that nothing was told meanwhile."""
        await self.send({"id": -1, "data": {"ack": True}})
        told = (await self.data())["payload"]
        assert (told["code"], told["ref"]) == ("EUNKNOWNID", -1), told

    async def closed(self) -> tuple[int, str]:
        """Wait until the other side closes; return its code and reason."""
        with anyio.fail_after(PATIENCE):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code or 0, self.socket.close_reason or ""

    def cut(self) -> None:
        """Vanish without a word."""
        self.socket.transport.abort()


def url(gateway: Gateway, path: str) -> str:
    """Return where a channel is."""
    return f"ws://127.0.0.1:{gateway.port}{path}"


@asynccontextmanager
async def client(
    gateway: Gateway,
    path: str,
    *,
    key: str | None = "right-key",
    **options: Any,  # noqa: ANN401 - of the library
) -> AsyncIterator[Client]:
    """Connect to a channel, the key in the query unless told otherwise."""
    if key is not None:
        path += f"{'&' if '?' in path else '?'}token={key}"
    options = {"compression": None, "max_size": None, "max_queue": None, **options}
    async with connect(url(gateway, path), **options) as socket:
        yield Client(socket)


async def refused(
    gateway: Gateway,
    path: str,
    *,
    key: str | None = "right-key",
    **options: Any,  # noqa: ANN401 - of the library
) -> tuple[int, str]:
    """Try to connect; return the status and the body with which that is refused."""
    try:
        async with client(gateway, path, key=key, **options):
            raise AssertionError("it was accepted")
    except InvalidStatus as error:
        return error.response.status_code, (error.response.body or b"").decode()


async def has_state(queue: Queue, job: Job[Any], state: JobState) -> Job[Any]:
    """Wait until a job stands somewhere; return it."""

    async def stands_there() -> bool:
        return await queue.state(job.id) is state

    await until(stands_there, message=f"job {job.id} is {state}")
    found = await queue.job(job.id)
    assert found is not None
    return found
