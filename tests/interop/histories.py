"""The same history, made by Node alone and with our side in it: what users do, step by step."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import anyio

from framework import (
    Application,
    Context,
    Deduplication,
    Fixed,
    Job,
    JobOptions,
    UnrecoverableError,
)
from tests.support.node import NodePeer, NodeWorker
from tests.support.node_work import ECHO, HANG, by_name, fails, progresses
from tests.support.ours import Ours, does
from tests.support.until import until

RETRY_MS = 30
LATER_MS = 60
WORK = by_name(
    ECHO,
    steps=progresses(50, {"pct": 100}, value={"ok": True}),
    once=fails(1, "once", value="twice"),
    bad=fails(message="boom"),
    hopeless=fails(message="never", unrecoverable=True),
    slow=HANG,
)


class Producing(Protocol):
    """What a history asks of the side that adds."""

    async def add(self, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        """Add a job, with Node's options."""
        ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def remove(self, job_id: str) -> None: ...


@dataclass(frozen=True)
class History:
    """One history at its work: who adds, who runs, and how to wait for an end.

    A job named ``slow`` runs until `let_end`.
    """

    side: Producing
    running: Callable[[], AbstractAsyncContextManager[None]]
    let_end: Callable[[str], Awaitable[None]]
    node: NodePeer
    queue: str

    async def settled(self, job_id: str) -> None:
        """Wait until a job has finished, and the queue's workers with it."""

        async def has() -> bool:
            return await self.node.state(self.queue, job_id) in {"completed", "failed"}

        await until(has, message=f"job {job_id} has finished")


class NodeSide:
    """Node as the side that adds."""

    def __init__(self, node: NodePeer, queue: str) -> None:
        self._node = node
        self._queue = queue

    async def add(self, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        return await self._node.add(self._queue, name, data, **options)

    async def pause(self) -> None:
        await self._node.call("pause", queue=self._queue)

    async def resume(self) -> None:
        await self._node.call("resume", queue=self._queue)

    async def remove(self, job_id: str) -> None:
        await self._node.call("remove", queue=self._queue, jobId=job_id)


class OurSide:
    """Our producer as the side that adds."""

    def __init__(self, app: Application, queue: str) -> None:
        self._queue = app.queue(queue)

    async def add(self, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        return (await self._queue.add(name, data, **in_our_words(options))).id

    async def pause(self) -> None:
        await self._queue.pause()

    async def resume(self) -> None:
        await self._queue.resume()

    async def remove(self, job_id: str) -> None:
        await self._queue.remove(job_id)


def in_our_words(options: dict[str, Any]) -> JobOptions:
    """Word Node's options as ours."""
    said = JobOptions(remove_on_complete=False, remove_on_fail=False)
    for name, value in options.items():
        match name:
            case "jobId":
                said["job_id"] = value
            case "delay":
                said["delay"] = timedelta(milliseconds=value)
            case "backoff":
                said["backoff"] = Fixed(timedelta(milliseconds=value))
            case "attempts" | "priority" | "lifo":
                said[name] = value
            case "deduplication":
                said["deduplication"] = deduplication(**value)
            case _:
                raise ValueError(name)
    return said


def deduplication(
    id: str,  # noqa: A002 - Node's word
    ttl: int | None = None,
    keepLastIfActive: bool = False,  # noqa: N803 - the same
    **modes: bool,
) -> Deduplication:
    """Word Node's deduplication as ours."""
    span = None if ttl is None else timedelta(milliseconds=ttl)
    return Deduplication(id, ttl=span, keep_last_if_active=keepLastIfActive, **modes)


async def our_work(job: Job[Any], ctx: Context) -> object:
    """Do what `WORK` does."""
    if job.name == "steps":
        await ctx.progress(50)
        await ctx.progress({"pct": 100})
        return {"ok": True}
    if job.name == "bad":
        raise ValueError("boom")
    if job.name == "hopeless":
        raise UnrecoverableError("never")
    if job.name == "once":
        if ctx.attempt == 1:
            raise ValueError("once")
        return "twice"
    return job.data


@asynccontextmanager
async def on_node(node: NodePeer, queue: str) -> AsyncIterator[History]:
    """Let Node add and run."""

    workers: list[NodeWorker] = []

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        worker = await node.work(queue, WORK, name="w")
        workers.append(worker)
        yield
        await worker.close()

    async def let_end(job_id: str) -> None:
        await workers[-1].release(job_id, value="slow")

    yield History(NodeSide(node, queue), running, let_end, node, queue)


@asynccontextmanager
async def on_us(ours: Ours, node: NodePeer, queue: str) -> AsyncIterator[History]:
    """Add and run ourselves."""

    gates: defaultdict[str, anyio.Event] = defaultdict(anyio.Event)

    async def work(job: Job[Any], ctx: Context) -> object:
        if job.name == "slow":
            await gates[job.id].wait()
            return job.name
        return await our_work(job, ctx)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with ours.working(does(work, queue=queue)):
            yield

    async def let_end(job_id: str) -> None:
        gates[job_id].set()

    async with ours.producing() as app:
        yield History(OurSide(app, queue), running, let_end, node, queue)


async def plain(it: History) -> None:
    async with it.running():
        await it.settled(await it.side.add("n", {"a": 1}))
        await it.settled(await it.side.add("steps"))
        await it.settled(await it.side.add("n", None))


async def failing(it: History) -> None:
    async with it.running():
        await it.settled(await it.side.add("bad"))
        await it.settled(await it.side.add("bad", attempts=3))
        await it.settled(await it.side.add("hopeless", attempts=3))


async def retried(it: History) -> None:
    async with it.running():
        await it.settled(await it.side.add("once", attempts=2))
        await it.settled(await it.side.add("once", attempts=2, backoff=RETRY_MS))


async def delayed(it: History) -> None:
    async with it.running():
        await it.settled(await it.side.add("n", delay=LATER_MS))
    await it.side.add("n", delay=60_000)
    async with it.running():
        await it.settled(await it.side.add("n"))


async def prioritized(it: History) -> None:
    await it.side.add("n", priority=5)
    await it.side.add("n", priority=1)
    last = await it.side.add("n", priority=5)
    await it.side.add("n")
    async with it.running():
        await it.settled(last)


async def stacked(it: History) -> None:
    last = await it.side.add("n")
    await it.side.add("n", lifo=True)
    await it.side.add("bad", lifo=True, attempts=2)
    async with it.running():
        await it.settled(last)


async def paused(it: History) -> None:
    await it.side.add("n")
    await it.side.pause()
    await it.side.add("n", priority=2)
    last = await it.side.add("n", priority=3)
    await it.side.resume()
    async with it.running():
        await it.settled(last)


async def named(it: History) -> None:
    await it.side.add("n", 1, jobId="mine")
    await it.side.add("n", 2, jobId="mine")
    async with it.running():
        await it.settled("mine")
    await it.side.add("n", 3, jobId="mine")


async def removed(it: History) -> None:
    await it.side.remove(await it.side.add("n"))
    await it.side.remove(await it.side.add("n", priority=1))
    await it.side.remove(await it.side.add("n", delay=60_000))
    done = await it.side.add("bad")
    async with it.running():
        await it.settled(done)
    await it.side.remove(done)


HISTORIES: dict[str, Callable[[History], Awaitable[None]]] = {
    "plain": plain,
    "failing": failing,
    "retried": retried,
    "delayed": delayed,
    "prioritized": prioritized,
    "stacked": stacked,
    "paused": paused,
    "named": named,
    "removed": removed,
}
