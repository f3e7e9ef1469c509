"""Working a queue by hand, without a worker."""

from datetime import timedelta

from framework.client.hands import Hands
from framework.client.held import HALF_A_MINUTE, HeldJob
from framework.client.hold_words import by_hand, checked_lock_ms, checked_token
from framework.client.queue_base import ANY, QueueBase
from framework.store.reads import as_fields
from framework.wire.codes import LOCK_MISMATCH, LOCK_MISSING, NOT_FOUND, raise_for
from framework.wire.job_hash import StoredJob


class QueueHands(QueueBase):
    """Taking jobs one by one, to be ended by hand."""

    async def next_job(
        self, token: str, *, lock_duration: timedelta = HALF_A_MINUTE
    ) -> HeldJob | None:
        """Take the next job, as a worker would; None if none may be taken now.

        Due delayed jobs are promoted first; a pause, the limits of the queue and a limit
        set by hand are heeded. A job whose failure is deferred is failed, and the one
        after it taken.

        Wire: waiting, prioritized -> active; key ``J:lock``; event ``active``.

        Args:
            token: What holds the job: unique for each, known to nobody else.
            lock_duration: How long it is held unless its lock is extended.

        Raises:
            OptionsError: The token is empty or ``"0"``.
            RedisUnavailableError: No answer in time; a job may be held by the token.
        """
        held_by = checked_token(token)
        hands = Hands(self._store, self._keys)
        job = await hands.take(held_by, checked_lock_ms("lock_duration", lock_duration))
        return HeldJob(hands, job, held_by) if job is not None else None

    async def held_job(self, job_id: str, token: str) -> HeldJob:
        """Return a job that a token holds, whichever process took it.

        Wire: reads the hash ``J`` and ``J:lock``.

        Raises:
            JobNotFoundError: There is no such job.
            LockLostError: The token does not hold it, or no more.
        """
        held_by, checked = checked_token(token), self._id(job_id)
        key = self._keys.job(checked)
        flat, lock = await self._store.pipeline([("HGETALL", key), ("GET", f"{key}:lock")])
        fields = as_fields(flat)
        code = 0
        if not fields:
            code = NOT_FOUND
        elif lock is None:
            code = LOCK_MISSING
        elif lock != held_by.encode():
            code = LOCK_MISMATCH
        with by_hand():
            raise_for(code, job_id=checked, queue=self.name)
        job: StoredJob[object, object] = StoredJob(self._keys, checked, fields, (ANY, ANY))
        return HeldJob(Hands(self._store, self._keys), job, held_by)
