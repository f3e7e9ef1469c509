"""Bring back jobs whose worker vanished."""

from framework.model.job import JobId
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

RECOVER_STALLED = load_script("recover_stalled")


async def recover_stalled(
    store: Store, keys: QueueKeys, *, now_ms: int, interval_ms: int
) -> list[JobId]:
    """Put jobs back in line that were active at the last check and have no lock now.

    One check an interval and queue: a second caller gets an empty list.

    Wire: active -> waiting, at the front; ``stc`` rises; events ``waiting`` and ``stalled``.
    """
    ids = await store.run(RECOVER_STALLED, keys.pick(RECOVER_STALLED.keys), [now_ms, interval_ms])
    return [JobId(job_id.decode()) for job_id in ids]
