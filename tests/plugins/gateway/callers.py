"""Many clients that add jobs, one after the other each; in a process of their own."""

import json
import random
import sys
import time
from collections.abc import Sequence

import anyio
from websockets.asyncio.client import ClientConnection, connect

# Adds of each client that come before those that are measured.
WARMING = 20


class Callers:
    """Clients that add jobs.

    Args:
        url: Where they connect.
        clients: How many there are.
        adds: How many jobs each adds.
        rate: How many all of them add in a second; 0: as many as they can, one after the other.
    """

    def __init__(self, url: str, clients: int, adds: int, rate: float = 0) -> None:
        self.url = url
        self.clients = clients
        self.adds = adds
        self.pause = clients / rate if rate else 0.0
        self.seconds: list[float] = []
        self.began = 0.0
        self._missing = clients
        self._all_warm = anyio.Event()

    async def run(self) -> None:
        """Let all of them add."""
        async with anyio.create_task_group() as tasks:
            for _ in range(self.clients):
                tasks.start_soon(self._call)

    async def _call(self) -> None:
        async with connect(
            self.url, compression=None, ping_interval=None, open_timeout=60
        ) as socket:
            for number in range(WARMING):
                await self._add(socket, number)
            self._missing -= 1
            if not self._missing:
                self.began = time.perf_counter()
                self._all_warm.set()
            await self._all_warm.wait()
            for number in range(self.adds):
                await anyio.sleep(random.uniform(0, 2 * self.pause))  # noqa: S311 - spreads load
                began = time.perf_counter()
                await self._add(socket, number)
                self.seconds.append(time.perf_counter() - began)

    async def _add(self, socket: ClientConnection, number: int) -> None:
        await socket.send(f'{{"id":{number},"data":{{"fn":"add","args":["n",{{"n":1}}]}}}}')
        answer = str(await socket.recv())
        if not answer.startswith(f'{{"id":{number},"data":{{"ok":'):
            raise RuntimeError(answer)


async def call_all(url: str, clients: int, adds: int, rate: float) -> None:
    """Let all clients add, and print how many jobs a second and milliseconds that took."""
    callers = Callers(url, clients, adds, rate)
    await callers.run()
    took = time.perf_counter() - callers.began
    seconds = sorted(callers.seconds)
    places = {"p50": 0.5, "p99": 0.99}
    told = {name: seconds[int(len(seconds) * part)] * 1000 for name, part in places.items()}
    sys.stdout.write(json.dumps({"adds_s": len(seconds) / took, **told}))


def main(arguments: Sequence[str]) -> None:
    """Add: URL, number of clients, of jobs for each, and of jobs in a second."""
    url, clients, adds, rate = arguments
    options = {"use_uvloop": True}
    anyio.run(call_all, url, int(clients), int(adds), float(rate), backend_options=options)


if __name__ == "__main__":
    main(sys.argv[1:])
