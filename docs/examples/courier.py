"""The depot with the gateway's client for Python: after a cut it comes back by itself."""

import os
from functools import partial

import anyio

from framework import UnrecoverableError
from framework_gateway import DeliveredJob, GatewayClient, RemoteEvents

GATEWAY = os.environ.get("GATEWAY", "ws://127.0.0.1:8080")
TOKEN = os.environ.get("TOKEN", "secret")
PARCELS = (1, 2, 3)
LOST = 2


async def pack(job: DeliveredJob) -> dict[str, int]:
    if job.data["parcel"] == LOST:
        raise UnrecoverableError("no such parcel")
    await job.progress(50)
    await job.log(f"packed parcel {job.data['parcel']}")
    return {"weight": 7}


async def add(gateway: GatewayClient) -> None:
    parcels = gateway.queue("parcels")
    for number in PARCELS:
        # With an id of its own it can be sent again after a cut, and is there once all the same.
        own_id = f"parcel-{number}"
        job = await parcels.add("pack", {"parcel": number}, job_id=own_id, idempotent=True)
        print("added", job.id)


async def watch(events: RemoteEvents) -> None:
    left = len(PARCELS)
    async for event in events:
        print(event.event, event.job_id)
        left -= event.event != "progress"
        if not left:
            return


async def main() -> None:
    # The client is left first: its worker takes no more jobs, and ends when those in hand have.
    async with anyio.create_task_group() as tasks, GatewayClient(GATEWAY, token=TOKEN) as gateway:
        tasks.start_soon(partial(gateway.work, "parcels", pack, concurrency=2, name="courier"))
        async with gateway.events("parcels", "progress", "completed", "failed") as events:
            await add(gateway)
            await watch(events)


if __name__ == "__main__":
    anyio.run(main)
