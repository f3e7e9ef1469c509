"""A running parent with 1,000 children on two queues, one of them worked by Node; a tenth fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel

from framework import Application, Context, Job, JobOptions, JobState, Queue, processor
from framework.model.job import ChildCounts
from framework.model.options import OnChildFailure
from tests.interop.flow_histories import POLICIES
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, adds_children, by_name, fails
from tests.support.ours import Ours, Target, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

CHILDREN = 1000
FAILING = CHILDREN // 10
QUEUES = ("worked-here", "worked-there")
OUTCOMES: dict[OnChildFailure, tuple[JobState, ChildCounts]] = {
    "fail": (JobState.FAILED, ChildCounts(900, 0, 0, 100)),
    "continue": (JobState.COMPLETED, ChildCounts(900, 0, 100, 0)),
    "ignore": (JobState.COMPLETED, ChildCounts(900, 0, 100, 0)),
    "remove": (JobState.COMPLETED, ChildCounts(900, 0, 0, 0)),
}
FLAGS = {policy: name for name, policy in POLICIES.items()}
BY_NAME = by_name(ECHO, bad=fails(message="no luck"))

every_policy = pytest.mark.parametrize("policy", OUTCOMES)


class Step(StrEnum):
    SPREAD = "spread"
    COLLECT = "collect"


class Spread(BaseModel):
    policy: OnChildFailure
    step: Step = Step.SPREAD


async def child_work(job: Job[Any], _: Context) -> object:
    if job.name == "bad":
        raise ValueError("no luck")
    return job.data


def name_of(n: int) -> str:
    return "bad" if n % 10 == 0 else "n"


def parent_of(queues: list[Queue]) -> Target:
    """Make the processor that spreads its work over children, and collects what they return."""

    @processor("parents")
    async def parent(job: Job[Spread], ctx: Context) -> int:
        if job.data.step is Step.SPREAD:
            for number, queue in enumerate(queues):
                mine = range(number, CHILDREN, len(queues))
                await queue.add_bulk((name_of(n // 2), n, options(job, n)) for n in mine)
            job = await ctx.save(job, job.data.model_copy(update={"step": Step.COLLECT}))
        await ctx.wait_for_children()
        return sum((await ctx.children_values(int)).values())

    return parent


def options(job: Job[Spread], n: int) -> JobOptions:
    policy = job.data.policy
    return JobOptions(parent=job, on_child_failure=policy, job_id=f"{job.id}-child-{n}")


def expected_sum() -> int:
    return sum(n for n in range(CHILDREN) if name_of(n // 2) == "n")


async def all_has_ended(app: Application, job_id: str) -> None:
    """Wait until the parent has ended, and all its children too."""
    parents = app.queue("parents")

    async def has() -> bool:
        is_final = (await parents.state(job_id)).is_final
        return is_final and (await parents.dependencies_count(job_id)).unprocessed == 0

    await until(has, timeout=20, message="the parent and its children have ended")


@asynccontextmanager
async def children_at_work(ours: Ours, node: NodePeer) -> AsyncIterator[None]:
    await node.work("worked-there", BY_NAME, concurrency=50)
    async with ours.working(does(child_work, queue="worked-here", concurrency=50)):
        yield


@every_policy
async def test_our_parent_ends_as_agreed_with_all_that_its_children_returned(
    ours: Ours, node: NodePeer, policy: OnChildFailure
) -> None:
    async with ours.producing() as adding, children_at_work(ours, node):
        queues = [adding.queue(name) for name in QUEUES]
        async with ours.working(parent_of(queues)) as app:
            job = await app.queue("parents").add("spread", {"policy": policy})
            await all_has_ended(app, job.id)

            parents = app.queue("parents")
            ended = await parents.job(job.id)
            values = await parents.children_values(job.id, int)
            state, counts = await parents.state(job.id), await parents.dependencies_count(job.id)

    assert (state, counts) == OUTCOMES[policy]
    assert sum(values.values()) == expected_sum()
    assert ended is not None
    assert ended.result == (None if policy == "fail" else expected_sum())


@every_policy
async def test_nodes_parent_ends_as_agreed_with_all_that_its_children_returned(
    ours: Ours, node: NodePeer, policy: OnChildFailure
) -> None:
    children = [
        {
            "queue": QUEUES[n % 2],
            "name": name_of(n // 2),
            "data": n,
            "opts": {FLAGS[policy]: True},
        }
        for n in range(CHILDREN)
    ]
    await node.work("parents", adds_children(*children))
    async with children_at_work(ours, node), ours.producing() as app:
        parent = await node.add("parents", "top")
        await all_has_ended(app, parent)

        parents = app.queue("parents")
        values = await parents.children_values(parent, int)
        state, counts = await parents.state(parent), await parents.dependencies_count(parent)

    assert (state, counts) == OUTCOMES[policy]
    assert sum(values.values()) == expected_sum()
