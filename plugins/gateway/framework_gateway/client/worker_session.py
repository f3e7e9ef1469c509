"""One connection of a worker: its deliveries, and what becomes of them when it ends."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import TaskGroup
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from framework_gateway.client.delivered_job import DeliveredJob, LeftEarly
from framework_gateway.client.errors import GatewayConnectionError
from framework_gateway.client.json_text import data_in, read, worded
from framework_gateway.client.log import log
from framework_gateway.client.outcome import failure_of, result_of
from framework_gateway.client.remote_job import RemoteJob

Handler = Callable[[DeliveredJob], Awaitable[object]]
# An id that no delivery has: the notice that it is unknown says that all before it was heard.
BARRIER = "drained"
DRAIN = {"type": "drain"}
RELEASE: dict[str, object] = {"type": "release"}
# A job that is given back waits for nobody: the connection may be as good as gone.
RELEASE_SECONDS = 1.0


class WorkerSession:
    """One connection of a worker. Ids of deliveries, and so all that is said of them, end with it.

    Args:
        socket: Connected.
        where: What it is called in errors and logs.
        handler: Works one job.
    """

    def __init__(self, socket: ClientConnection, where: str, handler: Handler) -> None:
        self._socket = socket
        self._where = where
        self._handler = handler
        self._in_hand: dict[int, anyio.CancelScope] = {}
        self._was_asked_to_drain = False
        self._is_drained = False
        self._news = anyio.Event()

    async def run(self, stopping: anyio.Event, grace: float) -> None:
        """Work jobs until the connection is lost, or it was told to stop and none is in hand.

        Handlers of a connection that is lost are cancelled: their jobs are back in line. The next
        connection begins once they have ended, so that there are never more than asked for.

        Args:
            stopping: Set once no more jobs are wanted.
            grace: How many seconds those in hand have from then on.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop, stopping, grace, tasks)
            try:
                async for message in self._socket:
                    await self._take(read(message), tasks)
            except ConnectionClosed:
                pass
            tasks.cancel_scope.cancel()

    @property
    def _is_open(self) -> bool:
        return self._socket.state is State.OPEN

    async def _stop(self, stopping: anyio.Event, grace: float, tasks: TaskGroup) -> None:
        """Ask for no more, let jobs in hand end, and give the rest back."""
        await stopping.wait()
        with anyio.move_on_after(grace):
            await self._drain()
            await self._send({"id": BARRIER, "data": {}})
            while self._in_hand or not self._is_drained:
                self._news = anyio.Event()
                await self._news.wait()
        tasks.cancel_scope.cancel()

    async def _take(self, message: dict[str, Any], tasks: TaskGroup) -> None:
        data, own_id = data_in(message), message.get("id")
        match data:
            case {"type": "process"} if isinstance(own_id, int) and self._is_open:
                self._in_hand[own_id] = anyio.CancelScope()
                await self._say(own_id, {"type": "ack"})
                tasks.start_soon(self._work, own_id, data)
            case {"type": "revoke", "payload": {"ref": int(ref), "code": code}}:
                log.warning("delivery revoked", channel=self._where, code=code)
                if ref in self._in_hand:
                    self._in_hand[ref].cancel()
            case {"type": "notice", "payload": {"ref": ref}} if ref == BARRIER:
                self._is_drained = True
                self._news.set()
            case {"type": "notice", "payload": {"code": code, "message": told}}:
                log.warning("gateway objects", channel=self._where, code=code, told=told)
            case _:
                pass  # a newer gateway may say more

    async def _work(self, delivery: int, data: dict[str, Any]) -> None:
        try:
            with self._in_hand[delivery] as scope:
                said = await self._answer(delivery, data)
            # What was revoked is another's: whatever its handler made of that is not told.
            if not scope.cancel_called:
                await self._say(delivery, said)
        except anyio.get_cancelled_exc_class():
            await self._give_back(delivery)
            raise
        finally:
            del self._in_hand[delivery]
            self._news.set()

    async def _answer(self, delivery: int, data: dict[str, Any]) -> dict[str, object]:
        """Run the handler; return what its end means for the job."""
        told = data.get("job") or {"data": data.get("payload")}

        async def say(wish: dict[str, object]) -> None:
            await self._say_of_mine(delivery, wish)

        job = DeliveredJob(RemoteJob.of(told), str(data.get("token", "")), say)
        try:
            return result_of(await self._handler(job))
        except LeftEarly as left:
            return left.wish
        except Exception as error:
            log.info("job failed", channel=self._where, job=job.id, error=type(error).__name__)
            return failure_of(error)

    async def _give_back(self, delivery: int) -> None:
        """Let a job wait again that will not be worked here, if that can still be said."""
        with anyio.move_on_after(RELEASE_SECONDS, shield=True):
            await self._drain()  # or it would come back at once, and vanish with the connection
            await self._say(delivery, RELEASE)

    async def _drain(self) -> None:
        if not self._was_asked_to_drain:
            self._was_asked_to_drain = True
            await self._send({"id": 0, "data": DRAIN})

    async def _say_of_mine(self, delivery: int, said: dict[str, object]) -> None:
        """Say something of a job while its handler runs.

        Raises:
            GatewayConnectionError: It is no longer the handler's.
            PayloadError: JSON cannot hold it.
        """
        scope = self._in_hand.get(delivery)
        if scope is None or scope.cancel_called or not self._is_open:
            raise GatewayConnectionError(self._where, "the job is no longer here", was_sent=False)
        await self._say(delivery, said)

    async def _say(self, delivery: int, said: dict[str, object]) -> None:
        await self._send({"id": delivery, "data": said})

    async def _send(self, message: dict[str, object]) -> None:
        text = worded(message)
        with suppress(ConnectionClosed):  # whoever reads sees it too, and ends all
            await self._socket.send(text)
