"""What a job returned or failed with, waited for on the other side."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from framework import Context, Job, JobFailedError, ResultTimeoutError
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO, HANG, by_name, fails, sleeps
from tests.support.ours import Ours, does
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

VALUES = [
    {"nested": {"list": [1, None, "x"]}},
    "text",
    "",
    42,
    -1.5,
    9007199254740991,
    True,
    None,
    [],
    {},
    "Grüße, 世界 \U0001f600 \u2028 / \\ \" '",
    [0, [], {}, None],
]
SECONDS = timedelta(seconds=5)


async def fail(_: Job[Any], __: Context) -> None:
    raise ValueError('no "luck": Grüße')


async def test_node_gets_exactly_what_our_worker_returned(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does()):
        for value in VALUES:
            job_id = await node.add("q", "n", value)
            assert await node.wait_result("q", job_id) == value


async def test_we_get_exactly_what_nodes_worker_returned(ours: Ours, node: NodePeer) -> None:
    await node.work("q", ECHO)
    async with ours.producing() as app:
        queue = app.queue("q")

        for value in VALUES:
            job = await queue.add("n", value)
            result = await queue.result(job, timeout=SECONDS)
            assert result == value
            assert type(result) is type(value)


async def test_node_gets_the_text_of_our_workers_error(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does(fail)):
        job_id = await node.add("q", "n")

        with pytest.raises(NodeError) as caught:
            await node.wait_result("q", job_id)

    assert caught.value.message == 'no "luck": Grüße'


async def test_we_get_the_text_of_nodes_error_and_its_stack(ours: Ours, node: NodePeer) -> None:
    await node.work("q", fails(message='no "luck": Grüße'))
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n")

        with pytest.raises(JobFailedError) as caught:
            await queue.result(job, timeout=SECONDS)

    assert caught.value.reason == 'no "luck": Grüße'
    assert caught.value.stacktrace[-1].startswith('Error: no "luck": Grüße\n    at ')


async def test_node_gets_results_of_jobs_that_we_remove_at_once(ours: Ours, node: NodePeer) -> None:
    may_end = anyio.Event()

    async def wait(_: Job[Any], __: Context) -> str:
        await may_end.wait()
        return "waited for"

    async with ours.working(does(wait)), anyio.create_task_group() as tasks:
        job_id = await node.add("q", "n", removeOnComplete=True)

        async def let_it_end() -> None:
            await until(lambda: node.is_waited_for("q", job_id), message="Node waits")
            may_end.set()

        tasks.start_soon(let_it_end)
        assert await node.wait_result("q", job_id) == "waited for"

        assert await node.job("q", job_id) is None


async def test_we_get_results_of_jobs_that_node_removes_at_once(ours: Ours, node: NodePeer) -> None:
    await node.work("q", sleeps(100, "waited for"))
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n", remove_on_complete=True)

        assert await queue.result(job, timeout=SECONDS) == "waited for"

        assert await queue.job(job.id) is None


async def test_we_get_reasons_of_jobs_that_node_removes_at_once(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", HANG)
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n", remove_on_fail=True)

        async def let_it_fail() -> None:
            await anyio.sleep(0.1)
            await worker.release(job.id, error="enough")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(let_it_fail)
            with pytest.raises(JobFailedError, match="enough"):
                await queue.result(job, timeout=SECONDS)


async def test_many_wait_for_jobs_that_node_removes_at_once(ours: Ours, node: NodePeer) -> None:
    await node.work("q", sleeps(20, "done"), concurrency=50)
    results: list[object] = []
    async with ours.producing() as app:
        queue = app.queue("q")

        async def ask() -> None:
            for _ in range(20):
                job = await queue.add("n", remove_on_complete=True)
                results.append(await queue.result(job, timeout=SECONDS))

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(ask)

    assert results == ["done"] * 1000


async def test_we_get_the_result_of_a_job_that_was_removed_before_we_asked(
    ours: Ours, node: NodePeer
) -> None:
    await node.work("q", by_name(bad=fails(message="no luck")))
    async with ours.producing() as app:
        queue = app.queue("q")
        good = await queue.add("n", {"a": 1}, remove_on_complete=True)
        bad = await queue.add("bad", remove_on_fail=True)
        await until(lambda: _is_gone(node, bad.id))

        assert await queue.result(good, timeout=SECONDS) == {"a": 1}
        with pytest.raises(JobFailedError, match="no luck"):
            await queue.result(bad, timeout=SECONDS)


async def _is_gone(node: NodePeer, job_id: str) -> bool:
    return await node.job("q", job_id) is None


async def test_a_result_that_is_there_already_is_read_at_once(ours: Ours, node: NodePeer) -> None:
    await node.work("q", ECHO)
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n", 1)
        await node.wait_result("q", job.id)

        watch = Stopwatch()
        assert await queue.result(job.id, timeout=SECONDS) == 1
        assert watch.seconds < 0.5


async def test_waiting_ends_on_both_sides_while_the_job_goes_on(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", HANG)
    async with ours.producing() as app:
        queue = app.queue("q")
        job = await queue.add("n")

        with pytest.raises(ResultTimeoutError):
            await queue.result(job, timeout=timedelta(milliseconds=50))
        with pytest.raises(NodeError, match="timed out"):
            await node.wait_result("q", job.id, timeout=0.05)

        await worker.release(job.id, value="at last")
        assert await queue.result(job, timeout=SECONDS) == "at last"
