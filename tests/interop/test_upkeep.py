"""Each thing that is done to jobs and queues: done by Node and by us it leaves the same, and the
other side goes on with it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from framework import Context, Job, JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import entries_of, hash_of, list_of, scores_of
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO, by_name, fails
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

MINUTE = timedelta(minutes=1)
LISTS = ("wait", "paused", "active")
SETS = ("prioritized", "delayed", "completed", "failed", "waiting_children")
TIMES = {"timestamp", "processedOn", "finishedOn", "stacktrace"}
ENDS = by_name(ECHO, bad=fails(message="no luck"))


@dataclass(frozen=True)
class Act:
    """The same thing, done by each side."""

    theirs: Callable[[NodePeer, str], Awaitable[object]]
    ours: Callable[[Queue], Awaitable[object]]


ByNode = Callable[[NodePeer, str], Awaitable[object]]


def queue_call(method: str, *args: object) -> ByNode:
    return lambda node, queue: node.queue_call(queue, method, *args)


def job_call(
    job_id: str, method: str, *args: object
) -> Callable[[NodePeer, str], Awaitable[object]]:
    return lambda node, queue: node.job_call(queue, job_id, method, *args)


RESETS = {"resetAttemptsMade": True, "resetAttemptsStarted": True}
ACTS = {
    "retry a failed job": Act(job_call("bad", "retry", "failed"), lambda q: q.retry_job("bad")),
    "retry a completed job": Act(
        job_call("good", "retry", "completed"), lambda q: q.retry_job("good")
    ),
    "retry with new attempts": Act(
        job_call("bad", "retry", "failed", RESETS),
        lambda q: q.retry_job("bad", reset_attempts_made=True, reset_attempts_started=True),
    ),
    "retry a lifo job": Act(
        job_call("bad-lifo", "retry", "failed"), lambda q: q.retry_job("bad-lifo")
    ),
    "retry all failed": Act(queue_call("retryJobs", {"state": "failed"}), lambda q: q.retry_jobs()),
    "retry all completed": Act(
        queue_call("retryJobs", {"state": "completed"}), lambda q: q.retry_jobs("completed")
    ),
    "promote a job": Act(job_call("later", "promote"), lambda q: q.promote_job("later")),
    "promote a job with a priority": Act(
        job_call("later-ranked", "promote"), lambda q: q.promote_job("later-ranked")
    ),
    "promote all": Act(queue_call("promoteJobs"), lambda q: q.promote_jobs()),
    "another delay": Act(
        job_call("later", "changeDelay", 30_000),
        lambda q: q.change_delay("later", timedelta(seconds=30)),
    ),
    "a higher priority": Act(
        job_call("ranked", "changePriority", {"priority": 1}),
        lambda q: q.change_priority("ranked", 1),
    ),
    "a priority, before its like": Act(
        job_call("waits", "changePriority", {"priority": 5, "lifo": True}),
        lambda q: q.change_priority("waits", 5, lifo=True),
    ),
    "no priority": Act(
        job_call("ranked", "changePriority", {"priority": 0}),
        lambda q: q.change_priority("ranked", 0),
    ),
    "no priority, before all others": Act(
        job_call("ranked", "changePriority", {"priority": 0, "lifo": True}),
        lambda q: q.change_priority("ranked", 0, lifo=True),
    ),
    "a priority of a delayed job": Act(
        job_call("later", "changePriority", {"priority": 7}),
        lambda q: q.change_priority("later", 7),
    ),
    "other data": Act(
        job_call("waits", "updateData", {"new": [1, "é"]}),
        lambda q: q.update_data("waits", {"new": [1, "é"]}),
    ),
    "progress": Act(
        job_call("waits", "updateProgress", {"pct": 5}),
        lambda q: q.update_progress("waits", {"pct": 5}),
    ),
    "a log row": Act(queue_call("addJobLog", "waits", "row"), lambda q: q.add_log("waits", "row")),
    "clear a log": Act(job_call("logged", "clearLogs"), lambda q: q.clear_logs("logged")),
    "clear a log but for its end": Act(
        job_call("logged", "clearLogs", 2), lambda q: q.clear_logs("logged", keep=2)
    ),
    "remove a waiting job": Act(queue_call("remove", "waits"), lambda q: q.remove("waits")),
    "remove a failed job": Act(queue_call("remove", "bad"), lambda q: q.remove("bad")),
    "drain": Act(queue_call("drain"), lambda q: q.drain()),
    "drain, delayed too": Act(queue_call("drain", True), lambda q: q.drain(delayed=True)),
    "clean completed": Act(queue_call("clean", 0, 0), lambda q: q.clean()),
    "clean failed, one": Act(
        queue_call("clean", 0, 1, "failed"), lambda q: q.clean(limit=1, state="failed")
    ),
    "clean waiting": Act(
        queue_call("clean", 0, 0, "wait"), lambda q: q.clean(state=JobState.WAITING)
    ),
    "clean prioritized": Act(
        queue_call("clean", 0, 0, "prioritized"), lambda q: q.clean(state="prioritized")
    ),
    "clean delayed, none so old": Act(
        queue_call("clean", 60_000, 0, "delayed"), lambda q: q.clean(MINUTE, state="delayed")
    ),
    "clean delayed": Act(queue_call("clean", 0, 0, "delayed"), lambda q: q.clean(state="delayed")),
    "obliterate": Act(queue_call("obliterate"), lambda q: q.obliterate()),
    "trim the events": Act(queue_call("trimEvents", 0), lambda q: q.trim_events(0)),
    "limit the concurrency": Act(
        queue_call("setGlobalConcurrency", 4), lambda q: q.set_global_concurrency(4)
    ),
    "limit the rate": Act(
        queue_call("setGlobalRateLimit", 500, 1000),
        lambda q: q.set_global_rate_limit(500, timedelta(seconds=1)),
    ),
}


async def arrange(node: NodePeer, queue: str) -> None:
    """Let Node fill a queue with a job or two in each state."""
    worker = await node.work(queue, ENDS)
    await node.wait_result(queue, await node.add(queue, "good", {"a": 1}, jobId="good"))
    for job_id, options in (("bad", {}), ("bad-lifo", {"lifo": True})):
        await node.add(queue, "bad", jobId=job_id, **options)
        with pytest.raises(NodeError, match="no luck"):
            await node.wait_result(queue, job_id)
    await worker.close()
    await node.add(queue, "n", 1, jobId="waits")
    await node.add(queue, "n", 2, jobId="logged")
    await node.add(queue, "n", 3, jobId="ranked", priority=5)
    await node.add(queue, "n", 4, jobId="ranked-too", priority=5)
    await node.add(queue, "n", 5, jobId="later", delay=60_000)
    await node.add(queue, "n", 6, jobId="later-ranked", delay=50_000, priority=3)
    for row in ("one", "two", "three"):
        await node.queue_call(queue, "addJobLog", "logged", row)


async def snapshot(store: Store, keys: QueueKeys) -> dict[str, object]:
    """Read all that a queue holds, but for times and what is ours alone."""
    found = sorted(key.decode() for key in await store.command("KEYS", f"{keys.base}*"))
    names = [key.removeprefix(keys.base) for key in found if ":meta:fw:" not in key]
    seen: dict[str, object] = {"keys": names}
    for name in LISTS:
        seen[name] = await list_of(store, keys, name)
    for name in SETS:
        scores = await scores_of(store, keys, name)
        seen[name] = scores if name == "prioritized" else list(scores)
    for name in names:
        if await store.command("TYPE", keys.base + name) == b"hash" and name != "meta":
            fields = await hash_of(store, keys, name)
            seen[name] = {it: json_of(value) for it, value in fields.items() if it not in TIMES}
    logs = await store.command("LRANGE", keys.job("logged") + ":logs", 0, -1)
    meta = await store.command("HGETALL", keys["meta"])
    seen |= {
        "logs": logs,
        "meta": {name: value for name, value in meta.items() if not name.startswith(b"x-fw.")},
        "marker": list(await scores_of(store, keys, "marker")),
        "events": [
            {name: value for name, value in entry.items() if name != "delay"}
            for entry in await entries_of(store, keys)
        ],
    }
    return seen


def json_of(value: str) -> object:
    try:
        read: object = json.loads(value)
    except ValueError:
        return value
    return read


@pytest.mark.parametrize("name", ACTS)
async def test_what_either_side_does_leaves_the_same_and_the_other_goes_on(
    ours: Ours, node: NodePeer, store: Store, name: str
) -> None:
    act = ACTS[name]
    await arrange(node, "theirs")
    await arrange(node, "ours")
    async with ours.producing() as app:
        await act.theirs(node, "theirs")
        await act.ours(app.queue("ours"))

        by_node = await snapshot(store, QueueKeys(ours.prefix, "theirs"))
        by_us = await snapshot(store, QueueKeys(ours.prefix, "ours"))

        assert by_us == by_node
        for queue in (app.queue("theirs"), app.queue("ours")):
            await queue.resume()
            await queue.promote_jobs()
            await queue.add("n", job_id="last")
    await both_go_on(ours, node)


async def both_go_on(ours: Ours, node: NodePeer) -> None:
    """Let us work off the queue that Node acted on, and Node ours."""
    runs = Runs()
    async with ours.working(does(ends, runs=runs, queue="theirs")) as app:
        worker = await node.work("ours", ENDS)

        async def are_done() -> bool:
            counts = [await app.queue(queue).counts() for queue in ("theirs", "ours")]
            return not any(
                number for one in counts for state, number in one.items() if not state.is_final
            )

        await until(are_done, message="both queues are worked off")
    assert runs.ids == [run.jobId for run in await worker.order()]
    assert "last" in runs.ids


async def ends(job: Job[Any], _: Context) -> object:
    if job.name == "bad":
        raise ValueError("no luck")
    return job.data
