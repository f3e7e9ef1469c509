"""Adding trees of jobs; a parent runs when its children are done."""

from collections.abc import Mapping, Sequence
from typing import Any

from framework import Flow, FlowTree, OptionsError, ParentJob
from framework import FlowProducer as Engine
from framework_bullmq.background import Tenant
from framework_bullmq.event_emitter import EventEmitter
from framework_bullmq.job import Job
from framework_bullmq.job_options import engine_options, merged
from framework_bullmq.queue import Queue
from framework_bullmq.queue_base import NOTHING, read_place
from framework_bullmq.spelling import read_options
from framework_bullmq.translated import in_bullmq_words

OPTIONS = frozenset({"connection", "prefix", "skipVersionCheck"})
REFUSED = {
    "skipWaitingForReady": "it is no longer of use in BullMQ either: leave it out",
    "telemetry": "it is an interface of BullMQ's own; hear events in its place",
    "defaultJobOptions": "give queuesOptions to add",
}
NODE = frozenset({"name", "queueName", "data", "opts", "prefix", "children"})


class FlowProducer(EventEmitter):
    """Adds flows: trees of jobs over any queues, whole or not at all.

    Args:
        redisOpts: Where Redis is, as ``connection`` of a Queue.
        opts: ``prefix``, and ``connection`` in place of the first argument.
    """

    def __init__(self, redisOpts: object = None, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        options = read_options("FlowProducer", opts, OPTIONS, REFUSED)
        if redisOpts is not None:
            options["connection"] = redisOpts
        self.opts = options
        self._tenant = Tenant(read_place(options))
        self.prefix = self._tenant.place.prefix
        self.closing = False
        self._queues: dict[str, Queue] = {}

    async def add(
        self, flow: Mapping[str, Any], opts: Mapping[str, Any] = NOTHING
    ) -> dict[str, Any] | None:
        """Add a flow, all of its jobs or none.

        Args:
            flow: ``{"name": ..., "queueName": ..., "data": ..., "opts": ..., "children": [...]}``,
                each child likewise. With ``opts["parent"]`` the root hangs on a job.
            opts: ``queuesOptions``: for the name of a queue, its ``defaultJobOptions``.

        Returns:
            ``{"job": ..., "children": [...]}``, each child likewise; None once this is closed.

        Raises:
            OptionsError: A node or an option that cannot be.
            MovedError: The parent is not there.
        """
        if self.closing:
            return None
        usual = self._usual(opts)
        described, parent = self._described(flow, usual)
        engine = await self._engine()
        with in_bullmq_words("addJob"):
            return self._shown(await engine.add_tree(described, parent=parent))

    async def addBulk(self, flows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """Add several flows, the jobs of all of them or none; none hangs on a job."""
        if self.closing:
            return None
        described: list[Flow[Any]] = []
        for flow in flows:
            root, parent = self._described(flow, NOTHING)
            if parent is not None:
                raise OptionsError("parent", "addBulk has no parents; add such a flow with add")
            described.append(root)
        engine = await self._engine()
        with in_bullmq_words("addJob"):
            return [self._shown(tree) for tree in await engine.add_trees(described)]

    async def close(self) -> None:
        """Give up its share in the connections; it adds no more."""
        if not self.closing:
            self.closing = True
            await self._tenant.leave()

    async def _engine(self) -> Engine:
        engine: Engine = await (await self._tenant.app()).get(Engine)
        return engine

    def _usual(self, opts: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = read_options("add", opts, frozenset({"queuesOptions"}))
        queues: Mapping[str, Any] = asked.get("queuesOptions", NOTHING)
        return {
            name: read_options(name, told, frozenset({"defaultJobOptions"}))
            for name, told in queues.items()
        }

    def _described(
        self, flow: object, usual: Mapping[str, Any], *, in_flow: bool = False
    ) -> tuple[Flow[Any], ParentJob | None]:
        """Describe a flow as the engine takes it, and tell the job that its root hangs on."""
        node = read_node(flow, self.prefix)
        defaults = usual.get(node["queueName"], NOTHING).get("defaultJobOptions")
        own = merged(defaults, node.get("opts"), in_flow=in_flow)
        if in_flow and "parent" in own:
            raise OptionsError("parent", "a child's parent is the job above it")
        options: dict[str, Any] = {**engine_options(own, self.prefix, in_flow=in_flow)}
        parent, policy = options.pop("parent", None), options.pop("on_child_failure", None)
        children = [
            self._described(child, usual, in_flow=True)[0] for child in node.get("children", ())
        ]
        described = Flow.named(
            node["queueName"],
            node["name"],
            node.get("data"),
            children,
            on_failure=policy,
            **options,
        )
        return described, parent

    def _shown(self, tree: FlowTree) -> dict[str, Any]:
        """Return a tree as BullMQ's dictionary."""
        name = tree.job.queue
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue.of_tenant(name, self._tenant, self.opts)
        told: dict[str, Any] = {"job": Job.of_record(queue, tree.job)}
        if tree.children:
            told["children"] = [self._shown(child) for child in tree.children]
        return told

    add_bulk = addBulk


def read_node(flow: object, prefix: str) -> dict[str, Any]:
    """Read a node of a flow, and refuse one that cannot be."""
    node = read_options("a flow", flow, NODE)
    for name in ("name", "queueName"):
        if name not in node:
            raise OptionsError(name, "each job of a flow has one")
    if node.get("prefix", prefix) != prefix:
        raise OptionsError(
            "prefix", f"all jobs of a flow have the prefix of its FlowProducer, {prefix!r}"
        )
    return node
