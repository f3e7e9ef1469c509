"""Many clients that add jobs, one after the other each; in a process of their own."""

import json
import sys
import time
from collections.abc import Sequence

import anyio
from websockets.asyncio.client import connect


async def call(url: str, adds: int, seconds: list[float]) -> None:
    """Add jobs over one connection, each once the one before it is there."""
    async with connect(url, compression=None, ping_interval=None, open_timeout=60) as socket:
        for number in range(adds):
            began = time.perf_counter()
            await socket.send(f'{{"id":{number},"data":{{"fn":"add","args":["n",{{"n":1}}]}}}}')
            answer = str(await socket.recv())
            seconds.append(time.perf_counter() - began)
            if not answer.startswith(f'{{"id":{number},"data":{{"ok":'):
                raise RuntimeError(answer)


async def call_all(url: str, clients: int, adds: int) -> None:
    """Let all clients add, and print how many jobs a second and milliseconds that took."""
    seconds: list[float] = []
    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(clients):
            tasks.start_soon(call, url, adds, seconds)
    took = time.perf_counter() - began
    seconds.sort()
    places = {"p50": 0.5, "p99": 0.99}
    told = {name: seconds[int(len(seconds) * part)] * 1000 for name, part in places.items()}
    sys.stdout.write(json.dumps({"adds_s": len(seconds) / took, **told}))


def main(arguments: Sequence[str]) -> None:
    """Add: URL, number of clients, and of jobs for each."""
    url, clients, adds = arguments
    anyio.run(call_all, url, int(clients), int(adds), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main(sys.argv[1:])
