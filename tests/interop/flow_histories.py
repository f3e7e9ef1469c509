"""What users do with flows, in Node's words: parents on one queue, children on another."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from framework import Application, Flow, FlowProducer
from framework.model.options import OnChildFailure
from framework.wire.links import FLAGS
from tests.interop.histories import WORK, in_our_words, our_work
from tests.support.node import NodePeer
from tests.support.ours import Ours, does
from tests.support.until import until

Tree = Mapping[str, Any]
Add = Callable[[Sequence[Tree]], Awaitable[None]]

LEVELS = ("tops", "kids", "leaves")
NODES_FLAGS = {
    "failParentOnFailure": "fpof",
    "continueParentOnFailure": "cpof",
    "ignoreDependencyOnFailure": "idof",
    "removeDependencyOnFailure": "rdof",
}
POLICIES: dict[str, OnChildFailure] = {
    long: next(policy for policy, flag in FLAGS.items() if flag == short)
    for long, short in NODES_FLAGS.items()
}


@dataclass(frozen=True)
class FlowHistory:
    """One history at its work.

    Attributes:
        add: Adds trees, together.
        running: Runs the workers of all levels.
        node: Tells states.
        side: What the queues' names begin with.
    """

    add: Add
    running: Callable[[], AbstractAsyncContextManager[None]]
    node: NodePeer
    side: str

    def tree(self, job_id: str, *children: Tree, level: int = 0, **opts: Any) -> Tree:  # noqa: ANN401 - Node's words
        """Describe a job; one whose id begins with ``bad`` fails."""
        return {
            "name": "bad" if job_id.startswith("bad") else "n",
            "queueName": f"{self.side}-{LEVELS[level]}",
            "data": job_id,
            "opts": {"jobId": job_id, **opts},
            **({"children": list(children)} if children else {}),
        }

    async def ended(self, *job_ids: str, level: int = 0) -> None:
        """Wait until jobs have finished."""
        for job_id in job_ids:

            async def has(job_id: str = job_id) -> bool:
                state = await self.node.state(f"{self.side}-{LEVELS[level]}", job_id)
                return state in {"completed", "failed"}

            await until(has, message=f"job {job_id} has finished")


@asynccontextmanager
async def on_node(node: NodePeer, side: str) -> AsyncIterator[FlowHistory]:
    """Let Node add and run."""

    async def add(trees: Sequence[Tree]) -> None:
        await node.call("flowCall", method="addBulk", args=[list(trees)])

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        workers = [await node.work(f"{side}-{level}", WORK, name="w") for level in LEVELS]
        yield
        for worker in workers:
            await worker.close()

    yield FlowHistory(add, running, node, side)


@asynccontextmanager
async def on_us(ours: Ours, node: NodePeer, side: str) -> AsyncIterator[FlowHistory]:
    """Add and run ourselves."""

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        work = [does(our_work, queue=f"{side}-{level}") for level in LEVELS]
        async with ours.working(*work):
            yield

    async with ours.producing() as app:
        yield FlowHistory(adder_of(app), running, node, side)


def adder_of(app: Application) -> Add:
    """Return what adds trees through our producer."""

    async def add(trees: Sequence[Tree]) -> None:
        flows = await app.get(FlowProducer)
        await flows.add_bulk([flow_of(tree) for tree in trees])

    return add


def flow_of(tree: Tree) -> Flow[Any]:
    """Word one of Node's trees as ours."""
    opts = dict(tree["opts"])
    policy = next((POLICIES[name] for name in POLICIES if opts.pop(name, False)), None)
    children = [flow_of(child) for child in tree.get("children", ())]
    options: Any = in_our_words(opts)
    return Flow.named(
        tree["queueName"], tree["name"], tree["data"], children, on_failure=policy, **options
    )


FAIL = {"failParentOnFailure": True}


async def completed(it: FlowHistory) -> None:
    children = [it.tree(job_id, level=1, **FAIL) for job_id in ("a", "b", "c")]
    await it.add([it.tree("top", *children)])
    async with it.running():
        await it.ended("top")


def with_failure(
    policy: str, *, comes_last: bool = False
) -> Callable[[FlowHistory], Awaitable[None]]:
    async def history(it: FlowHistory) -> None:
        children = [it.tree("bad", level=1, **{policy: True}), it.tree("a", level=1, **FAIL)]
        await it.add([it.tree("top", *(reversed(children) if comes_last else children))])
        async with it.running():
            await it.ended("top")
            await it.ended("a", level=1)

    return history


async def three_levels(it: FlowHistory) -> None:
    middle = it.tree("m", it.tree("x", level=2, **FAIL), level=1, **FAIL)
    await it.add([it.tree("top", middle)])
    async with it.running():
        await it.ended("top")


async def failed_all_the_way_up(it: FlowHistory) -> None:
    middle = it.tree("m", it.tree("bad", level=2, **FAIL), level=1, **FAIL)
    await it.add([it.tree("top", middle)])
    async with it.running():
        await it.ended("top")


async def placed(it: FlowHistory) -> None:
    children = [
        it.tree("a", level=1, priority=3, **FAIL),
        it.tree("c", level=1, lifo=True, **FAIL),
    ]
    await it.add([it.tree("top", *children, priority=5)])
    async with it.running():
        await it.ended("top")
    children = [it.tree("d", level=1, **FAIL)]
    await it.add([it.tree("late", *children, delay=60_000)])
    async with it.running():
        await it.ended("d", level=1)
    await it.add([it.tree("never", it.tree("e", level=1, delay=60_000, **FAIL))])


async def several(it: FlowHistory) -> None:
    trees = [it.tree(f"top{n}", it.tree(f"a{n}", level=1, **FAIL)) for n in range(3)]
    await it.add(trees)


async def adopted(it: FlowHistory) -> None:
    await it.add([it.tree("a", level=1), it.tree("b", level=1, delay=60_000)])
    async with it.running():
        await it.ended("a", level=1)
    again = [it.tree(job_id, level=1, **FAIL) for job_id in ("a", "b", "c")]
    await it.add([it.tree("top", *again)])
    await it.add([it.tree("next", it.tree("d", level=1, **FAIL))])
    async with it.running():
        await it.ended("next")


async def all_done_before(it: FlowHistory) -> None:
    await it.add([it.tree("a", level=1)])
    async with it.running():
        await it.ended("a", level=1)
    await it.add([it.tree("top", it.tree("a", level=1, **FAIL))])
    async with it.running():
        await it.ended("top")


FLOW_HISTORIES: dict[str, Callable[[FlowHistory], Awaitable[None]]] = {
    "completed": completed,
    "fail": with_failure("failParentOnFailure"),
    # A parent that goes on while a child is pending may run before or after that one.
    "continue": with_failure("continueParentOnFailure", comes_last=True),
    "ignore": with_failure("ignoreDependencyOnFailure"),
    "remove": with_failure("removeDependencyOnFailure"),
    "three-levels": three_levels,
    "failed-all-the-way-up": failed_all_the_way_up,
    "placed": placed,
    "several": several,
    "adopted": adopted,
    "all-done-before": all_done_before,
}
# BullMQ 5 releases a parent at the first child that was done before, whatever follows.
ONLY_6 = {"adopted"}
