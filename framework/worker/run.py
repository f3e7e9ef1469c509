"""One run of one job, as its context sees it: what it may read and write, as bytes."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from math import inf
from typing import Any, NoReturn, TypeVar

import anyio
from anyio import from_thread
from anyio.abc import TaskGroup
from typing_extensions import TypeVarTuple, Unpack

from framework.model.job import ChildCounts, Token
from framework.model.outcome import Parked, Wish
from framework.store import families
from framework.store.reads import RawFields
from framework.store.store import Store
from framework.store.transitions.running import add_chunk, add_log, save_field, update_progress
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.payload import Codec
from framework.worker.slots import Slot, WhyCancelled

Report = Callable[[object], Awaitable[None]]
V = TypeVar("V")
Ts = TypeVarTuple("Ts")


class Timer:
    """What ends a run when its time is over.

    Args:
        seconds: How long it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + seconds)

    def begin(self) -> None:
        """Begin to count, again if need be."""
        self.scope.deadline = anyio.current_time() + self._seconds

    def wait(self) -> None:
        """Do not count until `begin`."""
        self.scope.deadline = inf


class Run(ABC):
    """What a context works with; the same where the job runs beside Redis and in a child.

    Attributes:
        job: What runs.
        data: Writes its payload.
        tasks: Where what outlives the run ends; None where nothing does.
        wish: How the run asked to leave, if it did.
        token: What holds the job.
    """

    job: StoredJob[Any, Any]
    token: Token
    data: Codec[Any]
    tasks: TaskGroup | None = None
    wish: Wish | None = None

    @abstractmethod
    def look(self) -> None:
        """Learn what is asked of the run, where another process knows; for plain handlers."""

    def leave(self, wish: Wish) -> NoReturn:
        """Leave the run, and remember that it wanted to.

        Raises:
            Parked: Always.
        """
        self.wish = wish
        raise Parked(wish)

    @property
    @abstractmethod
    def is_cancelled(self) -> bool:
        """Whether the job should end now."""

    @property
    @abstractmethod
    def why_cancelled(self) -> WhyCancelled | None:
        """Why the job should end now, where that is known."""

    @property
    @abstractmethod
    def is_pausing(self) -> bool:
        """Whether somebody asked to hold the job."""

    @abstractmethod
    async def progress(self, text: bytes, progress: object) -> None:
        """Store the progress, and tell the hooks."""

    @abstractmethod
    async def log(self, row: str) -> None:
        """Append a row to the job's log."""

    @abstractmethod
    async def stream(self, text: bytes) -> None:
        """Append a chunk to what the job streams, as its lock allows."""

    @abstractmethod
    async def save(self, field: str, text: bytes) -> None:
        """Write a field of the job's hash, as its lock allows."""

    @abstractmethod
    async def pending_and_failed(self) -> tuple[bool, str | None]:
        """Tell whether a child is pending, and which one failed."""

    @abstractmethod
    async def children_values(self) -> RawFields:
        """Return what completed children returned."""

    @abstractmethod
    async def ignored_children(self) -> RawFields:
        """Return why children failed that count no more."""

    @abstractmethod
    async def failed_children(self) -> list[str]:
        """Return the children with which the job fails."""

    @abstractmethod
    async def child_counts(self) -> ChildCounts:
        """Return how many children there are."""

    def wait_for(self, function: Callable[[Unpack[Ts]], Coroutine[Any, Any, V]], *args: *Ts) -> V:
        """Await in the loop what a plain handler asked for, in the handler's thread."""
        return from_thread.run(function, *args)


class HeldRun(Run):
    """The run of a job that this process holds.

    Args:
        store: Where the queue is.
        keys: The queue.
        job: What runs.
        token: Its lock's.
        data: Writes its payload.
        slot: Where it runs.
        report: Tells the hooks of progress.
        tasks: Where what outlives the run ends.
        timer: What ends it when its time is over.

    Attributes:
        on_save: Called once a field was written.
    """

    def __init__(
        self,
        store: Store,
        keys: QueueKeys,
        job: StoredJob[Any, Any],
        token: Token,
        data: Codec[Any],
        slot: Slot,
        report: Report,
        tasks: TaskGroup,
        timer: Timer | None = None,
    ) -> None:
        self.job = job
        self.data = data
        self.tasks = tasks
        self._store = store
        self._keys = keys
        self.token = token
        self._slot = slot
        # The slot goes on with another job and scope while a thread still looks at this one's.
        self._scope = slot.scope
        self._report = report
        self._timer = timer
        self.on_save: Callable[[], None] | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was cancelled or lost, the worker stops, or the time is over."""
        timer = self._timer
        return self._scope.cancel_called or (timer is not None and timer.scope.cancel_called)

    @property
    def why_cancelled(self) -> WhyCancelled | None:
        """Why it was cancelled, until its slot goes on with another job."""
        return self._slot.why if self._slot.scope is self._scope else None

    @property
    def is_pausing(self) -> bool:
        """Whether somebody asked to hold the job."""
        return self._slot.pausing == self.token

    def look(self) -> None:
        """Nothing is to be learnt: this process is told."""

    def begin(self) -> None:
        """Let the time begin anew: only now does the handler run."""
        if self._timer is not None:
            self._timer.begin()

    def prepare(self) -> None:
        """Stop the time until `begin`: what comes first is not the handler's."""
        if self._timer is not None:
            self._timer.wait()

    async def progress(self, text: bytes, progress: object) -> None:
        """Store the progress, and tell the hooks."""
        await update_progress(self._store, self._keys, self.job.id, text)
        await self._report(progress)

    async def log(self, row: str) -> None:
        """Append a row to the job's log."""
        keep = self.job.stored_options.keep_logs
        await add_log(self._store, self._keys, self.job.id, row, keep)

    async def stream(self, text: bytes) -> None:
        """Append a chunk to what the job streams, as its lock allows."""
        job = self.job
        attempt = job.attempts_made + 1
        await add_chunk(self._store, self._keys, job.id, self.token, attempt, text)

    async def save(self, field: str, text: bytes) -> None:
        """Write a field of the job's hash, as its lock allows."""
        await save_field(self._store, self._keys, self.job.id, self.token, field, text)
        if self.on_save is not None:
            self.on_save()

    async def pending_and_failed(self) -> tuple[bool, str | None]:
        """Tell whether a child is pending, and which one failed."""
        return await families.pending_and_failed(self._store, self._keys, self.job.id)

    async def children_values(self) -> RawFields:
        """Return what completed children returned."""
        return await families.children_values(self._store, self._keys, self.job.id)

    async def ignored_children(self) -> RawFields:
        """Return why children failed that count no more."""
        return await families.ignored_children(self._store, self._keys, self.job.id)

    async def failed_children(self) -> list[str]:
        """Return the children with which the job fails."""
        return await families.failed_children(self._store, self._keys, self.job.id)

    async def child_counts(self) -> ChildCounts:
        """Return how many children there are."""
        return await families.child_counts(self._store, self._keys, self.job.id)
