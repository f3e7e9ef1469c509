"""A parcel service that was written for PyPI's bullmq, and moved by changing one import."""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

from framework_bullmq import (
    DelayedError,
    FlowProducer,
    Job,
    Queue,
    QueueEvents,
    UnrecoverableError,
    WaitingChildrenError,
    Worker,
)

CONNECTION = os.environ.get("REDIS_URL", "redis://localhost:6379")
PREFIX = os.environ.get("PARCELS_PREFIX", "bull")
PLACE = {"connection": CONNECTION, "prefix": PREFIX}
NIGHT = {"pattern": "0 3 * * *", "tz": "UTC"}


async def post(parcels: Queue) -> list[Job]:
    """Put parcels in line: one by one, in bulk, urgent ones first, one for later."""
    retried = {"attempts": 3, "backoff": {"type": "fixed", "delay": 50}}
    posted = [
        await parcels.add("deliver", {"to": "Ada", "kilos": 2}, retried),
        await parcels.add("deliver", {"to": "Bo", "kilos": 30}, retried),
        await parcels.add("deliver", {"to": "nobody", "kilos": 1}, retried),
        await parcels.add("deliver", {"to": "Cy", "kilos": 1}, {"priority": 1}),
        await parcels.add("deliver", {"to": "Di", "kilos": 3}, {"delay": 100, "jobId": "di"}),
    ]
    posted += await parcels.addBulk(
        [
            {"name": "deliver", "data": {"to": "Eve", "kilos": 4}},
            {"name": "customs", "data": {"to": "Flo", "step": "declare"}},
            {"name": "tour", "data": {"to": ["Gil", "Hal"], "step": "load"}},
        ]
    )
    again = {"deduplication": {"id": "one letter", "ttl": 60_000}}
    letter = await parcels.add("deliver", {"to": "Ivy", "kilos": 0}, again)
    second = await parcels.add("deliver", {"to": "Ivy", "kilos": 0}, again)
    print("the second letter is the first:", letter.id == second.id)
    return [*posted, letter]


class Carrier:
    """Carries parcels; what a worker calls is `carry`."""

    def __init__(self, parcels: Queue) -> None:
        self.parcels = parcels

    async def carry(self, job: Job, token: str) -> Any:
        if job.name == "customs":
            return await self.clear(job, token)
        if job.name == "tour":
            return await self.tour(job, token)
        return await self.deliver(job)

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Tell how far it is; fail once where it is heavy, and for good where nobody lives."""
        for percent in (50, 100):
            await job.updateProgress(percent)
        if job.data["to"] == "nobody":
            raise UnrecoverableError("nobody lives there")
        if job.data["kilos"] > 20 and job.attemptsMade == 0:
            raise RuntimeError("too heavy, fetch a cart")
        await job.log(f"carried {job.data['kilos']} kg")
        return {"delivered": job.data["to"], "attempt": job.attemptsMade + 1}

    async def clear(self, job: Job, token: str) -> str:
        """Declare, wait for the office without keeping a slot, go on where it was."""
        if job.data["step"] == "declare":
            await job.updateData({**job.data, "step": "fetch"})
            await job.moveToDelayed(time.time_ns() // 1_000_000 + 200, token)
            raise DelayedError
        return f"cleared for {job.data['to']}"

    async def tour(self, job: Job, token: str) -> list[str]:
        """Add a parcel for each stop, and wait until all are delivered."""
        if job.data["step"] == "load":
            above = {"id": job.id, "queue": job.queueQualifiedName}
            for place, to in enumerate(job.data["to"]):
                stop = {"parent": above, "jobId": f"stop-{place}", "delay": 100}
                await self.parcels.add("deliver", {"to": to, "kilos": 1}, stop)
            await job.updateData({**job.data, "step": "drive"})
        if await job.moveToWaitingChildren(token, {}):
            raise WaitingChildrenError
        values = await job.getChildrenValues()
        return sorted(value["delivered"] for value in values.values())


async def send_truck(flows: FlowProducer) -> Job:
    """Add a tree whole: the truck leaves when all that it carries is packed."""
    tree = await flows.add(
        {
            "name": "leave",
            "queueName": "trucks",
            "data": {"plate": "RM 7"},
            "opts": {"jobId": "truck"},
            "children": [
                {
                    "name": "pack",
                    "queueName": "boxes",
                    "data": {"box": box},
                    "opts": {"jobId": f"box-{box}", "failParentOnFailure": True},
                }
                for box in ("red", "blue")
            ],
        }
    )
    assert tree is not None
    print("the truck carries", len(tree["children"]), "boxes")
    truck: Job = tree["job"]
    return truck


async def pack(job: Job, token: str) -> str:
    return f"{job.data['box']} packed"


async def leave(job: Job, token: str) -> list[str]:
    return sorted((await job.getChildrenValues()).values())


async def plan(parcels: Queue) -> None:
    """Let a round be made each night, and look at the plan."""
    run = await parcels.upsertJobScheduler(
        "nightly", NIGHT, "round", {"by": "van"}, {"attempts": 2}
    )
    found = await parcels.getJobScheduler("nightly")
    assert run is not None
    assert found is not None
    print("planned", found["name"], found["pattern"], found["tz"], found["template"]["data"])
    print("the next run is", await run.getState())


class Board:
    """Hears what happens in the queue, whoever does it."""

    def __init__(self, events: QueueEvents) -> None:
        self.lines: list[str] = []
        events.on("completed", self.completed)
        events.on("failed", self.failed)

    def completed(self, args: dict[str, Any], event_id: str) -> None:
        self.lines.append(f"{args['jobId']} completed with {args['returnvalue']}")

    def failed(self, args: dict[str, Any], event_id: str) -> None:
        self.lines.append(f"{args['jobId']} failed: {args['failedReason']}")


async def all_ended(jobs: Sequence[Job]) -> None:
    """Wait until jobs have completed or failed."""
    for job in jobs:
        while not (await job.isCompleted() or await job.isFailed()):
            await asyncio.sleep(0.02)


async def report(parcels: Queue, jobs: Sequence[Job]) -> None:
    """Say what became of each job, and how the queue stands."""
    for posted in jobs:
        job = await parcels.getJob(str(posted.id))
        assert job is not None
        logs = (await parcels.getJobLogs(str(job.id)))["logs"]
        print(job.id, job.name, await job.getState(), job.attemptsMade, job.progress, logs)
        print("   ", job.returnvalue, job.failedReason, len(job.stacktrace))
    counts = await parcels.getJobCounts("wait", "delayed", "completed", "failed")
    print(sorted(counts.items()))


async def main() -> None:
    parcels, trucks = Queue("parcels", PLACE), Queue("trucks", PLACE)
    flows = FlowProducer(CONNECTION, {"prefix": PREFIX})
    events = QueueEvents("parcels", {**PLACE, "lastEventId": "0"})
    board = Board(events)
    jobs = await post(parcels)
    truck = await send_truck(flows)
    await plan(parcels)
    workers = [
        Worker("parcels", Carrier(parcels).carry, {**PLACE, "concurrency": 3}),
        Worker("boxes", pack, PLACE),
        Worker("trucks", leave, PLACE),
    ]
    troubles: list[str] = []

    def note(job: Job, error: Exception) -> None:
        troubles.append(f"attempt {job.attemptsMade} of {job.id} failed: {error}")

    workers[0].on("failed", note)
    await all_ended(jobs)
    await all_ended([truck])
    for worker in workers:
        await worker.close()
    await report(parcels, jobs)
    left = await trucks.getJob("truck")
    assert left is not None
    print("the truck left with", left.returnvalue)
    while len(board.lines) < len(jobs) + 2:
        await asyncio.sleep(0.02)
    print("\n".join(sorted(board.lines)))
    print("\n".join(sorted(troubles)))
    for closing in (events, flows, trucks, parcels):
        await closing.close()


if __name__ == "__main__":
    asyncio.run(main())
