"""Step jobs: one side parks them, the other goes on, and no step runs twice."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel

from framework import Application, Context, Job, JobState, Limiter, processor
from framework.store.store import Store
from tests.support.node import NodeError, NodePeer, NodeRecording, both_majors
from tests.support.node_work import CHILDREN_VALUES, ECHO, adds_children, fails, returns, steps
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.until import until

pytestmark = both_majors

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Step(StrEnum):
    ONE = "one"
    TWO = "two"
    END = "end"


class Work(BaseModel):
    step: Step = Step.ONE
    done: list[str] = []


async def note(job: Job[Work], ctx: Context, following: Step) -> Job[Work]:
    """Do the step that is due, and save that it is done."""
    done = [*job.data.done, f"ours:{job.data.step}"]
    return await ctx.save(job, Work(step=following, done=done))


def leaves(how: str) -> Any:  # noqa: ANN401 - a processor
    """A processor of ours whose first step leaves."""

    @processor("q")
    async def run(job: Job[Work], ctx: Context) -> dict[str, object]:
        if job.data.step is Step.ONE:
            job = await note(job, ctx, Step.TWO)
            if how == "delay":
                await ctx.delay_for(HOUR)
            await ctx.rate_limit(HOUR)
        if job.data.step is Step.TWO:
            job = await note(job, ctx, Step.END)
        return {"done": job.data.done}

    return run


async def counts_of(app: Application, job_id: str) -> tuple[str | None, str]:
    """How many attempts ended, and how many starts there were."""
    fields = await job_hash(app, job_id)
    return fields.get("atm"), fields["ats"]


async def parked(app: Application, job_id: str) -> None:
    """Wait until a job of the queue has been parked after its first step."""

    async def is_parked() -> bool:
        # First the start: a job that waits for it is no parked one.
        began = await has_started()
        return began and await app.queue("q").state(job_id) in {JobState.DELAYED, JobState.WAITING}

    async def has_started() -> bool:
        return (await job_hash(app, job_id)).get("ats") == "1"

    await until(is_parked, message="the job is parked")


@pytest.mark.parametrize("how", ["delay", "rateLimit"])
async def test_node_goes_on_where_our_run_left(ours: Ours, node: NodePeer, how: str) -> None:
    async with ours.working(leaves(how)) as app:
        job = await app.queue("q").add("n", {"step": "one", "done": []}, attempts=3)
        await parked(app, job.id)
    if how == "delay":
        await node.job_call("q", job.id, "promote")
    # Without a limiter, Node's worker does not look at a limit.
    worker = await node.work("q", steps(two={"next": "end"}))

    async with ours.producing() as app:
        result = await app.queue("q").result(job.id)

        assert result["done"] == ["ours:one", "node:two"]
        assert await counts_of(app, job.id) == ("1", "2")
    assert [(run.attemptsMade, run.attemptsStarted) for run in await worker.order()] == [(0, 2)]


@pytest.mark.parametrize("how", ["delay", "rateLimit"])
async def test_we_go_on_where_nodes_run_left(
    ours: Ours, node: NodePeer, store: Store, how: str
) -> None:
    # BullMQ's worker may wait out its limit as it closes.
    leave = {"kind": how, "ms": 3_600_000 if how == "delay" else 1500}
    worker = await node.work("q", steps(one={"next": "two", "leave": leave}))
    job_id = await node.add("q", "n", {"step": "one", "done": []}, attempts=3)
    await until(worker.order, message="it runs there")
    await worker.close()
    if how == "rateLimit":
        await store.command("PEXPIRE", f"{ours.prefix}:q:limiter", 300)

    async with ours.working(leaves("delay")) as app:
        if how == "delay":
            await app.queue("q").promote_job(job_id)
        result = await app.queue("q").result(job_id)

        assert result["done"] == ["node:one", "ours:two"]
        assert await counts_of(app, job_id) == ("1", "2")


async def test_a_job_that_both_work_in_turns_runs_each_step_once(
    ours: Ours, node: NodePeer
) -> None:
    names = [f"s{n}" for n in range(8)]
    leave = {"kind": "delay", "ms": 5}
    follower = dict(zip(names, [*names[1:], "end"], strict=True))
    await node.work("q", steps(**{it: {"next": follower[it], "leave": leave} for it in names}))

    async def step(job: Job[Any], ctx: Context) -> object:
        if job.data["step"] == "end":
            return {"done": job.data["done"]}
        done = [*job.data["done"], f"ours:{job.data['step']}"]
        await ctx.save(job, {"step": follower[job.data["step"]], "done": done})
        await ctx.delay_for(5 * MS)
        raise AssertionError

    runs = Runs()
    async with ours.working(does(step, runs=runs, concurrency=3)) as app:
        ids = await node.add_bulk(
            "q", [{"name": "n", "data": {"step": "s0", "done": []}, "opts": {"attempts": 3}}] * 6
        )
        results = [await app.queue("q").result(job_id) for job_id in ids]

        assert [await counts_of(app, job_id) for job_id in ids] == [("1", "9")] * 6
    for result in results:
        assert [name.split(":")[1] for name in result["done"]] == names


async def test_our_parent_waits_for_children_that_node_works(ours: Ours, node: NodePeer) -> None:
    @processor("q")
    async def collect(job: Job[Work], ctx: Context) -> dict[str, int]:
        if job.data.step is Step.ONE:
            for n in range(3):
                await app.queue("children").add("child", n, parent=job, job_id=f"c{n}")
            await note(job, ctx, Step.TWO)
        await ctx.wait_for_children()
        return await ctx.children_values(int)

    recording = await node.record_events("q")
    async with ours.working(collect) as app:
        job = await (await app.producer(Work)).add(Work())
        await waits_for_children(node, job.id)
        await node.work("children", ECHO)

        result = await app.queue("q").result(job.id)

        assert result == {f"{ours.prefix}:children:c{n}": n for n in range(3)}
        assert await counts_of(app, job.id) == ("1", "2")
    names = await until(lambda: _until_drained(recording), message="all is told")
    assert names == [
        "added", "waiting", "active", "waiting-children", "waiting", "active", "completed",
        "drained",
    ]  # fmt: skip


async def waits_for_children(node: NodePeer, job_id: str) -> None:
    """Wait until a job of the queue is parked for its children."""

    async def waits() -> bool:
        return await node.state("q", job_id) == "waiting-children"

    await until(waits, message="the parent waits")


async def _until_drained(recording: NodeRecording) -> list[str]:
    names = await recording.names()
    return names if names[-1:] == ["drained"] else []


async def test_node_goes_on_with_our_parent_once_its_children_are_done(
    ours: Ours, node: NodePeer
) -> None:
    async def wait(job: Job[Any], ctx: Context) -> None:
        await app.queue("children").add("child", 7, parent=job)
        await ctx.wait_for_children()

    async with ours.working(does(wait)) as app:
        job = await app.queue("q").add("n")
        await waits_for_children(node, job.id)
    await node.work("children", ECHO)
    await node.work("q", CHILDREN_VALUES)

    result = await node.wait_result("q", job.id)

    assert result["processed"] == {f"{ours.prefix}:children:1": 7}


async def test_we_work_children_that_nodes_parent_adds_as_it_runs(
    ours: Ours, node: NodePeer
) -> None:
    async def double(job: Job[Any], _: Context) -> int:
        return 2 * int(job.data)

    async with ours.working(does(double, queue="children")):
        child = {"queue": "children", "name": "n"}
        await node.work("q", adds_children({**child, "data": 1}, {**child, "data": 2}))
        job_id = await node.add("q", "parent")

        result = await node.wait_result("q", job_id)

    assert sorted(result.values()) == [2, 4]


async def test_we_go_on_with_nodes_parent_once_its_children_are_done(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", adds_children({"queue": "children", "name": "n", "data": 5}))
    job_id = await node.add("q", "parent")
    await waits_for_children(node, job_id)
    await worker.close()

    async def collect(_: Job[Any], ctx: Context) -> dict[str, int]:
        await ctx.wait_for_children()
        return await ctx.children_values(int)

    async with ours.working(does(collect), does(queue="children")) as app:
        assert await app.queue("q").result(job_id) == {f"{ours.prefix}:children:1": 5}
        assert await counts_of(app, job_id) == ("1", "2")


async def test_a_child_that_fails_on_node_fails_our_waiting_parent_without_a_run(
    ours: Ours, node: NodePeer
) -> None:
    runs = Runs()

    async def wait(job: Job[Any], ctx: Context) -> None:
        await app.queue("children").add("child", parent=job)
        await ctx.wait_for_children()

    async def it_waits() -> bool:
        return await app.queue("q").state(job.id) is JobState.WAITING_CHILDREN

    async with ours.working(does(wait, runs=runs)) as app:
        job = await app.queue("q").add("n", attempts=3)
        await until(it_waits, message="the parent waits")
        await node.work("children", fails(message="bad child"))

        with pytest.raises(NodeError, match=r"child .*:children:1 failed"):
            await node.wait_result("q", job.id)

    assert runs.ids == [job.id]


async def test_a_child_that_fails_while_our_parent_runs_fails_it_when_it_waits(
    ours: Ours, node: NodePeer
) -> None:
    async def wait(job: Job[Any], ctx: Context) -> None:
        await app.queue("children").add("child", parent=job)
        await until(ctx.failed_children, message="the child failed")
        await ctx.wait_for_children()

    async with ours.working(does(wait)) as app:
        job = await app.queue("q").add("n", attempts=3)
        await node.work("children", fails(message="bad child"))

        with pytest.raises(NodeError, match=r"child .*:children:1 failed"):
            await node.wait_result("q", job.id)

        assert await counts_of(app, job.id) == ("1", "1")


async def test_node_heeds_the_rate_limit_that_our_run_set(ours: Ours, node: NodePeer) -> None:
    async def limit(_: Job[Any], ctx: Context) -> None:
        await ctx.rate_limit(SECOND)

    runs = Runs()
    async with ours.working(does(limit, runs=runs)) as app:
        job = await app.queue("q").add("n")
        await parked(app, job.id)
    worker = await node.work("q", returns("node"), limiter={"max": 100, "duration": 1000})

    assert await node.wait_result("q", job.id) == "node"
    [run] = await worker.order()
    assert run.at - runs.at[job.id] >= 990
    assert run.attemptsMade == 0


async def test_we_heed_the_rate_limit_that_nodes_run_set(ours: Ours, node: NodePeer) -> None:
    leave = {"kind": "rateLimit", "ms": 1000}
    limiter = {"max": 100, "duration": 1000}
    worker = await node.work("q", steps(one={"next": "two", "leave": leave}), limiter=limiter)
    job_id = await node.add("q", "n", {"step": "one", "done": []})
    await until(worker.order, message="it runs there")
    runs = Runs()

    async with ours.working(does(runs=runs, limiter=Limiter(100, SECOND))) as app:
        assert (await app.queue("q").result(job_id))["done"] == ["node:one"]

    first, *again = [run.at for run in await worker.order()]
    assert min([*again, *runs.at.values()]) - first >= 990
