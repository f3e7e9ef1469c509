"""Looking at a job's children; nothing here changes anything."""

from framework.model.job import ChildCounts, JobId
from framework.store.reads import RawFields, as_fields
from framework.store.store import Store
from framework.wire.keys import QueueKeys


async def child_counts(store: Store, keys: QueueKeys, job_id: JobId) -> ChildCounts:
    """Return how many children a job has, by what became of them."""
    job = keys.job(job_id)
    return ChildCounts(
        *await store.pipeline(
            [
                ("HLEN", f"{job}:processed"),
                ("SCARD", f"{job}:dependencies"),
                ("HLEN", f"{job}:failed"),
                ("ZCARD", f"{job}:unsuccessful"),
            ]
        )
    )


async def children_values(store: Store, keys: QueueKeys, job_id: JobId) -> RawFields:
    """Return what completed children returned, a JSON text each, by their full keys."""
    return as_fields(await store.command("HGETALL", f"{keys.job(job_id)}:processed"))


async def ignored_children(store: Store, keys: QueueKeys, job_id: JobId) -> RawFields:
    """Return why children failed without which the job goes on, by their full keys."""
    return as_fields(await store.command("HGETALL", f"{keys.job(job_id)}:failed"))


async def failed_children(store: Store, keys: QueueKeys, job_id: JobId) -> list[str]:
    """Return the full keys of the children with which the job fails, the first first."""
    found = await store.command("ZRANGE", f"{keys.job(job_id)}:unsuccessful", 0, -1)
    return [key.decode(errors="replace") for key in found]


async def pending_and_failed(
    store: Store, keys: QueueKeys, job_id: JobId
) -> tuple[bool, str | None]:
    """Tell whether any child is pending, and which one failed that the job may not outlive."""
    job = keys.job(job_id)
    pending, failed = await store.pipeline(
        [("SCARD", f"{job}:dependencies"), ("ZRANGE", f"{job}:unsuccessful", 0, 0)]
    )
    return pending > 0, failed[0].decode(errors="replace") if failed else None
