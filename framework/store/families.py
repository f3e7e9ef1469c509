"""Looking at a job's children; nothing here changes anything."""

from framework.model.family import ChildOutcome
from framework.model.job import ChildCounts, JobId
from framework.store.connection import Argument
from framework.store.reads import RawFields, as_fields
from framework.store.store import Store
from framework.wire.keys import QueueKeys

SCANS: dict[ChildOutcome, tuple[str, str]] = {
    "processed": ("HSCAN", "processed"),
    "unprocessed": ("SSCAN", "dependencies"),
    "failed": ("ZSCAN", "unsuccessful"),
    "ignored": ("HSCAN", "failed"),
}


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


async def dependencies(
    store: Store, keys: QueueKeys, job_id: JobId
) -> tuple[RawFields, list[bytes], RawFields, list[bytes]]:
    """Return all children: processed, unprocessed, ignored and failed."""
    job = keys.job(job_id)
    processed, unprocessed, ignored, failed = await store.pipeline(
        [
            ("HGETALL", f"{job}:processed"),
            ("SMEMBERS", f"{job}:dependencies"),
            ("HGETALL", f"{job}:failed"),
            ("ZRANGE", f"{job}:unsuccessful", 0, -1),
        ]
    )
    return as_fields(processed), list(unprocessed), as_fields(ignored), failed


async def scan_children(
    store: Store, keys: QueueKeys, job_id: JobId, outcome: ChildOutcome, cursor: int, count: int
) -> tuple[int, RawFields]:
    """Return about ``count`` children of one outcome, and where to go on; 0 at the end.

    A child may come twice if others end meanwhile. Its value is the JSON of its result or
    the text of its error; "" for those that have neither.
    """
    command, part = SCANS[outcome]
    after, found = await store.command(
        command, f"{keys.job(job_id)}:{part}", cursor, "COUNT", count
    )
    if command == "HSCAN":
        return int(after), as_fields(found)
    children = [one[0] for one in found] if command == "ZSCAN" else found
    return int(after), dict.fromkeys(children, b"")


async def read_tree(
    store: Store, keys: QueueKeys, job_id: JobId, depth: int, most: int
) -> tuple[RawFields, list[str]]:
    """Return a job's hash and at most ``most`` children of each outcome.

    Args:
        depth: With 1 no children are looked for.
    """
    job = keys.job(job_id)
    commands: list[tuple[Argument, ...]] = [("HGETALL", job)]
    if depth > 1:
        commands += [
            (command, f"{job}:{part}", 0, "COUNT", most) for command, part in SCANS.values()
        ]
    fields, *scans = await store.pipeline(commands)
    children: list[str] = []
    for _, found in scans:
        for one in list(found)[:most]:
            key = one[0] if isinstance(one, tuple) else one
            children.append(key.decode(errors="replace"))
    return as_fields(fields), children
