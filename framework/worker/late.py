"""Jobs that came so late, after a blocked loop or a cut line, that others may have them by now."""

from collections.abc import Sequence

import structlog

from framework.errors import FrameworkError
from framework.model.job import JobId, Token
from framework.store.patience import Patience
from framework.store.store import Store
from framework.store.transitions.exchange import Fetched
from framework.store.transitions.running import extend_locks
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.worker")


async def still_ours(
    store: Store, keys: QueueKeys, jobs: Sequence[Fetched], lock_ms: int
) -> list[Fetched]:
    """Return those of some jobs whose locks are held yet, and hold these for as long again."""
    lost = await lost_among(store, keys, [(job.id, job.token) for job in jobs], lock_ms)
    for job_id in lost:
        log.warning("job lost before it began", job=job_id, queue=keys.queue)
    return [job for job in jobs if job.id not in lost]


async def lost_among(
    store: Store, keys: QueueKeys, pairs: Sequence[tuple[JobId, Token]], lock_ms: int
) -> set[JobId]:
    """Ask until Redis answers, as the call before did."""
    patience = Patience(None, store.outage)
    while True:
        try:
            return await extend_locks(store, keys, pairs, lock_ms)
        except FrameworkError as error:
            store.outage.begin(error)
            await patience.wait()
