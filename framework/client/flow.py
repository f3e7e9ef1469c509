"""A tree of jobs as it is described; a parent runs when its children are done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel
from typing_extensions import Unpack

from framework.errors import OptionsError
from framework.model.options import FlowOptions, OnChildFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

T_co = TypeVar("T_co", covariant=True)


class Flow(Generic[T_co]):
    """One job of a tree, and the jobs that it waits for.

    Its queue and name come from the payload's type, as with `Producer`; see `named` for
    queues without one.

    Args:
        data: The payload.
        children: Jobs that must be done before this one runs; they may have children too.
        on_child_failure: What a child that fails for good does to this job; see `JobOptions`.
        on_failure: The same for this job and its own parent, in place of what that one says.
        options: Of this job; see `FlowOptions`. With ``children``, a ``delay`` begins when
            they are done, and there is no ``deduplication``. A ``job_id`` is one job's of the
            tree; what becomes of one that is there already, `FlowProducer.add` says.
    """

    __slots__ = ("children", "data", "name", "on_child_failure", "on_failure", "options", "queue")

    def __init__(
        self,
        data: T_co,
        children: Sequence[Flow[Any]] = (),
        *,
        on_child_failure: OnChildFailure = "fail",
        on_failure: OnChildFailure | None = None,
        **options: Unpack[FlowOptions],
    ) -> None:
        self.data = data
        self.children = flows_of(children)
        self.on_child_failure = on_child_failure
        self.on_failure = on_failure
        self.options = options
        self.queue: str | None = None
        self.name: str | None = None
        for option in options:
            if option not in FlowOptions.__annotations__:
                known = ", ".join(sorted(FlowOptions.__annotations__))
                raise OptionsError(option, f"a flow's job has no such option; there are: {known}")

    @classmethod
    def named(
        cls,
        queue: str,
        name: str,
        data: Any = None,  # noqa: ANN401 - whatever JSON can hold
        children: Sequence[Flow[Any]] = (),
        *,
        on_child_failure: OnChildFailure = "fail",
        on_failure: OnChildFailure | None = None,
        **options: Unpack[FlowOptions],
    ) -> Flow[Any]:
        """Describe a job by its queue and name, with any data.

        Args:
            queue: The queue's name.
            name: The job's name.
            data: Anything JSON can hold.
            children: As in `Flow`, and all that follow too.
            on_child_failure: What a child that fails for good does to this job.
            on_failure: What this job does to its parent, in place of what that one says.
            options: Of this job.
        """
        flow: Flow[Any] = Flow(
            data, children, on_child_failure=on_child_failure, on_failure=on_failure, **options
        )
        flow.queue, flow.name = queue, name
        return flow

    def __repr__(self) -> str:
        """Say how large it is; its data may be secret."""
        kind = self.name or type(self.data).__name__
        return f"<Flow of {kind}, {len(self.children)} children>"


def flows_of(children: object) -> tuple[Flow[Any], ...]:
    """Return a flow's children, or refuse what are none; what they hold may be secret."""
    fix = "Write Flow(parent, [Flow(child), Flow(child)])"
    if not isinstance(children, Iterable) or isinstance(children, BaseModel):
        found = type(children).__name__
        raise OptionsError("children", f"they are a list of flows, got a {found}. {fix}")
    flows: list[Flow[Any]] = []
    for flow in children:
        if not isinstance(flow, Flow):
            raise OptionsError("children", f"each is a Flow, got a {type(flow).__name__}. {fix}")
        flows.append(flow)
    return tuple(flows)
