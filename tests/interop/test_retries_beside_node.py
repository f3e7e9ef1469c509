"""Failed attempts: whoever asked for a retry, whoever carries it out."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from framework import Context, Exponential, Fixed, Job, UnrecoverableError
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import fails
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

MS = timedelta(milliseconds=1)
SLACK_MS = 250
HOUR_MS = 3_600_000
BACKOFFS = [
    pytest.param(None, [0, 0], id="none"),
    pytest.param({"type": "fixed", "delay": 120}, [120, 120], id="fixed"),
    pytest.param({"type": "exponential", "delay": 80}, [80, 160], id="exponential"),
]
OURS: dict[str, type[Fixed | Exponential]] = {"fixed": Fixed, "exponential": Exponential}


def assert_pauses(starts: list[int], expected: list[int], watch: Stopwatch) -> None:
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert len(pauses) == len(expected)
    for pause, wanted in zip(pauses, expected, strict=True):
        assert wanted - 2 <= pause, pauses
        assert watch.counted(pause - wanted) <= SLACK_MS, pauses


def fails_before(attempt: int, runs: list[int]) -> Any:  # noqa: ANN401 - a handler
    """Fail until the given attempt; note when each began."""

    async def run(job: Job[Any], ctx: Context) -> str:
        assert job.attempts_made == ctx.attempt - 1
        runs.append(ctx.attempt)
        if ctx.attempt < attempt:
            raise ValueError(f"attempt {ctx.attempt}")
        return "in the end"

    return run


@pytest.mark.parametrize(("backoff", "pauses"), BACKOFFS)
async def test_node_retries_our_job_as_we_asked(
    ours: Ours, node: NodePeer, backoff: dict[str, Any] | None, pauses: list[int]
) -> None:
    watch = Stopwatch()
    worker = await node.work("q", fails(2, "boom", value="third"))
    async with ours.producing() as app:
        queue = app.queue("q")
        if backoff is None:
            job = await queue.add("n", attempts=3)
        else:
            wait = OURS[backoff["type"]](backoff["delay"] * MS)
            job = await queue.add("n", attempts=3, backoff=wait)

        assert await queue.result(job, timeout=timedelta(seconds=5)) == "third"

    assert_pauses([run.at for run in await worker.order()], pauses, watch)
    read = await node.job("q", job.id)
    assert read is not None
    assert read["attemptsMade"] == 3


@pytest.mark.parametrize(("backoff", "pauses"), BACKOFFS)
async def test_we_retry_nodes_job_as_it_asked(
    ours: Ours, node: NodePeer, backoff: dict[str, Any] | None, pauses: list[int]
) -> None:
    attempts: list[int] = []
    starts: list[int] = []
    watch = Stopwatch()
    recording = await node.record_events("q")
    async with ours.working(does(fails_before(3, attempts))):
        options = {} if backoff is None else {"backoff": backoff}
        job_id = await node.add("q", "n", attempts=3, **options)

        assert await node.wait_result("q", job_id) == "in the end"

        async def heard() -> list[int]:
            told = await recording.events("active")
            return [int(event.id.split("-")[0]) for event in told] if len(told) == 3 else []

        starts = await until(heard, message="three starts are heard of")
    assert attempts == [1, 2, 3]
    assert_pauses(starts, pauses, watch)
    read = await node.job("q", job_id)
    assert read is not None
    assert (read["attemptsMade"], read["attemptsStarted"]) == (3, 3)
    assert read["failedReason"] == "attempt 2"
    assert len(read["stacktrace"]) == 2


async def test_node_spreads_our_retries_by_our_jitter(ours: Ours, node: NodePeer) -> None:
    watch = Stopwatch()
    worker = await node.work("q", fails(1, "boom"), concurrency=20)
    async with ours.producing() as app:
        wait = Fixed(200 * MS, jitter=1)
        jobs = await app.queue("q").add_bulk(
            ("n", n, {"attempts": 2, "backoff": wait}) for n in range(20)
        )

        async def all_twice() -> bool:
            return len(await worker.order()) == 2 * len(jobs)

        await until(all_twice, message="each job runs twice")

    starts: dict[str, list[int]] = {}
    for run in await worker.order():
        starts.setdefault(run.jobId, []).append(run.at)
    pauses = [second - first for first, second in starts.values()]
    assert watch.counted(max(pauses) - 200) <= SLACK_MS
    assert len(set(pauses)) > 5, pauses


async def test_we_spread_nodes_retries_by_its_jitter(ours: Ours, node: NodePeer) -> None:
    attempts: list[int] = []
    async with ours.working(does(fails_before(2, attempts), concurrency=20)) as app:
        options = {"attempts": 2, "backoff": {"type": "fixed", "delay": 200, "jitter": 1}}
        ids = await node.add_bulk("q", [{"name": "n", "opts": options}] * 20)

        await until(lambda: len(attempts) == 40, message="each job runs twice")

        delays = {int((await job_hash(app, job_id))["delay"]) for job_id in ids}
    assert delays <= {*range(201)}


async def test_a_backoff_that_is_a_plain_number_is_a_fixed_one(ours: Ours, node: NodePeer) -> None:
    attempts: list[int] = []
    async with ours.working(does(fails_before(2, attempts))) as app:
        job_id = await node.add("q", "n", attempts=2, backoff=60_000)

        await until(lambda: _delayed(node, job_id), message="the retry waits")

        assert (await job_hash(app, job_id))["delay"] == "60000"


async def _delayed(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "delayed"


async def test_the_last_attempt_fails_for_good_on_either_side(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    worker = await node.work("q", fails(message="theirs"))
    async with ours.producing() as app:
        queue = app.queue("q")
        first = await queue.add("n", attempts=2)
        await until(lambda: _failed(node, first.id))
    await worker.close()

    async with ours.working(does(fails_before(9, []))):
        second = await node.add("q", "n", attempts=2)
        with pytest.raises(NodeError, match="attempt 2"):
            await node.wait_result("q", second)

    async def told() -> bool:
        return len(await recording.events("retries-exhausted")) == 2

    await until(told)
    told_of = [event.fields for event in await recording.events("retries-exhausted")]
    assert told_of == [{"jobId": it, "attemptsMade": "2"} for it in (first.id, second)]


async def _failed(node: NodePeer, job_id: str) -> bool:
    return await node.state("q", job_id) == "failed"


async def test_what_is_hopeless_is_not_retried(ours: Ours, node: NodePeer) -> None:
    recording = await node.record_events("q")
    runs = Runs()

    async def give_up(_: Job[Any], __: Context) -> None:
        raise UnrecoverableError("never")

    async with ours.working(does(give_up, runs=runs)):
        job_id = await node.add("q", "n", attempts=5)
        with pytest.raises(NodeError, match="never"):
            await node.wait_result("q", job_id)

    assert runs.ids == [job_id]
    await until(lambda: recording.events("failed"))
    assert await recording.events("retries-exhausted") == []


async def test_our_lifo_job_is_retried_before_the_others(ours: Ours, node: NodePeer) -> None:
    first = await node.add("q", "n", lifo=True, attempts=2)
    runs = Runs()

    async def fail_once(job: Job[Any], ctx: Context) -> None:
        if job.id == first and ctx.attempt == 1:
            raise ValueError("once")

    other = await node.add("q", "n")

    async with ours.working(does(fail_once, runs=runs)):
        await until(lambda: len(runs.ids) == 3)

    assert runs.ids == [first, first, other]


async def test_a_prioritized_job_is_retried_by_its_priority(ours: Ours, node: NodePeer) -> None:
    first = await node.add("q", "n", priority=1, attempts=2)
    runs = Runs()

    async def fail_once(job: Job[Any], ctx: Context) -> None:
        if job.id == first and ctx.attempt == 1:
            raise ValueError("once")

    same, later = await node.add("q", "n", priority=1), await node.add("q", "n", priority=2)

    async with ours.working(does(fail_once, runs=runs)):
        await until(lambda: len(runs.ids) == 4)

    assert runs.ids == [first, same, first, later]


@pytest.mark.parametrize("limit", [0, 1, 2])
async def test_we_keep_as_many_stack_traces_as_node_asked(
    ours: Ours, node: NodePeer, limit: int
) -> None:
    async with ours.working(does(fails_before(9, []))) as app:
        job_id = await node.add("q", "n", attempts=3, stackTraceLimit=limit)
        await until(lambda: _failed(node, job_id))
        traces = json.loads((await job_hash(app, job_id))["stacktrace"])

    assert [f"attempt {n}" in trace for n, trace in zip((3, 2), traces[::-1], strict=False)] == (
        [True] * limit
    )
    assert len(traces) == limit


async def test_a_handler_tries_what_node_tried_before(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", fails(1, "theirs"))
    job_id = await node.add("q", "n", attempts=3, backoff={"type": "fixed", "delay": HOUR_MS})
    await until(lambda: _delayed(node, job_id))
    await worker.close()

    async def try_again() -> None:
        await until(lambda: _delayed(node, job_id), message="the next try waits")
        await node.call("promote", queue="q", jobId=job_id)

    await try_again()
    attempts: list[int] = []

    async with ours.working(does(fails_before(3, attempts))):
        await until(lambda: attempts == [2], message="our first try")
        await try_again()
        assert await node.wait_result("q", job_id) == "in the end"

    assert attempts == [2, 3]
    read = await node.job("q", job_id)
    assert read is not None
    assert len(read["stacktrace"]) == 2
    assert read["attemptsMade"] == 3
