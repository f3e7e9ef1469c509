"""Tasks that other processes add and work, of this framework or of BullMQ."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from framework import JobFailedError
from framework_web import TaskId, Tasks, TaskUpdate
from tests.support.apps import Open
from tests.support.command import command, write_package
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import fails, progresses
from tests.support.until import until

SOON = timedelta(seconds=15)
JOBS = """
    from framework import Context, Job
    from framework_web import TaskProgress, Tasks, task

    @task("twice")
    async def twice(job: Job[int], ctx: Context) -> int:
        await ctx.progress(TaskProgress(50, message="half way"))
        return 2 * job.data

    @task("chain")
    async def chain(job: Job[int], tasks: Tasks) -> str:
        return str(await tasks.add("twice", job.data))

    async def later(job: Job[int]) -> int:
        return -job.data

    @task("starts")
    async def starts(job: Job[str], tasks: Tasks) -> None:
        await tasks.register(job.data, later)
"""


class Heard:
    """A callback that notes what it is told."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, TaskUpdate]] = []

    def __call__(self, type: str, id: TaskId, update: TaskUpdate) -> None:
        self.all.append((type, id, update))

    def of(self, id: str) -> list[str]:
        return [update.event for _, about, update in self.all if about == id]


async def test_what_another_process_adds_and_works_is_heard_and_waited_for(
    open_app: Open, redis_url: str, prefix: str, tmp_path: Path
) -> None:
    write_package(tmp_path, "shop", jobs=JOBS)
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "FRAMEWORK_REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
    }
    heard = Heard()
    with command("run", "shop", cwd=tmp_path, environment=environment):
        async with open_app() as app:
            tasks = await app.get(Tasks)
            for type in ("twice", "chain", "starts", "later"):
                await tasks.register(type)
            await tasks.on_update(heard)

            added_there = await tasks.wait(await tasks.add("chain", 21), SOON)
            assert await tasks.wait(added_there, SOON, type="twice") == 42
            await until(lambda: "completed" in heard.of(added_there))

            # A worker that the other process starts while it runs.
            await tasks.wait(await tasks.add("starts", "later"), SOON)
            assert await tasks.wait(await tasks.add("later", 5), SOON) == -5

    told = ["added", "waiting", "active", "progress", "completed"]
    assert heard.of(added_there) == told


@pytest.mark.interop
@both_majors
async def test_a_job_that_node_adds_and_works_is_watched_the_same_way(
    open_app: Open, node: NodePeer
) -> None:
    heard = Heard()
    async with open_app() as app:
        tasks = await app.get(Tasks)
        await tasks.register("render", queue="renders")
        await tasks.on_update(heard)
        worker = await node.work(
            "renders", progresses(10, {"percentage": 50, "message": "half"}, value="done")
        )
        id = await node.add("renders", "any name", {"a": 1})

        assert await tasks.wait(id, SOON) == "done"
        await until(lambda: "completed" in heard.of(id))
        found = await tasks.get(id)
        await worker.close()

        assert heard.of(id) == ["added", "waiting", "active", "progress", "progress", "completed"]
        assert [str(one.progress) for _, _, one in heard.all][3:5] == [
            "10",
            "TaskProgress(percentage=50, current=None, total=None, message='half')",
        ]
        assert found is not None
        assert (found.data, found.result, found.state) == ({"a": 1}, "done", "completed")


@pytest.mark.interop
@both_majors
async def test_a_retry_on_node_is_told_and_its_dead_letter_can_be_retried(
    open_app: Open, node: NodePeer
) -> None:
    heard = Heard()
    async with open_app() as app:
        tasks = await app.get(Tasks)
        await tasks.register("render", queue="renders")
        await tasks.on_update(heard)
        worker = await node.work("renders", fails(message="broken"))
        id = await tasks.add("render", attempts=2, backoff=timedelta(seconds=0.1))

        with pytest.raises(JobFailedError, match="broken"):
            await tasks.wait(id, SOON)
        await until(lambda: "failed" in heard.of(id))
        await worker.close()
        (letter,) = await tasks.dead_letters("render")
        await tasks.retry(letter.id)

        told = [one for one in heard.of(id) if one != "waiting"]
        assert told[:5] == ["added", "active", "retrying", "active", "failed"]
        assert (letter.reason, letter.attempts_made) == ("broken", 2)
        again = await tasks.get(id)
        assert again is not None
        assert (again.state, again.attempts_made) == ("waiting", 0)
