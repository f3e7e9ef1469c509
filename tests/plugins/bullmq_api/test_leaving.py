"""Step jobs as BullMQ's guide writes them, in Python: steps, delaying, waiting, chained flows."""

import time
from enum import IntEnum
from typing import Any

import pytest

from framework.store.store import Store
from framework_bullmq import DelayedError, FlowProducer, Job, Queue, WaitingChildrenError
from tests.plugins.bullmq_api.bull import Bull, state_is
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import ECHO, adds_children, returns
from tests.support.until import until


class Step(IntEnum):
    INITIAL = 1
    SECOND = 2
    THIRD = 3
    FINISH = 4


class Steps:
    """What the guide's examples do, and what they did."""

    def __init__(self, kids: Queue | None = None, flow: FlowProducer | None = None) -> None:
        self.kids = kids
        self.flow = flow
        self.did: list[str] = []
        self.fails_once = False

    async def steps(self, job: Job, token: str) -> Step | None:
        step = job.data["step"]
        while step != Step.FINISH:
            if step == Step.INITIAL:
                self.did.append("initial")
                await job.updateData({"step": Step.SECOND})
                step = Step.SECOND
            elif step == Step.SECOND:
                self.did.append("second")
                if self.fails_once and job.attemptsMade == 0:
                    raise ValueError("once more")
                await job.updateData({"step": Step.FINISH})
                step = Step.FINISH
                return Step.FINISH
            else:
                raise ValueError("invalid step")
        return None

    async def delaying(self, job: Job, token: str) -> Step | None:
        step = job.data["step"]
        while step != Step.FINISH:
            if step == Step.INITIAL:
                self.did.append("initial")
                await job.moveToDelayed(int(time.time_ns() // 1_000_000) + 200, token)
                await job.updateData({"step": Step.SECOND})
                raise DelayedError
            elif step == Step.SECOND:  # noqa: RET506 - as the guide has it
                self.did.append("second")
                await job.updateData({"step": Step.FINISH})
                step = Step.FINISH
                return Step.FINISH
            else:
                raise ValueError("invalid step")
        return None

    async def add_child(self, job: Job, name: str) -> None:
        assert self.kids is not None
        above = {"parent": {"id": job.id, "queue": job.queueQualifiedName}}
        await self.kids.add(name, {"foo": "bar"}, above)

    async def finish(self, job: Job, token: str) -> Step:
        self.did.append("third")
        should_wait = await job.moveToWaitingChildren(token, {})
        if not should_wait:
            await job.updateData({"step": Step.FINISH})
            return Step.FINISH
        raise WaitingChildrenError

    async def waiting(self, job: Job, token: str) -> Step | None:
        step = job.data["step"]
        while step != Step.FINISH:
            if step == Step.INITIAL:
                await self.add_child(job, "child-1")
                await job.updateData({"step": Step.SECOND})
                step = Step.SECOND
            elif step == Step.SECOND:
                await self.add_child(job, "child-2")
                await job.updateData({"step": Step.THIRD})
                step = Step.THIRD
            elif step == Step.THIRD:
                return await self.finish(job, token)
            else:
                raise ValueError("invalid step")
        return None

    async def chaining(self, job: Job, token: str) -> Step | None:
        step = job.data["step"]
        while step != Step.FINISH:
            if step == Step.INITIAL:
                assert self.flow is not None
                await self.flow.add(
                    {
                        "name": "child-job",
                        "queueName": "kids",
                        "data": {},
                        "children": [
                            {"name": "n", "data": {"idx": 0}, "queueName": "grandkids"},
                            {"name": "n", "data": {"idx": 1}, "queueName": "grandkids"},
                        ],
                        "opts": {"parent": {"id": job.id, "queue": job.queueQualifiedName}},
                    }
                )
                await job.updateData({"step": Step.SECOND})
                step = Step.SECOND
            elif step == Step.SECOND:
                self.did.append("second")
                await job.updateData({"step": Step.THIRD})
                step = Step.THIRD
            elif step == Step.THIRD:
                return await self.finish(job, token)
            else:
                raise ValueError("invalid step")
        return None


async def values(job: Job) -> dict[str, Any]:
    """What a job's children returned, by the names of their queues."""
    found = await job.getChildrenValues()
    return {key.split(":")[1]: value for key, value in found.items()}


async def test_a_step_job_goes_on_where_it_was(bull: Bull) -> None:
    made = Steps()
    made.fails_once = True
    bull.worker(made.steps)
    job = await bull.queue().add("n", {"step": Step.INITIAL}, {"attempts": 2})

    assert await job.waitUntilFinished(None, 5000) == Step.FINISH
    found = await bull.queue().getJob(job.id)
    assert found is not None
    assert (made.did, found.data, found.attemptsMade) == (
        ["initial", "second", "second"],
        {"step": Step.FINISH},
        2,
    )


async def test_a_job_leaves_and_runs_again_when_it_is_due(bull: Bull) -> None:
    made = Steps()
    bull.worker(made.delaying)
    job = await bull.queue().add("n", {"step": Step.INITIAL})
    await state_is(job, "delayed")

    assert await job.waitUntilFinished(None, 5000) == Step.FINISH
    found = await bull.queue().getJob(job.id)
    assert found is not None
    assert (made.did, found.attemptsMade, found.attemptsStarted) == (["initial", "second"], 1, 2)
    assert found.processedOn - found.timestamp >= 200


@both_majors
@pytest.mark.parametrize("kids", ["ours", "node"])
async def test_a_job_waits_for_children_that_it_adds(bull: Bull, node: NodePeer, kids: str) -> None:
    made = Steps(bull.queue("kids"))
    if kids == "ours":
        bull.worker(lambda job, token: job.data, "kids")
    else:
        await node.work("kids", ECHO)
    bull.worker(made.waiting)
    job = await bull.queue().add("n", {"step": Step.INITIAL})

    assert await job.waitUntilFinished(None, 10_000) == Step.FINISH
    found = await bull.queue().getJob(job.id)
    assert found is not None
    children = await job.getChildrenValues()
    assert list(children.values()) == [{"foo": "bar"}, {"foo": "bar"}]
    assert found.data == {"step": Step.FINISH}


@both_majors
@pytest.mark.parametrize("kids", ["ours", "node"])
async def test_a_job_waits_for_a_flow_that_it_adds(bull: Bull, node: NodePeer, kids: str) -> None:
    made = Steps(flow=bull.flows())
    if kids == "ours":
        bull.worker(lambda job, token: job.data["idx"], "grandkids")
        bull.worker(lambda job, token: values(job), "kids")
    else:
        await node.work("grandkids", ECHO)
        await node.work("kids", returns("child"))
    bull.worker(made.chaining)
    job = await bull.queue().add("n", {"step": Step.INITIAL})

    assert await job.waitUntilFinished(None, 10_000) == Step.FINISH
    told = await values(job)
    assert made.did[0] == "second"
    assert told["kids"] == ("child" if kids == "node" else {"grandkids": told["kids"]["grandkids"]})


@both_majors
async def test_a_parent_on_node_waits_for_children_of_ours(bull: Bull, node: NodePeer) -> None:
    bull.worker(lambda job, token: f"did {job.name}", "kids")
    kids = [{"queue": "kids", "name": name} for name in ("a", "b")]
    await node.work("q", adds_children(*kids))
    job = await bull.queue().add("parent")

    await state_is(job, "completed")
    assert sorted((await job.getChildrenValues()).values()) == ["did a", "did b"]


async def test_what_is_written_after_the_move_counts(bull: Bull) -> None:
    async def leave(job: Job, token: str) -> None:
        await job.moveToDelayed(2**41, token)
        await job.updateData("after")
        raise DelayedError

    bull.worker(leave)
    queue = bull.queue()
    job = await queue.add("n", "before")
    await state_is(job, "delayed")

    found = await queue.getJob(job.id)
    assert found is not None
    assert found.data == "after"


async def test_a_processor_that_moves_its_job_and_returns_has_moved_it(bull: Bull) -> None:
    errors: list[tuple[object, ...]] = []

    async def leave(job: Job, token: str) -> str:
        await job.moveToDelayed(2**41, token)
        return "dropped"

    worker = bull.worker(leave)
    worker.on("error", lambda error, job: errors.append((type(error), job.id)))
    job = await bull.queue().add("n")
    await state_is(job, "delayed")

    assert errors == [(TypeError, job.id)]


@pytest.mark.parametrize("error", [DelayedError, WaitingChildrenError])
async def test_a_job_that_was_not_moved_fails_and_says_what_is_missing(
    bull: Bull, error: type[Exception]
) -> None:
    async def leave(job: Job, token: str) -> None:
        raise error

    bull.worker(leave)
    queue = bull.queue()
    job = await queue.add("n")
    await state_is(job, "failed")

    found = await queue.getJob(job.id)
    assert found is not None
    assert "job 1 was not moved: await job.moveToDelayed" in found.stacktrace[0]


async def test_a_parent_whose_child_has_failed_fails_where_it_would_wait(bull: Bull) -> None:
    async def wait(job: Job, token: str) -> None:
        if await job.moveToWaitingChildren(token, {}):
            raise WaitingChildrenError

    async def fail(job: Job, token: str) -> None:
        raise ValueError("no")

    queue, kids = bull.queue(), bull.queue("kids")
    parent = await queue.add("n")
    above = {"id": parent.id, "queue": parent.queueQualifiedName}
    child = await kids.add("n", {}, {"parent": above, "failParentOnFailure": True})
    bull.worker(fail, "kids")
    await state_is(child, "failed")
    bull.worker(wait)
    await state_is(parent, "failed")

    found = await queue.getJob(parent.id)
    assert found is not None
    assert f"child {bull.prefix}:kids:1 failed" in str(found.failedReason)


async def test_a_parent_waits_for_a_failed_child_unless_it_was_told_otherwise(
    bull: Bull, store: Store
) -> None:
    async def fail(job: Job, token: str) -> None:
        raise ValueError("no")

    bull.worker(fail, "kids")
    bull.worker(lambda job, token: "ran")
    flow = await bull.flows().add(
        {"name": "top", "queueName": "q", "children": [{"name": "kid", "queueName": "kids"}]}
    )
    assert flow is not None
    await state_is(flow["children"][0]["job"], "failed")

    assert await flow["job"].getState() == "waiting-children"


async def test_the_token_of_another_run_moves_nothing(bull: Bull) -> None:
    refused: list[str] = []

    async def leave(job: Job, token: str) -> str:
        for move in (job.moveToDelayed(2**41, "stranger"), job.moveToWaitingChildren("stranger")):
            try:
                await move
            except TypeError as error:
                refused.append(str(error))
        return "stayed"

    bull.worker(leave)
    job = await bull.queue().add("n")
    await until(job.isCompleted, message="it completed")

    assert ["Lock mismatch for job 1" in text for text in refused] == [True, True]
