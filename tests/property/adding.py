"""Jobs of every kind are added."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from framework import Deduplication, Every, Flow, FlowProducer, JobOptions, ParentJob
from framework.model.options import OnChildFailure
from tests.property.base import Base
from tests.property.world import nths, queues

delays = st.sampled_from([0, 0, 5, 50, 40_000])
priorities = st.sampled_from([0, 0, 1, 7])
custom_ids = st.sampled_from(["", "", "", "x", "y", "z"])
policies: st.SearchStrategy[OnChildFailure] = st.sampled_from(
    ["fail", "continue", "ignore", "remove"]
)


def ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)


modes = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["k", "l"]),
        "ttl": st.sampled_from([None, ms(10_000), ms(40_000)]),
        "extend": st.booleans(),
        "replace": st.booleans(),
        "reschedule": st.booleans(),
        "keep_last_if_active": st.booleans(),
    }
)


def named(custom: str) -> JobOptions:
    return JobOptions(job_id=custom) if custom else JobOptions()


@dataclass
class Node:
    """One job of a tree that is still to be added."""

    queue: str
    children: list["Node"]
    policy: OnChildFailure
    custom: str
    delay: int


def trees(depth: int) -> st.SearchStrategy[Node]:
    """Trees of jobs over the queues."""
    children = st.just([]) if depth == 0 else st.lists(trees(depth - 1), max_size=2)
    return st.builds(Node, queues, children, policies, custom_ids, delays)


class Adding(Base):
    """What producers do."""

    @rule(
        queue=queues,
        custom=custom_ids,
        delay=delays,
        priority=priorities,
        lifo=st.booleans(),
        attempts=st.integers(1, 3),
    )
    def add(
        self, queue: str, custom: str, delay: int, priority: int, lifo: bool, attempts: int
    ) -> None:
        options = {"delay": ms(delay), "priority": priority, "lifo": lifo, "attempts": attempts}
        self.people(self.queue(queue).add, "n", **options, **named(custom))

    @rule(queue=queues, count=st.integers(1, 3), priority=priorities)
    def add_bulk(self, queue: str, count: int, priority: int) -> None:
        jobs = [("n", n, JobOptions(priority=priority)) for n in range(count)]
        self.people(self.queue(queue).add_bulk, jobs)

    @rule(queue=queues, custom=custom_ids, delay=delays, priority=priorities, mode=modes)
    def add_deduplicated(
        self, queue: str, custom: str, delay: int, priority: int, mode: dict[str, Any]
    ) -> None:
        options = {"delay": ms(delay), "priority": priority, "deduplication": Deduplication(**mode)}
        self.people(self.queue(queue).add, "n", **options, **named(custom))

    @rule(queue=queues, custom=custom_ids, delay=delays, nth=nths, policy=policies)
    def add_child(
        self, queue: str, custom: str, delay: int, nth: int, policy: OnChildFailure
    ) -> None:
        above, job_id = self.some_job(nth)
        options = {
            "delay": ms(delay),
            "parent": ParentJob(job_id, above),
            "on_child_failure": policy,
        }
        self.people(self.queue(queue).add, "child", **options, **named(custom))

    @rule(tree=trees(2))
    def add_flow(self, tree: Node) -> None:
        async def add(flow: Flow[Any]) -> None:
            flows = await self.world.app.get(FlowProducer)
            await flows.add(flow)

        self.people(add, self.flow(tree))

    def flow(self, node: Node) -> Flow[Any]:
        """Word a tree; counted ids, since random ones would make each run another one."""
        self.known.nodes += 1
        return Flow.named(
            node.queue,
            "node",
            None,
            [self.flow(child) for child in node.children],
            on_child_failure=node.policy,
            delay=ms(node.delay),
            job_id=node.custom or f"node-{self.known.nodes:03}",
        )

    @rule(
        queue=queues,
        scheduler=st.sampled_from(["s", "t"]),
        every=st.sampled_from([None, 10, 10, 5_000]),
    )
    def schedule(self, queue: str, scheduler: str, every: int | None) -> None:
        if every is None:
            self.people(self.queue(queue).remove_job_scheduler, scheduler)
        else:
            self.people(self.queue(queue).upsert_job_scheduler, scheduler, Every(ms(every)))
