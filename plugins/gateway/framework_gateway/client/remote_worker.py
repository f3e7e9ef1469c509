"""A worker behind a gateway: works jobs of a queue, over one connection after the other."""

from datetime import timedelta

import anyio
from anyio.abc import TaskStatus
from websockets.asyncio.client import ClientConnection

from framework_gateway.client.link import Link
from framework_gateway.client.worker_session import Handler, WorkerSession


class RemoteWorker:
    """Works jobs of a queue. Get it from `GatewayClient.work`, which runs it.

    Args:
        link: To the worker channel.
        handler: Works one job.
        grace: How long jobs in hand may take once it is told to stop.
    """

    def __init__(self, link: Link, handler: Handler, grace: timedelta) -> None:
        self._link = link
        self._handler = handler
        self._grace = grace.total_seconds()
        self._stopping = anyio.Event()

    def stop(self) -> None:
        """Take no more jobs; those in hand may end, then the connection is closed."""
        self._stopping.set()
        self._link.end()

    async def run(self, task_status: TaskStatus["RemoteWorker"]) -> None:
        """Work jobs until it is told to stop, by us or by the gateway.

        Raises:
            GatewayRefusedError: The gateway does not let it in, or not any more.
        """
        has_begun = False

        async def use(socket: ClientConnection) -> None:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                task_status.started(self)
            session = WorkerSession(socket, self._link.where, self._handler)
            await session.run(self._stopping, self._grace)

        await self._link.serve(use)
