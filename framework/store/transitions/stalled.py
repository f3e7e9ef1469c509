"""Bring back jobs whose worker vanished."""

from framework.model.job import JobId
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

RECOVER_STALLED = load_script("recover_stalled")


async def recover_stalled(
    store: Store,
    keys: QueueKeys,
    *,
    now_ms: int,
    interval_ms: int,
    max_stalled: int | None = None,
) -> list[JobId]:
    """Put jobs back in line that were active at the last check and have no lock now.

    One check an interval and queue: a second caller gets an empty list.

    Wire: active -> waiting, at the front; ``stc`` rises; events ``waiting`` and ``stalled``; field
    ``defa`` of one that stalled too often, as in BullMQ.

    Args:
        max_stalled: How often a job may stall; one that did so more often fails once it would
            start. None: it never does.
    """
    most = -1 if max_stalled is None else max_stalled
    args = [now_ms, interval_ms, most]
    ids = await store.run(RECOVER_STALLED, keys.pick(RECOVER_STALLED.keys), args)
    return [JobId(job_id.decode()) for job_id in ids]
