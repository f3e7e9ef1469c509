"""What people do to families of jobs, and what mends them."""

from typing import NamedTuple

from framework.model.job import JobId
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.codes import raise_for
from framework.wire.keys import QueueKeys

REMOVE_CHILD_DEPENDENCY = load_script("remove_child_dependency")
REMOVE_UNPROCESSED = load_script("remove_unprocessed")
RELEASE_DEDUP_KEY = load_script("release_dedup_key")
AUDIT_FLOWS = load_script("audit_flows")
PAGE = 100


async def remove_child_dependency(store: Store, keys: QueueKeys, job_id: JobId) -> bool:
    """Part a child from its parent; return whether the parent waited for it.

    Wire: the parent's ``:dependencies``; fields ``parentKey`` and ``parent`` go; a parent that
    waited for it alone is released.

    Raises:
        JobNotFoundError: There is no such job.
        ParentNotFoundError: Its parent is gone.
    """
    code: int = await store.run(
        REMOVE_CHILD_DEPENDENCY, keys.pick(REMOVE_CHILD_DEPENDENCY.keys), [job_id], repeatable=False
    )
    raise_for(code, job_id=job_id, queue=keys.queue)
    return code == 0


async def remove_unprocessed(store: Store, keys: QueueKeys, job_id: JobId) -> int:
    """Delete the children that a job still waits for; return how many jobs went.

    Wire: event ``removed`` in the queue of each; the job is released if it waited for them
    alone.
    """
    total, has_more = 0, 1
    while has_more:
        removed, has_more = await store.run(
            REMOVE_UNPROCESSED, keys.pick(REMOVE_UNPROCESSED.keys), [job_id]
        )
        total += removed
    return total


async def release_dedup(store: Store, keys: QueueKeys, dedup_id: str, job_id: str) -> bool:
    """Set a deduplication id free if a job holds it; return whether it did.

    Wire: key ``Q:de:<id>``.
    """
    return bool(
        await store.run(
            RELEASE_DEDUP_KEY,
            keys.pick(RELEASE_DEDUP_KEY.keys),
            [dedup_id, job_id],
            repeatable=False,
        )
    )


class AuditPage(NamedTuple):
    """What one look found.

    Attributes:
        looked_at: How many parents; less than 100 at the end, -1 when it is not our turn.
        repaired: Those that go on.
        held: Those that a failed child holds which says nothing of its parent.
    """

    looked_at: int
    repaired: list[JobId]
    held: list[JobId]


async def audit_flows(
    store: Store, keys: QueueKeys, *, longest_ms: int, skip: int, turn_ms: int | None = None
) -> AuditPage:
    """Look at 100 parents that wait for children, and release those that wait for none.

    Wire: a child that has ended is told to its parent as its own end should have; key
    ``Q:meta:fw:audit``.

    Args:
        longest_ms: Leave alone what waits for a shorter time.
        skip: How many parents were left waiting by the pages before.
        turn_ms: Look only once in this time, whoever of the fleet asks first.
    """
    looked_at, repaired, held = await store.run(
        AUDIT_FLOWS,
        keys.pick(AUDIT_FLOWS.keys, turn=keys.audit),
        [store.clock.now_ms(), longest_ms, skip, "" if turn_ms is None else turn_ms],
    )
    return AuditPage(looked_at, *([JobId(one.decode()) for one in ids] for ids in (repaired, held)))
