"""Node, doing operations by hand."""

from collections.abc import Sequence
from typing import Any

from framework.model.clock import SystemClock
from tests.interop.sides import HOLDER, Tree
from tests.support.node import NodeError, NodePeer, NodeWorker
from tests.support.node_work import NONE


class NodeHand:
    """Node alone."""

    def __init__(self, node: NodePeer) -> None:
        self._node = node
        self._workers: dict[str, NodeWorker] = {}

    async def add(self, queue: str, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        if parent := options.pop("parent", None):
            queue_of, parent_id = parent
            options["parent"] = {"id": parent_id, "queue": f"{self._node.prefix}:{queue_of}"}
        return await self._node.add(queue, name, data, **options)

    async def add_bulk(self, queue: str, names: Sequence[str]) -> None:
        await self._node.add_bulk(queue, [{"name": name, "data": name} for name in names])

    async def add_flow(self, tree: Tree) -> None:
        await self._node.add_flow(tree)

    async def upsert(self, queue: str, scheduler: str, repeat: Tree, name: str) -> None:
        template = {"name": name, "data": {"by": scheduler}, "opts": {"attempts": 2}}
        await self._node.queue_call(queue, "upsertJobScheduler", scheduler, repeat, template)

    async def take(self, queue: str) -> str | None:
        if queue not in self._workers:
            self._workers[queue] = await self._node.work(queue, NONE, skipStalledCheck=True)
        worker = self._workers[queue]
        while job := await worker.call("getNextJob", HOLDER, {"block": False}):
            if not job.get("deferredFailure"):
                return str(job["id"])
            # BullMQ 5 fails such a job by itself and goes on; 6 leaves it to its worker.
            await self.held(queue, job["id"], "fail", job["deferredFailure"], True)
        return None

    async def held(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        match what, args:
            case "complete", (value,):
                await self.job(queue, job_id, "moveToCompleted", value, HOLDER, False)
            case "fail", (message, is_final):
                await self._node.call(
                    "failJob",
                    queue=queue,
                    jobId=job_id,
                    message=message,
                    token=HOLDER,
                    unrecoverable=is_final,
                )
            case "delay", (delay_ms,):
                due_ms = SystemClock().now_ms() + delay_ms
                await self.job(queue, job_id, "moveToDelayed", due_ms, HOLDER)
            case "wait for children", ():
                return await self.job(queue, job_id, "moveToWaitingChildren", HOLDER)
            case "move to wait", ():
                await self.job(queue, job_id, "moveToWait", HOLDER)
            case "extend", ():
                await self.job(queue, job_id, "extendLock", HOLDER, 30_000)
            case _:
                raise ValueError(what)
        return None

    async def refused(self, queue: str, job_id: str, what: str, *args: Any) -> bool:  # noqa: ANN401 - JSON
        try:
            await self.held(queue, job_id, what, *args)
        except NodeError:
            return True
        return False

    async def job(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        return await self._node.job_call(queue, job_id, what, *args)

    async def queue(self, queue: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        return await self._node.queue_call(queue, what, *args)
