"""Jobs of every kind are added."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from framework import Deduplication, Every, Flow, FlowProducer, JobOptions, ParentJob
from framework.model.options import FlowOptions, OnChildFailure
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


def trees(depth: int) -> st.SearchStrategy[Flow[Any]]:
    """Trees of jobs over the queues."""
    children = st.just([]) if depth == 0 else st.lists(trees(depth - 1), max_size=2)
    return st.builds(node, queues, children, policies, custom_ids, delays)


def node(
    queue: str, below: list[Flow[Any]], policy: OnChildFailure, custom: str, delay: int
) -> Flow[Any]:
    """Word one job of a tree."""
    options = FlowOptions(delay=ms(delay))
    if custom:
        options["job_id"] = custom
    return Flow.named(queue, "node", None, below, on_child_failure=policy, **options)


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
    def add_flow(self, tree: Flow[Any]) -> None:
        async def add() -> None:
            flows = await self.world.app.get(FlowProducer)
            await flows.add(tree)

        self.people(add)

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
