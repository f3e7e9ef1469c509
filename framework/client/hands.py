"""Taking and ending jobs by hand: each step is one call of the script that workers use."""

from typing import Any, NoReturn

import structlog

from framework.client.hold_words import by_hand
from framework.errors import JobCancelledError, ScheduleError, UnrecoverableError
from framework.model.job import JobId, Token
from framework.store import endings
from framework.store.reads import read_job
from framework.store.single_call import SingleCall
from framework.store.store import Store
from framework.store.transitions.ending import Ending, given_back
from framework.store.transitions.exchange import Exchanged, Fetched, Taker, exchange
from framework.store.transitions.running import extend_locks
from framework.store.transitions.schedulers import add_next_run, claim_run
from framework.wire.codes import CANCELLED, LOCK_MISSING, raise_for
from framework.wire.job_hash import ASKED, DEFERRED_FIELD, HELD_FIELD, StoredJob, text
from framework.wire.keys import QueueKeys
from framework.wire.payload import NULL, codec_of
from framework.wire.scheduler_plan import OVERLAP

log = structlog.get_logger("framework.client")

ANY = codec_of(Any)
NO_TOKEN = Token("")
SCHEDULER = b"rjk"
SKIPS = f'"{OVERLAP}":"skip"'.encode()

AnyJob = StoredJob[Any, Any]


class Hands:
    """What takes and ends jobs of one queue by hand.

    Args:
        store: Where the queue is.
        keys: The queue.
    """

    def __init__(self, store: Store, keys: QueueKeys) -> None:
        self.store = store
        self.keys = keys

    def stored(self, fetched: Fetched) -> AnyJob:
        """Return a job over what was fetched."""
        return StoredJob(self.keys, fetched.id, fetched.fields, (ANY, ANY))

    async def take(
        self, token: Token, lock_ms: int, *, ending: Ending | None = None
    ) -> AnyJob | None:
        """Take one job, after recording how another one ended.

        One whose failure is deferred, or that was cancelled, is failed, one that is to be held
        is held, a run of a schedule that must not overlap the one before is completed, and the
        next one is taken in its place.

        Raises:
            TransitionError: The ending was refused.
        """
        while True:
            fetched = await self._take_one(token, lock_ms, ending)
            if fetched is None:
                return None
            job = self.stored(fetched)
            if SCHEDULER in job.fields and not await self._continue_schedule(job):
                ending = endings.of_result(job, token, NULL)
            elif DEFERRED_FIELD in job.fields:
                reason = UnrecoverableError(text(job.fields, DEFERRED_FIELD))
                ending = endings.of_error(job, token, reason).ending
            elif job.fields.get(HELD_FIELD) == ASKED:
                ending = given_back(job.id, token)
            else:
                return job

    async def end(self, ending: Ending) -> int:
        """Record how a job ended; return the script's code, which is not negative.

        Raises:
            TransitionError: The ending was refused.
        """
        reply = await self._exchange(ending, Taker(NO_TOKEN, lock_ms=1), want=0)
        return await self._code(ending, reply)

    async def extend_lock(self, job_id: JobId, token: Token, lock_ms: int) -> None:
        """Renew a lock.

        Raises:
            LockLostError: It is gone, or another's.
        """
        lost = await extend_locks(self.store, self.keys, [(job_id, token)], lock_ms)
        if lost:
            with by_hand():
                raise_for(LOCK_MISSING, job_id=job_id, queue=self.keys.queue)

    async def _take_one(self, token: Token, lock_ms: int, ending: Ending | None) -> Fetched | None:
        reply = await self._exchange(ending, Taker(token, lock_ms), want=1)
        fetched = reply.jobs[0] if reply.jobs else None
        if ending is not None:
            if reply.codes[0] < 0 and fetched is not None:
                await self.end(given_back(fetched.id, fetched.token))
            await self._code(ending, reply)
        return fetched

    async def _exchange(self, ending: Ending | None, taker: Taker, *, want: int) -> Exchanged:
        return await exchange(
            SingleCall(self.store),
            self.keys,
            [] if ending is None else [ending],
            taker,
            want=want,
            next_token=None,
            now_ms=self.store.clock.now_ms(),
        )

    async def _code(self, ending: Ending, reply: Exchanged) -> int:
        code = reply.codes[0]
        if code == CANCELLED:
            await self._end_cancelled(ending, reply.cancelled[0])
        with by_hand():
            raise_for(code, job_id=ending.job_id, queue=self.keys.queue)
        return code

    async def _end_cancelled(self, ending: Ending, reason: bytes) -> NoReturn:
        """Fail a job that somebody cancelled while it was held."""
        fields = await read_job(self.store, self.keys, ending.job_id)
        job: AnyJob = StoredJob(self.keys, ending.job_id, fields, (ANY, ANY))
        error = JobCancelledError(
            job_id=job.id,
            queue=job.queue,
            code=CANCELLED,
            reason=reason.decode(errors="replace"),
        )
        await self.end(endings.of_error(job, ending.token, error).ending)
        raise error

    async def _continue_schedule(self, job: AnyJob) -> bool:
        """Put the schedule's next run in line, and tell whether this one may run.

        Without the next one, this one would be the last.
        """
        try:
            await add_next_run(self.store, self.keys, job.id, job.fields)
        except (ScheduleError, ValueError, TypeError) as error:
            log.error(  # noqa: TRY400 - the text says all; where it was found says nothing
                "schedule ends here, its next run cannot be told",
                scheduler=text(job.fields, SCHEDULER),
                queue=self.keys.queue,
                error=str(error),
            )
        if SKIPS not in job.fields.get(b"opts", b""):
            return True
        return await claim_run(self.store, self.keys, text(job.fields, SCHEDULER), job.id)
