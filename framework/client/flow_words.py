"""Words a tree of jobs for Redis: each node's place, id and ties, parents first."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from framework.client.flow import Flow
from framework.client.line import Line, Wording, check_name, new_job
from framework.client.queue_base import ANY
from framework.errors import FrameworkError, OptionsError
from framework.model.options import JobOptions, Parent, ParentJob
from framework.store.transitions.add_linked import LinkedJob
from framework.wire.job_hash import Codecs
from framework.wire.keys import QueueKeys
from framework.wire.options import AddOptions

# What one atomic call may hold: Redis answers nobody else meanwhile.
MOST_NODES = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs of one payload type go.

    Attributes:
        line: Their queue.
        name: Their name.
        codecs: What reads payloads, and what reads results.
        defaults: Their processor's.
    """

    line: Line
    name: str
    codecs: Codecs
    defaults: JobOptions


Places = Callable[[object], Place]
Lines = Callable[[str], Line]


class Node(NamedTuple):
    """A flow on its way to be worded.

    Attributes:
        flow: What was described.
        path: Where it stands, for errors.
        parent: What it hangs on, if on anything.
        policy: What its failure does to that.
        in_flow: Whether the parent is of this tree.
    """

    flow: Flow[Any]
    path: str
    parent: Parent | None
    policy: str
    in_flow: bool


class Words:
    """What one call will write, and how its roots are shown.

    Args:
        places: Finds the place of a payload.
        lines: Returns what adding to a queue needs.

    Attributes:
        jobs: What is to be written, each before its children.
        nodes: What each of them was described by, and where it goes.
    """

    def __init__(self, places: Places, lines: Lines) -> None:
        self._places = places
        self._lines = lines
        self._wording: Wording | None = None
        self.jobs: list[LinkedJob] = []
        self.nodes: list[tuple[Flow[Any], Place]] = []
        self._named: dict[tuple[str, str], str] = {}

    def add(self, flow: Flow[Any], parent: Parent | None, path: str = "the flow") -> Place:
        """Word a tree; return where its root goes.

        Raises:
            FrameworkError: A node cannot be added; a note says which.
        """
        self._named.clear()
        if not isinstance(flow, Flow):
            raise OptionsError(
                "flow", f"it is a Flow, got a {type(flow).__name__}. Write Flow(payload), say"
            )
        root = Node(flow, path, parent, flow.on_failure or "fail", in_flow=False)
        place = self._word(root)
        nodes = self._children(root)
        pending = [nodes]
        while pending:
            node = next(pending[-1], None)
            if node is None:
                pending.pop()
                continue
            self._word(node)
            pending.append(self._children(node))
        return place

    def _children(self, node: Node) -> Iterator[Node]:
        job = self.jobs[-1]
        parent = ParentJob(job.job_id, job.keys.queue)
        flow = node.flow
        return (
            Node(
                child,
                f"{node.path}.children[{place}]",
                parent,
                child.on_failure or flow.on_child_failure,
                in_flow=True,
            )
            for place, child in enumerate(flow.children)
        )

    def _word(self, node: Node) -> Place:
        try:
            place = self._place(node.flow)
            self.jobs.append(self._job(node, place))
            self.nodes.append((node.flow, place))
        except FrameworkError as error:
            error.add_note(f"nothing was added: {node.path} is {node.flow!r}")
            raise
        return place

    def _place(self, flow: Flow[Any]) -> Place:
        if flow.queue is None:
            return self._places(flow.data)
        return Place(self._lines(flow.queue), check_name(flow.name), (ANY, ANY), JobOptions())

    def _job(self, node: Node, place: Place) -> LinkedJob:
        flow = node.flow
        if len(self.jobs) == MOST_NODES:
            raise OptionsError(
                "flow",
                f"one call adds at most {MOST_NODES:,} jobs; let a running job add the rest",
            )
        wanted: dict[str, Any] = {**place.defaults, **flow.options}
        waits = bool(flow.children)
        if waits and "deduplication" in wanted:
            raise OptionsError("deduplication", "a job that waits for children cannot have it")
        if node.parent is not None:
            wanted |= {"parent": node.parent, "on_child_failure": node.policy}
        elif flow.on_failure is not None:
            raise OptionsError("on_failure", "a job without a parent has nobody to tell")
        keys = place.line.keys
        options = self._worded(place.line, cast("JobOptions", wanted), in_flow=node.in_flow)
        if options.job_id:
            self._name(keys, options.job_id, node.path)
        new = new_job(place.name, place.codecs[0], flow.data, options)
        return LinkedJob(keys, new, options.job_id or str(uuid.uuid4()), waits)

    def _name(self, keys: QueueKeys, job_id: str, path: str) -> None:
        """Refuse an id that a node of the tree has: this one's data would be lost."""
        first = self._named.setdefault((keys.base, job_id), path)
        if first != path:
            raise OptionsError(
                "job_id",
                f'{first} and {path} are both job {job_id} of queue "{keys.queue}"; '
                "only the first one's data would be kept. Give each an id of its own",
            )

    def _worded(self, line: Line, options: JobOptions, *, in_flow: bool) -> AddOptions:
        if self._wording is None:
            self._wording = Wording(line.keys.prefix)
        return self._wording(options, in_flow=in_flow)
