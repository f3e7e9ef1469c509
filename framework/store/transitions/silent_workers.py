"""What is done for workers that are silent: their locks are renewed, or their jobs given back."""

from framework.model.job import JobId, Token
from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

EXTEND_LOCKS_OF = load_script("extend_locks_of")
GIVE_BACK_DEAD = load_script("give_back_dead")
# Longer than any call of the dead worker can still be under way.
FENCED_MS = 3_600_000
MOST_BACK = 500


async def extend_locks_of(
    store: Store, keys: QueueKeys, worker: str, lock_ms: int
) -> dict[JobId, Token]:
    """Renew the locks of all jobs that a worker runs, and return which they are.

    For one that lives and cannot say which they are: something holds its interpreter.

    Wire: key ``J:lock``; leaves the set ``stalled``.

    Args:
        worker: The uuid that its tokens begin with.
    """
    found = await store.run(EXTEND_LOCKS_OF, keys.pick(EXTEND_LOCKS_OF.keys), [worker, lock_ms])
    return {
        JobId(job_id.decode(errors="replace")): Token(token.decode()) for job_id, token in found
    }


async def give_back_dead(
    store: Store, keys: QueueKeys, worker: str, *, row: str = "", most: int = MOST_BACK
) -> list[JobId]:
    """Fence a worker that has died, and put the jobs back in line that it held.

    What it asked Redis for and Redis has not done yet takes no job from then on.

    Wire: key ``Q:meta:fw:fenced:<worker>``; active -> waiting or prioritized, before the
    others; field ``fw.crashes`` rises; event ``waiting``; a row in their logs.

    Args:
        worker: The uuid that its tokens begin with.
        row: For the logs of its jobs: how it died. "": none.
        most: How many jobs one call moves; there are as many calls as it takes.
    """
    script_keys = keys.pick(GIVE_BACK_DEAD.keys, fenced=keys.fenced(worker))
    back: list[JobId] = []
    while True:
        ids = await store.run(GIVE_BACK_DEAD, script_keys, [worker, FENCED_MS, most, row])
        back += (JobId(job_id.decode(errors="replace")) for job_id in ids)
        if len(ids) < most:
            return back
