"""One blocking read for all workers of a process: it hears what is asked of running jobs.

What is asked stands in the hash of each job; a call only says that it is time to look. One that
is lost costs time alone: each worker looks as often as its locks are renewed.
"""

from typing import Protocol

import anyio

from framework.errors import FrameworkError
from framework.store.markers import MarkerReader
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.worker.locks import RENEWALS
from framework.worker.pump import Pump

# A call may overtake the answer that brings its job: look once more.
AGAIN_SECONDS = 0.1
REFUSED_SECONDS = 5.0


class Called(Protocol):
    """What can be called: a worker."""

    keys: QueueKeys
    uuid: str
    pump: Pump

    async def heed_asks(self) -> None:
        """Read what is asked of its jobs, and do it."""


class Calls:
    """Hears the calls to the workers of one process.

    Args:
        store: Where the queues are.
        near: A key of one of them: in a cluster all must be in its slot.
    """

    def __init__(self, store: Store, near: str | None = None) -> None:
        self._store = store
        self._near = near
        self._workers: dict[str, Called] = {}
        self._seconds = 30.0

    def watch(self, worker: Called) -> None:
        """Hear calls to a worker too; before it runs."""
        self._workers[worker.keys.calls(worker.uuid)] = worker
        self._seconds = min(self._seconds, worker.pump.taker.lock_ms / 1000 / RENEWALS)

    async def run(self) -> None:
        """Hear calls until cancelled."""
        reader = MarkerReader(self._store, self._near)
        due = anyio.current_time() + self._seconds
        try:
            while True:
                try:
                    due = await self._turn(reader, due)
                except FrameworkError as error:
                    self._store.outage.begin(error)
                    await anyio.sleep(REFUSED_SECONDS)
        finally:
            with anyio.CancelScope(shield=True):
                await reader.aclose()

    async def _turn(self, reader: MarkerReader, due: float) -> float:
        """Wait for one call, or until it is time to look; return when the next look is due."""
        call = await reader.wait(list(self._workers), due - anyio.current_time())
        if call is not None:
            await self._workers[call.key].heed_asks()
            return min(due, anyio.current_time() + AGAIN_SECONDS)
        if anyio.current_time() >= due or reader.was_cut:
            for worker in self._workers.values():
                if worker.pump.held:
                    await worker.heed_asks()
            return anyio.current_time() + self._seconds
        return due
