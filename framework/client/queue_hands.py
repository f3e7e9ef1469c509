"""Working a queue by hand, without a worker."""

from collections.abc import Mapping
from datetime import timedelta

from framework.client.hands import Hands
from framework.client.held import HALF_A_MINUTE, HeldJob
from framework.client.hold_words import by_hand, checked_lock_ms, checked_token
from framework.client.queue_base import ANY, QueueBase
from framework.model.job import JobId
from framework.store.reads import as_fields
from framework.store.transitions.running import extend_locks
from framework.wire.codes import LOCK_MISMATCH, LOCK_MISSING, NOT_FOUND, raise_for
from framework.wire.job_hash import StoredJob
from framework.wire.keys import may_be_job


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

    async def extend_locks(self, tokens: Mapping[str, str], duration: timedelta) -> set[JobId]:
        """Keep many jobs for another ``duration`` from now; return those that are lost.

        A lost one was removed, or its lock ended, or another's token holds it.

        Wire: as `HeldJob.extend_lock`, many in one call.

        Args:
            tokens: What holds each job, by the job's id.
            duration: How long.

        Raises:
            OptionsError: A token is empty or ``"0"``.
        """
        lock_ms = checked_lock_ms("duration", duration)
        held = [(JobId(job_id), checked_token(token)) for job_id, token in tokens.items()]
        known = [one for one in held if may_be_job(one[0])]
        lost = await extend_locks(self._store, self._keys, known, lock_ms)
        return lost | {job_id for job_id, _ in held if not may_be_job(job_id)}
