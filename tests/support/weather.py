"""What a storm does to workers and to their Redis, at random, and counted."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from framework.server import EmbeddedServer
from framework.store.store import Store


def workers_of(pid: int) -> list[int]:
    """The processes that a supervisor has now."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(found) for found in told.split()]


class Weather:
    """Strikes until cancelled.

    Args:
        diary: Tells which workers are at work.
        supervisor: Whose workers are killed, by its pid.
        server: Running already.
        store: Leads straight to the server.
        seed: Of all that is left to chance.

    Attributes:
        deaths: When each killed process was killed, by ``time.monotonic``, just before.
        done: How often each thing was done.
        outages: For how many seconds Redis was not there each time.
    """

    def __init__(
        self, diary: Path, supervisor: int, server: EmbeddedServer, store: Store, seed: int
    ) -> None:
        self._diary = diary
        self._supervisor = supervisor
        self._server = server
        self._store = store
        self._random = random.Random(seed)  # noqa: S311 - repeats what failed
        self.deaths: dict[int, float] = {}
        self.done: Counter[str] = Counter()
        self.outages: list[float] = []

    async def kill_a_worker(self) -> None:
        """Kill one worker process that has begun to work, if there is one now."""
        pages = {page.name for page in self._diary.iterdir() if page.stat().st_size}
        at_work = {pid for pid in workers_of(self._supervisor) if str(pid) in pages}
        if victims := sorted(at_work - set(self.deaths)):
            pid = self._random.choice(victims)
            self.deaths[pid] = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            self.done["workers killed with -9"] += 1

    async def kill_a_connection(self) -> None:
        """Let Redis close the connection of some client: a worker, the supervisor, a producer."""
        told: bytes = await self._store.command("CLIENT", "LIST")
        ids = [line.split()[0].removeprefix(b"id=") for line in told.splitlines()]
        await self._store.command("CLIENT", "KILL", "ID", self._random.choice(ids))
        self.done["CLIENT KILL"] += 1

    async def flush_scripts(self) -> None:
        """Let Redis forget all scripts."""
        await self._store.command("SCRIPT", "FLUSH")
        self.done["SCRIPT FLUSH"] += 1

    async def kill_redis(self, longest: float) -> None:
        """Kill Redis, and start it again a little later."""
        pid = (await run_sync(self._server.start)).pid
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await anyio.sleep(self._random.uniform(0.1, longest))
        await run_sync(self._server.start)
        self.outages.append(time.monotonic() - began)

    async def every(self, seconds: float, strike: Callable[[], Awaitable[None]]) -> None:
        """Strike again and again, a little sooner or later each time."""
        while True:
            await anyio.sleep(seconds * self._random.uniform(0.7, 1.3))
            await strike()
