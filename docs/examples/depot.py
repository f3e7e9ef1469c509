"""A program that knows nothing of Redis: it adds, works and watches jobs through a gateway."""

import json
import os
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect

GATEWAY = os.environ.get("GATEWAY", "ws://127.0.0.1:8080")
LOGIN = {"Authorization": f"Bearer {os.environ.get('TOKEN', 'secret')}"}
DONE = 3
LOST = 2


async def add(count: int) -> None:
    async with connect(f"{GATEWAY}/queue/parcels", additional_headers=LOGIN) as queue:
        for number in range(1, count + 1):
            args = ["pack", {"parcel": number}, {"attempts": 3}]
            await queue.send(json.dumps({"id": number, "data": {"fn": "add", "args": args}}))
            answer = json.loads(await queue.recv())
            print("added", answer["data"]["ok"]["id"])


async def work() -> None:
    path = "/queue/parcels/process/2?name=packer"
    async with connect(f"{GATEWAY}{path}", additional_headers=LOGIN) as worker:
        async for text in worker:
            message = json.loads(text)
            match message["data"]:
                case {"type": "process", "payload": payload}:
                    await pack(worker, message["id"], payload)
                case {"type": "notice" | "revoke", "payload": told}:
                    print(told["code"], told["message"])
                case _:
                    pass  # a newer gateway may say more


async def pack(worker: ClientConnection, delivery: int, payload: dict[str, Any]) -> None:
    async def say(**data: object) -> None:
        await worker.send(json.dumps({"id": delivery, "data": data}))

    await say(ack=True)
    if payload["parcel"] == LOST:
        await say(err={"message": "no such parcel", "unrecoverable": True})
        return
    await say(progress=50)
    await say(log=f"packed parcel {payload['parcel']}")
    await say(result={"weight": 7})


async def watch(ready: anyio.Event) -> None:
    path = "/queue/parcels/events?events=progress,completed,failed"
    async with connect(f"{GATEWAY}{path}", additional_headers=LOGIN) as events:
        ready.set()
        ended = 0
        while ended < DONE:
            data = json.loads(await events.recv())["data"]
            fields, entry_id = data["args"]  # come back with ?lastEventId=<entry_id>
            print(data["event"], fields["jobId"], entry_id != "")
            ended += data["event"] != "progress"


async def main() -> None:
    ready = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        async with anyio.create_task_group() as watching:
            watching.start_soon(watch, ready)
            await ready.wait()
            await add(DONE)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
