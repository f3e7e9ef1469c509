"""The supervisor's look at Redis: each of its worker processes would say the same."""

from collections.abc import Callable, Iterable

import anyio

from framework.app.worker_process import Holder, WorkerProcess
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.slots import slot_of
from framework.worker.server_care import LOOK_SECONDS, ServerCare

# Until a process has told of its queues.
SOON_SECONDS = 0.5


async def watch_servers(store: Store, processes: Callable[[], Iterable[WorkerProcess]]) -> None:
    """Look now and every minute until cancelled.

    Args:
        processes: Returns those that run now.
    """
    care = ServerCare(store, [])
    while True:
        care.near = keys_at(store, [one for process in processes() for one in process.holders])
        await care.look()
        await anyio.sleep(LOOK_SECONDS if care.near else SOON_SECONDS)


def keys_at(store: Store, holders: Iterable[Holder]) -> list[str | None]:
    """Return a key for each server to look at: in a cluster, one in each slot that is used."""
    if not store.is_cluster:
        return [None]
    bases = [QueueKeys(one.prefix, one.queue).base for one in holders]
    return list({slot_of(base): base for base in bases}.values())
