"""`FlowProducer` for code without ``await``: Django, Flask, handlers that run in threads."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from framework.client.flow import Flow
from framework.client.flow_producer import FlowProducer
from framework.model.family import FlowTree
from framework.model.job import Job
from framework.model.options import Parent

T = TypeVar("T")


class SyncFlowProducer:
    """Puts flows in line from a thread that runs no event loop. Ask for it by its type.

    Never call it in the event loop's own thread: it waits for that loop.
    """

    def __init__(self, flows: FlowProducer, portal: BlockingPortal) -> None:
        self._flows = flows
        self._portal = portal

    def add(self, flow: Flow[T], *, parent: Parent | None = None) -> Job[T]:
        """Add a tree, all of its jobs or none; see `FlowProducer.add`."""
        return self._portal.call(partial(self._flows.add, flow, parent=parent))

    def add_tree(self, flow: Flow[Any], *, parent: Parent | None = None) -> FlowTree:
        """Add a tree, and return all of its jobs; see `FlowProducer.add_tree`."""
        return self._portal.call(partial(self._flows.add_tree, flow, parent=parent))

    def add_bulk(self, flows: Sequence[Flow[Any]]) -> list[Job[Any]]:
        """Add several trees, the jobs of all of them or none; see `FlowProducer.add_bulk`."""
        return self._portal.call(self._flows.add_bulk, flows)

    def add_trees(self, flows: Sequence[Flow[Any]]) -> list[FlowTree]:
        """Add several trees, and return all of their jobs; see `FlowProducer.add_trees`."""
        return self._portal.call(self._flows.add_trees, flows)

    def get_flow(
        self, queue: str, job_id: str, *, depth: int = 10, max_children: int = 20
    ) -> FlowTree | None:
        """Return a job and those below it, or None; see `FlowProducer.get_flow`."""
        look = partial(self._flows.get_flow, queue, job_id, depth=depth, max_children=max_children)
        return self._portal.call(look)
