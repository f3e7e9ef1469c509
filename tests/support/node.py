"""BullMQ on Node as the other side of a test.

Option, state and field names are Node's own (``removeOnComplete``, ``attemptsMade``), and times are
milliseconds: what a test says here is what a BullMQ user would write there.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.node_process import (
    PROCESS,
    Major,
    NodeDiedError,
    NodeError,
    NodeEvent,
    NodeLateError,
    NodeProcess,
)

__all__ = [
    "Major",
    "NodeDiedError",
    "NodeError",
    "NodeEvent",
    "NodeLateError",
    "NodePeer",
    "NodeProcess",
    "NodeProcesses",
    "NodeRecording",
    "NodeWorker",
    "both_majors",
    "node",
    "node_major",
    "node_peer",
    "node_processes",
]

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class NodeRun:
    """One start of a processor; ``at`` is Node's clock in milliseconds."""

    jobId: str  # noqa: N815 - a field of the peer's line
    name: str
    attemptsMade: int  # noqa: N815 - the same
    attemptsStarted: int  # noqa: N815 - the same
    token: str
    at: int


class NodeWorker:
    """A BullMQ worker in the peer. What it told survives its process."""

    def __init__(self, peer: "NodePeer", source: str) -> None:
        self._peer = peer
        self._source = source

    async def runs(self) -> dict[str, int]:
        """Count the runs of each job, by id."""
        return dict(Counter(run.jobId for run in await self.order()))

    async def order(self) -> list[NodeRun]:
        """List the runs in the order they began."""
        return [NodeRun(**event.fields) for event in await self._all() if event.event == "run"]

    async def events(self, *names: str) -> list[NodeEvent]:
        """List what it emitted: completed, failed, stalled, error; or only `names`."""
        events = [event for event in await self._all() if event.event != "run"]
        return [event for event in events if not names or event.event in names]

    async def release(self, job_id: str, *, value: object = None, error: str | None = None) -> None:
        """Let a job that hangs (`HANG`) end: with `value`, or by throwing `error`."""
        outcome = {"value": value} if error is None else {"error": error}
        await self._peer.call("release", worker=self._source, jobId=job_id, **outcome)

    async def call(self, method: str, *args: object) -> Any:  # noqa: ANN401 - JSON
        """Call any method of BullMQ's Worker."""
        return await self._peer.call(
            "workerCall", worker=self._source, method=method, args=list(args)
        )

    async def close(self, *, force: bool = False) -> None:
        """Close it; without `force`, after its running jobs."""
        await self._peer.call("closeWorker", worker=self._source, force=force)

    async def _all(self) -> list[NodeEvent]:
        return await self._peer.told_by(self._source)


class NodeRecording:
    """What BullMQ's QueueEvents hears of one queue."""

    def __init__(self, peer: "NodePeer", source: str) -> None:
        self._peer = peer
        self._source = source

    async def events(self, *names: str) -> list[NodeEvent]:
        """List the events so far, an error of the listener included; or only `names`."""
        events = await self._peer.told_by(self._source)
        return [event for event in events if not names or event.event in names]

    async def names(self) -> list[str]:
        """List the events' names."""
        return [event.event for event in await self.events()]

    async def stop(self) -> None:
        """Stop listening; what was heard stays."""
        await self._peer.call("stopRecording", source=self._source)


class NodePeer:
    """BullMQ in a Node process, under one key prefix."""

    def __init__(self, process: NodeProcess, prefix: str) -> None:
        self.process = process
        self.prefix = prefix

    @property
    def major(self) -> Major:
        return self.process.major

    async def call(self, op: str, *, timeout: float = 30.0, **args: object) -> Any:  # noqa: ANN401 - JSON; as NodeProcess.call
        """Run one operation of `tests/interop/node/operations.js`."""
        return await self.process.call(op, prefix=self.prefix, timeout=timeout, **args)

    async def queue_call(self, queue: str, method: str, *args: object) -> Any:  # noqa: ANN401 - JSON
        """Call any method of BullMQ's Queue."""
        return await self.call("queueCall", queue=queue, method=method, args=list(args))

    async def job_call(self, queue: str, job_id: str, method: str, *args: object) -> Any:  # noqa: ANN401 - JSON
        """Fetch a job and call any of its methods."""
        return await self.call("jobCall", queue=queue, jobId=job_id, method=method, args=list(args))

    async def redis(self, *words: object) -> Any:  # noqa: ANN401 - JSON
        """Send a command of Redis' own."""
        return await self.call("redis", words=list(words))

    async def add(self, queue: str, name: str, data: object = None, **options: object) -> str:
        """Add a job; return its id."""
        added: str = await self.call("add", queue=queue, name=name, data=data, opts=options)
        return added

    async def add_bulk(self, queue: str, jobs: Sequence[Mapping[str, object]]) -> list[str]:
        """Add jobs, each ``{"name", "data", "opts"}``; return their ids."""
        added: list[str] = await self.call("addBulk", queue=queue, jobs=list(jobs))
        return added

    async def add_flow(self, flow: Mapping[str, object], **options: object) -> JsonObject:
        """Add a tree ``{"name", "queueName", "data", "opts", "children"}``; return its jobs."""
        tree: JsonObject = await self.call("addFlow", flow=flow, opts=options or None)
        return tree

    async def flow(self, queue: str, job_id: str, **options: object) -> JsonObject:
        """Read the tree below a job: ``{"job", "children"}``."""
        opts = {"prefix": self.prefix, "queueName": queue, "id": job_id, **options}
        tree: JsonObject = await self.call("getFlow", opts=opts)
        return tree

    async def job(self, queue: str, job_id: str) -> JsonObject | None:
        """Read a job as BullMQ's Job shows it."""
        found: JsonObject | None = await self.call("getJob", queue=queue, jobId=job_id)
        return found

    async def state(self, queue: str, job_id: str) -> str:
        """Name the state a job is in, ``unknown`` if it is in none."""
        state: str = await self.call("getState", queue=queue, jobId=job_id)
        return state

    async def counts(self, queue: str, *states: str) -> dict[str, int]:
        """Count the jobs in each state."""
        counts: dict[str, int] = await self.call("getJobCounts", queue=queue, states=list(states))
        return counts

    async def jobs(
        self, queue: str, *states: str, start: int = 0, end: int = -1, asc: bool = False
    ) -> list[JsonObject]:
        """List the jobs in `states`, newest first unless `asc`."""
        found: list[JsonObject] = await self.call(
            "getJobs", queue=queue, states=list(states), start=start, end=end, asc=asc
        )
        return found

    async def logs(self, queue: str, job_id: str) -> list[str]:
        """List a job's log rows, oldest first."""
        found: JsonObject = await self.call("getJobLogs", queue=queue, jobId=job_id)
        rows: list[str] = found["logs"]
        return rows

    async def workers(self, queue: str) -> list[JsonObject]:
        """List the workers that BullMQ sees on a queue, whoever runs them."""
        found: list[JsonObject] = await self.call("getWorkers", queue=queue)
        return found

    async def wait_result(self, queue: str, job_id: str, *, timeout: float = 15.0) -> Any:  # noqa: ANN401 - JSON; as call
        """Wait as `job.waitUntilFinished` does.

        Raises:
            NodeError: The job failed, or did not finish within `timeout` seconds.
        """
        ttl = round(timeout * 1000)
        return await self.call(
            "waitUntilFinished", queue=queue, jobId=job_id, ttl=ttl, timeout=timeout + 5
        )

    async def is_waited_for(self, queue: str, job_id: str) -> bool:
        """Tell whether a `wait_result` of a job is under way, whatever becomes of the job now."""
        return bool(await self.call("isWaitedFor", queue=queue, jobId=job_id))

    async def work(
        self,
        queue: str,
        behaviour: Mapping[str, object] | None = None,
        *,
        returning: object = None,
        **options: object,
    ) -> NodeWorker:
        """Start a worker.

        Args:
            behaviour: See `tests.support.node_work`; without one it returns `returning`.
            options: BullMQ's WorkerOptions.
        """
        does = behaviour or {"kind": "return", "value": returning}
        source = await self.call("work", queue=queue, behaviour=does, opts=options)
        return NodeWorker(self, source)

    async def record_events(self, queue: str, *, since: str | None = None) -> NodeRecording:
        """Record a queue's events from now on, or after the stream id `since`."""
        return NodeRecording(self, await self.call("record", queue=queue, since=since))

    async def troubles(self) -> list[NodeEvent]:
        """List what went wrong outside any call: lost connections, unhandled rejections."""
        return await self.told_by(PROCESS)

    async def told_by(self, source: str) -> list[NodeEvent]:
        """List all that `source` has told until now; of a dead process, until its end."""
        if self.process.is_alive:
            await self.call("ping")  # the answer comes after all that was told before it
        return self.process.said(source)

    async def reset(self) -> None:
        """Close all that was opened under this prefix; running jobs are left behind."""
        if self.process.is_alive:
            await self.call("reset")

    def kill(self) -> None:
        """`kill -9` the process."""
        self.process.kill()


@asynccontextmanager
async def node_peer(
    redis_url: str, *, prefix: str = "bull", major: Major = 6
) -> AsyncIterator[NodePeer]:
    """Start a Node process of its own, for tests that kill or freeze it."""
    process = NodeProcess(redis_url, major=major)
    try:
        peer = NodePeer(process, prefix)
        await peer.call("hello", timeout=30)
        yield peer
    finally:
        process.close()


class NodeProcesses:
    """The processes that tests share: one for each major version, started when first asked for."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._running: dict[Major, NodeProcess] = {}

    async def peer(self, major: Major, prefix: str) -> NodePeer:
        """Open a peer in the shared process; a process that died is replaced."""
        process = self._running.get(major)
        if process is None or not process.is_alive:
            process = self._running[major] = NodeProcess(self._redis_url, major=major)
        peer = NodePeer(process, prefix)
        await peer.call("hello", timeout=30)
        return peer

    def close(self) -> None:
        for process in self._running.values():
            process.close()


both_majors = pytest.mark.parametrize("node_major", [6, 5], ids=["bullmq6", "bullmq5"])
"""Runs a test against the newest BullMQ 6 and the newest 5."""


@pytest.fixture
def node_major() -> Major:
    return 6


@pytest.fixture(scope="session")
def node_processes(redis_url: str) -> Iterator[NodeProcesses]:
    processes = NodeProcesses(redis_url)
    yield processes
    processes.close()


@pytest.fixture
async def node(
    node_processes: NodeProcesses, node_major: Major, prefix: str
) -> AsyncIterator[NodePeer]:
    peer = await node_processes.peer(node_major, prefix)
    yield peer
    await peer.reset()
