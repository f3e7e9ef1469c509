"""Many worker clients that are cut off at random, and what they did. A process of its own, too."""

import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException


@dataclass
class Crowd:
    """Worker clients of one queue.

    Args:
        url: Where they connect.
        clients: How many there are.
        life: For how many jobs a client lives, on average; 0: for all.
        seed: Of the lives.
    """

    url: str
    clients: int
    life: int = 0
    seed: int = 1
    answered: Counter[str] = field(default_factory=Counter[str])
    cuts: int = 0

    async def run(self, tasks: TaskGroup) -> None:
        """Let all work until cancelled."""
        for number in range(self.clients):
            tasks.start_soon(self._live, random.Random(f"{self.seed}:{number}"))  # noqa: S311 - the same lives each time

    async def _live(self, random_: random.Random) -> None:
        while True:
            left = random_.randrange(1, 2 * self.life) if self.life else sys.maxsize
            try:
                async with connect(
                    self.url, compression=None, max_queue=None, ping_interval=None, open_timeout=60
                ) as socket:
                    await self._work(socket, left)
                    socket.transport.abort()
                    self.cuts += 1
            except (WebSocketException, OSError):
                pass

    async def _work(self, socket: ClientConnection, left: int) -> None:
        async for message in socket:
            text = str(message)
            # Quicker than to read all of it: most of the time would be the client's.
            delivery = text[6 : text.index(",")]
            at = text.index('"id":"') + 6
            self.answered[text[at : text.index('"', at)]] += 1
            await socket.send(f'{{"id":{delivery},"data":{{"result":1}}}}')
            left -= 1
            if left <= 0:
                return


async def work(url: str, clients: int) -> None:
    """Let clients work until the standard input ends."""
    async with anyio.create_task_group() as tasks:
        await Crowd(url, clients).run(tasks)
        await anyio.to_thread.run_sync(sys.stdin.read)
        tasks.cancel_scope.cancel()


def main(arguments: Sequence[str]) -> None:
    """Work as a process of its own: URL and number of clients."""
    anyio.run(work, arguments[0], int(arguments[1]), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main(sys.argv[1:])
