"""Handlers of a worker, and how one is started."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from framework_gateway import DeliveredJob, GatewayClient, RemoteWorker

Handler = Callable[[DeliveredJob], Awaitable[object]]


async def echo(job: DeliveredJob) -> object:
    """Return what came."""
    return job.data


class Hold:
    """A handler that holds each job until it is let go.

    Attributes:
        begun: Ids of the jobs, in order.
        cancelled: Ids of those that it was told to leave.
    """

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.most = 0
        self._held = 0
        self._let_go = anyio.Event()

    def let_go(self) -> None:
        """Let all end, those that come too."""
        self._let_go.set()

    async def __call__(self, job: DeliveredJob) -> str:
        self.begun.append(job.id)
        self._held += 1
        self.most = max(self.most, self._held)
        try:
            await self._let_go.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled.append(job.id)
            raise
        finally:
            self._held -= 1
        return f"run {len(self.begun)}"


async def start_work(
    tasks: TaskGroup,
    client: GatewayClient,
    handler: Handler,
    **options: Any,  # noqa: ANN401 - of `work`
) -> RemoteWorker:
    """Start a worker; return it once it is connected."""
    work = partial(client.work, "demo", handler, **options)
    worker: RemoteWorker = await tasks.start(work)
    return worker
