"""Reads the tree below a job, level by level."""

from typing import Any

import anyio

from framework.client.queue_base import ANY
from framework.model.family import FlowTree
from framework.model.job import Job, JobId
from framework.store import families
from framework.store.store import Store
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys, may_be_job, place_of

# How many jobs of a tree are read at once.
AT_ONCE = 8


async def read_flow(
    store: Store, keys: QueueKeys, job_id: JobId, depth: int, most: int
) -> FlowTree | None:
    """Return a job and those below it; None where there is none.

    Args:
        depth: How many levels.
        most: Children of each outcome that are looked at.
    """
    return await TreeReader(store, keys.prefix, most).read(keys, job_id, depth)


class TreeReader:
    """Reads one tree.

    Args:
        store: Where it is.
        prefix: The fleet's.
        most: Children of each outcome that are looked at.
    """

    def __init__(self, store: Store, prefix: str, most: int) -> None:
        self._store = store
        self._prefix = prefix
        self._most = most
        self._room = anyio.Semaphore(AT_ONCE)

    async def read(self, keys: QueueKeys, job_id: JobId, depth: int) -> FlowTree | None:
        """Return a job and the levels below it."""
        if not may_be_job(job_id):
            return None
        async with self._room:
            fields, children = await families.read_tree(
                self._store, keys, job_id, depth, self._most
            )
        if not fields:
            return None
        job: Job[Any, Any] = StoredJob(keys, job_id, fields, (ANY, ANY))
        found: dict[str, FlowTree | None] = dict.fromkeys(children)

        async def read_child(key: str) -> None:
            prefix, queue, child_id = place_of(key, self._prefix)
            if prefix and queue:
                child = QueueKeys(prefix, queue)
                found[key] = await self.read(child, JobId(child_id), depth - 1)

        async with anyio.create_task_group() as tasks:
            for key in found:
                tasks.start_soon(read_child, key)
        return FlowTree(job, tuple(tree for tree in found.values() if tree is not None))
