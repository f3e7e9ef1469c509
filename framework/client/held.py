"""One job that is held with a token of one's own, and how to end it by hand."""

from datetime import datetime, timedelta
from typing import Any

from framework.client.hands import ANY, AnyJob, Hands
from framework.client.hold_words import by_hand, cause_of, checked_lock_ms, checked_token
from framework.errors import PayloadError, ResultError
from framework.model.job import Job, JobId, Token
from framework.model.outcome import DelayFor, DelayUntil, Fail, GiveBack, LimitRate, Retry, Wish
from framework.store import endings
from framework.store.transitions.ending import NOTHING_PENDING, given_back, parked_for_children
from framework.store.transitions.running import add_log, save_data, update_progress
from framework.wire.job_hash import StoredJob

HALF_A_MINUTE = timedelta(seconds=30)


class HeldJob:
    """A job that is held: nobody else runs it while its lock lasts.

    Get it from `Queue.next_job` or `Queue.held_job`. Renew its lock with `extend_lock` well
    before it ends: a job without a lock is given to somebody else at the second stalled
    check. Whatever ends the job also frees it: use the object no more.

    All of it may raise, besides what it says:
        JobNotFoundError: The job was removed meanwhile.
        LockLostError: The lock ended, or another's token holds it. Nothing was changed.
        WrongStateError: The job is not active.
        JobCancelledError: Somebody cancelled the job meanwhile; it has failed.
        RedisUnavailableError: No answer in time; it may have been done.

    Attributes:
        job: The job, as it was when it was taken, with what `save` wrote.
        token: What holds it.
    """

    def __init__(self, hands: Hands, job: AnyJob, token: Token) -> None:
        self._hands = hands
        self._job = job
        self.token = token

    def __repr__(self) -> str:
        return f"HeldJob({self._job!r}, token={self.token!r})"

    @property
    def job(self) -> Job[Any, Any]:
        """The job."""
        return self._job

    @property
    def id(self) -> JobId:
        """The job's id."""
        return self._job.id

    async def complete(
        self,
        result: object = None,
        *,
        fetch_next: str | None = None,
        lock_duration: timedelta = HALF_A_MINUTE,
    ) -> "HeldJob | None":
        """Complete the job; return the next one, if it is asked for and there is one.

        Wire: active -> completed; event ``completed``.

        Args:
            result: Anything JSON can hold.
            fetch_next: The token to take the next job with, in the same call.
            lock_duration: How long the next job's lock lasts.

        Raises:
            ResultError: JSON cannot hold the result.
            PendingChildrenError: Children of it are pending; it stays active.
            FailedChildrenError: A child failed that it may not outlive; it stays active.
            OptionsError: ``fetch_next`` is empty or ``"0"``; it stays active.
        """
        try:
            written = ANY.encode(result)
        except PayloadError as error:
            raise ResultError(f"the result cannot be written: {error}") from error
        ending = endings.of_result(self._job, self.token, written)
        if fetch_next is None:
            await self._hands.end(ending)
            return None
        token, lock_ms = checked_token(fetch_next), checked_lock_ms("lock_duration", lock_duration)
        job = await self._hands.take(token, lock_ms, ending=ending)
        return HeldJob(self._hands, job, token) if job is not None else None

    async def fail(
        self, error: BaseException | str, *, unrecoverable: bool = False
    ) -> timedelta | None:
        """Fail the attempt; return when the next one follows, None if none does.

        The job's ``attempts`` and ``backoff`` decide. A `Custom` backoff is not known
        here, so it fails the job for good: use `retry`.

        Wire: active -> failed, delayed, waiting or prioritized; ``atm`` rises by one.

        Args:
            error: What is stored as its reason, and, of an exception, its trace.
            unrecoverable: Fail the job whatever attempts are left.
        """
        cause = cause_of(error)
        if unrecoverable:
            failure = endings.of_outcome(self._job, self.token, Fail(cause))
        else:
            failure = endings.of_error(self._job, self.token, cause)
        await self._hands.end(failure.ending)
        return failure.outcome.delay if isinstance(failure.outcome, Retry) else None

    async def retry(self, error: BaseException | str, *, delay: timedelta = timedelta(0)) -> None:
        """Fail the attempt, and let another one follow whatever attempts are left.

        Wire: active -> delayed, or waiting/prioritized without a delay; ``atm`` rises by one.
        """
        cause = cause_of(error)
        wait = DelayFor(delay).delay
        failure = endings.of_outcome(self._job, self.token, Retry(cause, wait))
        await self._hands.end(failure.ending)

    async def delay_for(self, delay: timedelta) -> None:
        """Let it run again after a delay; no attempt is counted.

        Wire: active -> delayed; event ``delayed``.
        """
        await self._park(DelayFor(delay))

    async def delay_until(self, due: datetime) -> None:
        """Let it run again at ``due``, which is aware; no attempt is counted.

        Wire: active -> delayed; event ``delayed``.
        """
        await self._park(DelayUntil(due))

    async def rate_limit(self, duration: timedelta) -> None:
        """Let no job of the queue start for a while, then this one first.

        Wire: key ``limiter``; active -> waiting/prioritized, before the others.
        """
        await self._park(LimitRate(duration))

    async def wait_for_children(self) -> bool:
        """Let it run again once no child is pending; return whether any is now.

        If none is, nothing changes: it is still held.

        Wire: active -> waiting-children; event ``waiting-children``.

        Raises:
            FailedChildrenError: A child failed that it may not outlive.
        """
        ending = parked_for_children(self.id, self.token, stays=True)
        return await self._hands.end(ending) != NOTHING_PENDING

    async def move_to_wait(self) -> None:
        """Put it back in line, before the others; no attempt is counted.

        Wire: active -> waiting or prioritized; event ``waiting``.
        """
        await self._hands.end(given_back(self.id, self.token))

    async def stall(self, *, max_stalled: int = 1) -> None:
        """Put it back in line, before the others, as one whose worker vanished.

        Beyond ``max_stalled`` times the job fails, whatever attempts are left.

        Wire: active -> waiting or prioritized, event ``waiting``; or -> failed; field ``stc``.
        """
        await self._park(GiveBack(max_stalled))

    async def extend_lock(self, duration: timedelta) -> None:
        """Keep the job for another ``duration`` from now.

        Wire: key ``J:lock``; leaves the set ``stalled``.
        """
        lock_ms = checked_lock_ms("duration", duration)
        await self._hands.extend_lock(self.id, self.token, lock_ms)

    async def progress(self, progress: object) -> None:
        """Report how far the job is. Wire: field and event ``progress``."""
        hands = self._hands
        await update_progress(hands.store, hands.keys, self.id, ANY.encode(progress))

    async def log(self, row: object) -> None:
        """Append a row to the job's log. Wire: list ``J:logs``."""
        hands, keep = self._hands, endings.options_of(self._job).keep_logs
        written = str(row).encode(errors="replace").decode()
        await add_log(hands.store, hands.keys, self.id, written, keep)

    async def save(self, data: object) -> Job[Any, Any]:
        """Replace the job's data; return the job with it. Wire: field ``data``."""
        hands, written = self._hands, ANY.encode(data)
        with by_hand():
            await save_data(hands.store, hands.keys, self.id, self.token, written)
        fields = {**self._job.fields, b"data": written}
        self._job = StoredJob(self._job.keys, self.id, fields, self._job.codecs)
        return self._job

    async def _park(self, wish: Wish) -> None:
        now_ms = self._hands.store.clock.now_ms()
        await self._hands.end(endings.of_wish(self._job, self.token, wish, now_ms))
