"""The slots of a worker: long-lived tasks that run one job after the other.

A task group or a cancel scope for each job would cost more than the job itself; so a slot
keeps its scope until something cancelled it.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from framework.model.job import JobId, Token
from framework.store.transitions.asking import Ask
from framework.store.transitions.exchange import Fetched
from framework.wire.job_hash import ASKED, CANCEL_FIELD, DEFERRED_FIELD, HELD_FIELD
from framework.worker.parking import Parking
from framework.worker.pump import Pump

# Handlers that never await would keep the loop for themselves: look up now and then.
TURN_SECONDS = 0.005

WhyCancelled = Literal["stop", "lost", "removed", "expired", "cancelled"]
Execute = Callable[[Fetched, "Slot"], Awaitable[None]]


@dataclass(slots=True)
class Slot:
    """One place where a job can run.

    Attributes:
        job_id: What runs in it now.
        scope: Cancelling it cancels what runs in it now.
        why: Why it was cancelled.
        reason: What was said where somebody cancelled the job.
        pausing: The run that is asked to leave at its next checkpoint.
    """

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    job_id: JobId | None = None
    why: WhyCancelled | None = None
    reason: str = ""
    pausing: Token | None = None

    def cancel(self, why: WhyCancelled, reason: str = "") -> None:
        """Cancel what runs in it now."""
        if self.why is None:
            self.why, self.reason = why, reason
            self.scope.cancel()


@dataclass(slots=True)
class Slots:
    """All slots of one worker; they come into being as they are needed.

    Args:
        pump: Where jobs come from.
        concurrency: How many there may be.
        execute: Runs one job and hands its ending to the pump. It raises nothing but
            cancellation.
    """

    pump: Pump
    concurrency: int
    execute: Execute
    tasks: TaskGroup
    _slots: list[Slot] = field(default_factory=list[Slot])
    _parking: Parking = field(default_factory=Parking)
    _is_closed: bool = False
    # How many were woken and have not got up yet.
    _rising: int = 0

    @property
    def running(self) -> list[Slot]:
        """The slots that run a job now."""
        return [slot for slot in self._slots if slot.job_id is not None]

    def rouse(self) -> None:
        """Have two slots get up for jobs that came; each rouses two more while jobs are left."""
        self._rising = 0
        self._rouse_two()

    def _rouse_two(self) -> None:
        missing = min(2, len(self.pump.ready) - self._rising)
        if missing <= 0:
            return
        woken = self._parking.wake(missing)
        self._rising += woken
        while woken < missing and len(self._slots) < self.concurrency:
            slot = Slot()
            self._slots.append(slot)
            self.tasks.start_soon(self._run, slot)
            self._rising += 1
            woken += 1

    def _has_risen(self) -> None:
        self._rising = max(0, self._rising - 1)

    def cancel(self, job_id: JobId, why: WhyCancelled) -> bool:
        """Cancel one running job; return whether it was found."""
        for slot in self._slots:
            if slot.job_id == job_id:
                slot.cancel(why)
                return True
        return False

    def heed(self, asks: Mapping[JobId, Ask]) -> None:
        """Do what is asked of the jobs that are held here; of the others nothing is asked."""
        for slot in self.running:
            ask = asks.get(slot.job_id) if slot.job_id is not None else None
            slot.pausing = self.pump.held.get(ask.job_id) if ask and ask.is_pausing else None
            if ask is not None and ask.cancelled:
                slot.cancel("cancelled", ask.cancelled)
        for job in (*self.pump.ready, *self.pump.aside):
            ask = asks.get(job.id)
            if ask is not None and ask.cancelled:
                reason = ask.cancelled.encode()
                job.fields.update({CANCEL_FIELD: reason, DEFERRED_FIELD: reason})
            elif ask is not None and ask.is_pausing:
                job.fields[HELD_FIELD] = ASKED

    def cancel_all(self, why: WhyCancelled) -> int:
        """Cancel every running job, the last to be taken first; return how many there were.

        Those that are given back each go to the front: so they stand there as they were.
        """
        running = {slot.job_id: slot for slot in self.running if slot.job_id is not None}
        held = [(place_of(token), job_id) for job_id, token in self.pump.held.items()]
        for _, job_id in sorted(held, reverse=True):
            if job_id in running:
                running[job_id].cancel(why)
        return len(running)

    def close(self) -> None:
        """Let each slot end once it is idle."""
        self._is_closed = True
        self._parking.wake_all()

    async def _run(self, slot: Slot) -> None:
        self._has_risen()
        while not self._is_closed:
            with slot.scope:
                await self._serve(slot)
            slot.scope = anyio.CancelScope()
            slot.why = None

    async def _serve(self, slot: Slot) -> None:
        ready, execute = self.pump.ready, self.execute
        is_fresh = True
        turn_ends = time.monotonic() + TURN_SECONDS
        while slot.why is None:
            if not ready:
                if self._is_closed:
                    return
                await self._parking.wait()
                self._has_risen()
                is_fresh = True
                turn_ends = time.monotonic() + TURN_SECONDS
                continue
            job = ready.popleft()
            # Once up it rouses nobody while others are getting up: jobs that never wait are done
            # before those could begin.
            if ready and (is_fresh or not self._rising):
                self._rouse_two()
            is_fresh = False
            slot.job_id = job.id
            await execute(job, slot)
            slot.job_id = None
            if time.monotonic() > turn_ends:
                await checkpoint()
                turn_ends = time.monotonic() + TURN_SECONDS


def place_of(token: Token) -> int:
    """Return when a job was asked for among all of its worker: answers may overtake each other."""
    number = token.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
