"""Moving a job that runs here, or that was taken by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from framework import UnrecoverableError
from framework_bullmq.custom_errors import MovedError
from framework_bullmq.job_base import JobBase
from framework_bullmq.millis import instant_of, span_of
from framework_bullmq.record import raw_of
from framework_bullmq.spelling import read_options
from framework_bullmq.translated import in_bullmq_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from framework import Context, HeldJob

NOTHING_NEXT: list[Any] = [None, None, None, None]
WAIT = "wait for children"


class JobMoves(JobBase):
    """What a processor, or who took a job by hand, does with it in the end.

    Of a job that runs here the move is made once the processor has left: nobody else starts it
    before, and what is written after the call, ``updateData`` say, still counts.
    """

    _wish: datetime | str | None = None

    async def moveToDelayed(self, timestamp: int, token: str | None = None) -> None:
        """Let it leave, and run again at ``timestamp``; then raise `DelayedError`.

        Args:
            timestamp: Milliseconds since 1970.
            token: What holds it: the processor's second argument.
        """
        due = instant_of("timestamp", timestamp)
        if self._runs_by(token):
            self._wish = due
            return
        with in_bullmq_words("moveToDelayed"):
            await (await self._hold(token)).delay_until(due)

    async def moveToWaitingChildren(
        self, token: str | None = None, opts: Mapping[str, Any] | None = None
    ) -> bool:
        """Let it wait for its children, if any is pending; return whether it does.

        If it does, raise `WaitingChildrenError`: it runs again once none is.
        """
        read_options("moveToWaitingChildren", opts, frozenset(), REFUSED)
        with in_bullmq_words("moveToWaitingChildren"):
            if self._run is None or not self._runs_by(token):
                return await (await self._hold(token)).wait_for_children()
            counts = await self._run.dependencies_count()
        # With a failed one it fails where it would leave.
        self._wish = WAIT if counts.unprocessed or counts.failed else None
        return self._wish is not None

    async def moveToCompleted(
        self,
        return_value: Any,  # noqa: ANN401 - whatever JSON can hold
        token: str,
        fetchNext: bool = False,
    ) -> list[Any]:
        """Complete a job that was taken by hand.

        Returns:
            The next job's hash and id, and two zeros, for `Worker.nextJobFromJobData`; four times
            None if none was asked for or there is none.
        """
        with in_bullmq_words("moveToFinished"):
            held = await self._hold(token)
            taken = await held.complete(return_value, fetch_next=token if fetchNext else None)
        self.returnvalue = return_value
        return told(taken)

    async def moveToFailed(
        self, err: BaseException | str, token: str, fetchNext: bool = False
    ) -> list[Any]:
        """Fail an attempt of a job that was taken by hand; its ``attempts`` say what follows.

        Returns:
            As `moveToCompleted`.
        """
        with in_bullmq_words("moveToFinished"):
            held = await self._hold(token)
            await held.fail(err, unrecoverable=isinstance(err, UnrecoverableError))
        self.failedReason = str(err)
        engine = await self._engine()
        return told(await engine.next_job(token) if fetchNext else None)

    async def extendLock(self, token: str, duration: int) -> None:
        """Keep a job that was taken by hand for so many milliseconds from now."""
        with in_bullmq_words("extendLock"):
            await (await self._hold(token)).extend_lock(span_of("duration", duration))

    def _runs_by(self, token: str | None) -> bool:
        """Tell whether a token is that of the run here; without one, the run is meant."""
        return self._run is not None and token in {None, self._run.token}

    async def _hold(self, token: str | None) -> HeldJob:
        if token is None:
            raise MovedError(f"Missing lock for job {self.id}. Give the token that holds it")
        if self._held is not None and self._held.token == token:
            return self._held
        return await (await self._engine()).held_job(self.id, token)

    def run_is_over(self) -> None:
        """Be a job as any other from now on: what follows is no part of the run."""
        self._run = None

    @property
    def has_left(self) -> bool:
        """Whether the processor asked to leave."""
        return self._wish is not None

    async def leave(self, run: Context) -> NoReturn:
        """Leave the run as the processor asked.

        Raises:
            Parked: The job goes on later.
            FailedChildrenError: A child failed that it may not outlive.
        """
        if isinstance(self._wish, datetime):
            await run.delay_until(self._wish)
        await run.wait_for_children()
        # The last child has ended since: it goes on at once.
        await run.delay_for(timedelta(0))


def told(taken: HeldJob | None) -> list[Any]:
    """Return what BullMQ's script answers of the next job."""
    if taken is None:
        return list(NOTHING_NEXT)
    return [raw_of(taken.job), str(taken.id), 0, 0]


REFUSED = {"child": "a job waits for all of its children"}
