"""Who works on a queue: told and read by the names of connections."""

from collections.abc import Sequence
from datetime import timedelta

import anyio
import structlog
from redis import exceptions

from framework.model.worker_info import WorkerInfo
from framework.store.answers import is_passing, translate
from framework.store.connection import HeldConnection, pack
from framework.store.store import Store
from framework.wire.client_name import name_in, worker_name
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.store")

# Above so many queues the idle connections would cost more than they tell.
MOST_QUEUES = 50
# A server may close what says nothing for long, and a connection that was cut has no name.
TELL_SECONDS = 20.0
AGAIN_SECONDS = 1.0


async def show_workers(store: Store, workers: Sequence[tuple[QueueKeys, str]]) -> None:
    """Hold one idle connection named after each worker, until cancelled.

    Wire: ``CLIENT SETNAME <prefix>:<base64 of the queue's name>:w:<worker's name>``, which
    BullMQ's ``getWorkers`` looks for.
    """
    if len(workers) > MOST_QUEUES:
        return
    async with anyio.create_task_group() as tasks:
        for keys, name in workers:
            tasks.start_soon(show_worker, store, keys, name)


async def show_worker(
    store: Store,
    keys: QueueKeys,
    name: str,
    tried: anyio.Event | None = None,
) -> None:
    """Hold one connection; a refusal is told once, since jobs run without it too.

    Args:
        tried: Set once the worker is shown, or was not at the first try.
    """
    tried = tried or anyio.Event()
    held: HeldConnection = store.hold(keys["marker"])
    command = pack("CLIENT", "SETNAME", worker_name(keys, name))
    try:
        while True:
            seconds = TELL_SECONDS
            try:
                await held.call(command)
            except (exceptions.RedisError, OSError) as error:
                if not is_passing(error):
                    told = str(translate(error, store.address))
                    log.warning("worker not shown to dashboards", queue=keys.queue, error=told)
                    return
                seconds = AGAIN_SECONDS
            tried.set()
            await anyio.sleep(seconds)
    finally:
        tried.set()
        with anyio.CancelScope(shield=True):
            await store.release(held)


async def list_workers(store: Store, keys: QueueKeys) -> list[WorkerInfo]:
    """Return the workers that are connected; in a cluster, to the queue's node."""
    raw = await store.command("CLIENT", "LIST", near=keys.base)
    found: list[WorkerInfo] = []
    for line in raw.decode(errors="replace").splitlines():
        client = dict(part.partition("=")[::2] for part in line.split())
        name = name_in(keys, client.get("name", ""))
        if name is not None:
            age, idle = (timedelta(seconds=int(client.get(it, 0))) for it in ("age", "idle"))
            found.append(WorkerInfo(client.get("id", ""), name, client.get("addr", ""), age, idle))
    return found
