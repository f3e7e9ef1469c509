"""Adds trees of jobs, whole or not at all."""

from collections.abc import Sequence
from typing import Any, TypeVar

from framework.client.flow import Flow
from framework.client.flow_tree import read_flow
from framework.client.flow_words import Lines, Places, Words
from framework.client.line import FreshJob
from framework.client.queue_base import check_whole
from framework.model.family import FlowTree
from framework.model.job import Job, JobId
from framework.model.options import Parent

T = TypeVar("T")


class FlowProducer:
    """Puts flows in line: trees of jobs over any queues. Ask for it by its type."""

    def __init__(self, places: Places, lines: Lines) -> None:
        self._places = places
        self._lines = lines

    async def add(self, flow: Flow[T], *, parent: Parent | None = None) -> Job[T]:
        """Add a tree, all of its jobs or none.

        Wire: each job with children -> waiting-children, the others -> waiting, prioritized or
        delayed; each stands among its parent's ``:dependencies``; events ``added`` and
        ``waiting-children``, ``waiting`` or ``delayed``. Ids that are not given are UUIDs.

        A job whose ``job_id`` is there already joins the tree as it is: data, options and
        state stay, event ``duplicated``. New children are added below it all the same; unless
        it is in waiting-children, it waits for them only where its run asks to.

        Args:
            flow: The tree.
            parent: A job, running for instance, that shall wait for the tree's root.

        Returns:
            The root; where a job of its ``job_id`` was there already, the id of that one.

        Raises:
            RouteError: No queue takes a payload, or two do.
            PayloadError: A payload does not fit its type, or JSON cannot hold it.
            OptionsError: An option is out of its range, or two jobs of the tree have one
                ``job_id`` in one queue.
            ParentNotFoundError: The ``parent`` is not there.
            OtherParentError: A job with one of the ids is there as another parent's child.
            RedisUnavailableError: No answer in time; the tree may have been added.
            RedisRefusedError: Redis refused.
        """
        tree = await self.add_tree(flow, parent=parent)
        return tree.job

    async def add_tree(self, flow: Flow[Any], *, parent: Parent | None = None) -> FlowTree:
        """Add a tree, and return all of its jobs as they were added; see `add`."""
        words = Words(self._places, self._lines)
        words.add(flow, parent)
        return (await send(words))[0]

    async def add_bulk(self, flows: Sequence[Flow[Any]]) -> list[Job[Any]]:
        """Add several trees, the jobs of all of them or none. Errors as `add`.

        Wire: as `add`.

        Returns:
            Their roots, in order.
        """
        return [tree.job for tree in await self.add_trees(flows)]

    async def add_trees(self, flows: Sequence[Flow[Any]]) -> list[FlowTree]:
        """Add several trees, and return all of their jobs as they were added; see `add_bulk`."""
        words = Words(self._places, self._lines)
        for number, flow in enumerate(flows):
            words.add(flow, None, f"flow {number}")
        return await send(words) if words.jobs else []

    async def get_flow(
        self, queue: str, job_id: str, *, depth: int = 10, max_children: int = 20
    ) -> FlowTree | None:
        """Return a job and those below it as they stand, or None.

        Wire: reads ``J`` and, for its children, ``J:processed``, ``J:dependencies``,
        ``J:unsuccessful`` and ``J:failed``.

        Args:
            queue: The root's queue.
            job_id: The root.
            depth: How many levels, the root's included.
            max_children: Of each job, at most so many of each outcome.
        """
        check_whole(depth=depth, max_children=max_children)
        line = self._lines(queue)
        return await read_flow(line.store, line.keys, JobId(job_id), depth, max_children)


async def send(words: Words) -> list[FlowTree]:
    """Add what was worded, all of it or nothing; return the trees as they were added."""
    first = words.nodes[0][1].line
    added = await first.adder.add_linked(first.keys, words.jobs)
    trees: list[FlowTree] = []
    # From the last on: the trees of a job's children are there before it, the first on top.
    rows = zip(words.nodes, words.jobs, added, strict=True)
    for (flow, place), written, where in reversed(list(rows)):
        job: Job[Any, Any] = FreshJob(place.line.keys, written.new, where, flow.data, place.codecs)
        children = tuple(trees.pop() for _ in flow.children)
        trees.append(FlowTree(job, children))
    return trees[::-1]
