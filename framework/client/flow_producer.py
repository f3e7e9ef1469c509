"""Adds trees of jobs, whole or not at all."""

from collections.abc import Sequence
from typing import Any, TypeVar

from framework.client.flow import Flow
from framework.client.flow_tree import read_flow
from framework.client.flow_words import Lines, Place, Places, Words
from framework.client.line import FreshJob
from framework.client.queue_base import check_whole
from framework.model.family import FlowTree
from framework.model.job import Job, JobId
from framework.model.options import Parent
from framework.store.transitions.add import AddedJob
from framework.store.transitions.add_linked import LinkedJob

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
        words = Words(self._places, self._lines)
        place = words.add(flow, parent)
        added = await place.line.adder.add_linked(place.line.keys, words.jobs)
        return root_of(flow, place, words.jobs[0], added[0])

    async def add_bulk(self, flows: Sequence[Flow[Any]]) -> list[Job[Any]]:
        """Add several trees, the jobs of all of them or none. Errors as `add`.

        Wire: as `add`.

        Returns:
            Their roots, in order.
        """
        words = Words(self._places, self._lines)
        roots: list[tuple[Flow[Any], Place, int]] = []
        for number, flow in enumerate(flows):
            first = len(words.jobs)
            roots.append((flow, words.add(flow, None, f"flow {number}"), first))
        if not roots:
            return []
        line = roots[0][1].line
        added = await line.adder.add_linked(line.keys, words.jobs)
        return [
            root_of(flow, place, words.jobs[first], added[first]) for flow, place, first in roots
        ]

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


def root_of(flow: Flow[T], place: Place, written: LinkedJob, added: AddedJob) -> Job[T]:
    """Return a tree's root as it was added."""
    job: FreshJob[T, object] = FreshJob(
        place.line.keys, written.new, added, flow.data, place.codecs
    )
    return job
