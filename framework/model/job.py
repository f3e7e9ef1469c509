"""A job as data: what is known of it at one moment. It does no I/O."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NewType, Protocol

from typing_extensions import TypeVar

from framework.model.options import JobOptions

JobId = NewType("JobId", str)
Token = NewType("Token", str)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True, default=object)

EPOCH = datetime.fromtimestamp(0, tz=UTC)


class JobState(StrEnum):
    """Where a job stands. A live job is in exactly one of the first seven."""

    WAITING = "waiting"
    PRIORITIZED = "prioritized"
    DELAYED = "delayed"
    ACTIVE = "active"
    WAITING_CHILDREN = "waiting-children"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in {JobState.COMPLETED, JobState.FAILED}


class Effect(StrEnum):
    """What asking to cancel or hold a job has led to."""

    DONE = "done"
    """It is cancelled, or held, now."""
    ASKED = "asked"
    """It runs; the worker that runs it was told."""
    LATER = "later"
    """It runs where nobody can stop it, or must start first; it counts at its next start."""


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How many children a job has, by what became of them.

    Attributes:
        processed: They completed.
        unprocessed: They are pending.
        ignored: They failed, and the job goes on without them.
        failed: They failed, and the job fails with them.
    """

    processed: int
    unprocessed: int
    ignored: int
    failed: int


@dataclass(frozen=True, repr=False)
class Job(Generic[T_co, R_co]):
    """One unit of work, as it stood when it was read.

    A job that came out of Redis decodes each of these when it is first asked for;
    ``data`` then raises `PayloadError` if it does not fit its type.

    Attributes:
        id: Unique within its queue.
        queue: The queue's name.
        name: What kind of job it is, within its queue.
        data: The payload.
        options: What the producer asked for.
        timestamp: When it was created. Aware, UTC.
        delay: The delay still asked for; zero once promoted.
        priority: 0 runs first, then 1, 2 and so on.
        attempts_made: How many attempts have ended.
        attempts_started: How many have begun.
        stalled_counter: How often its worker vanished.
        progress: What the processor last reported: a number, text or JSON object.
        result: What the processor returned, once completed.
        failed_reason: The last error's text.
        stacktrace: One text per failed attempt, newest last.
        processed_on: When the last attempt began.
        finished_on: When it completed or failed for good.
        processed_by: The name of the worker that took it last.
        parent_key: The full key of its parent, or None.
        is_held: Whether `Queue.pause_job` holds it; its state is ``delayed`` then.
        scheduler_id: The schedule that it is a run of, or None.
        deferred_failure: Why it fails as soon as a worker takes it: a child failed, or somebody
            cancelled it; None.
    """

    id: JobId
    queue: str
    name: str
    data: T_co
    options: JobOptions = field(default_factory=JobOptions)
    timestamp: datetime = EPOCH
    delay: timedelta = timedelta(0)
    priority: int = 0
    attempts_made: int = 0
    attempts_started: int = 0
    stalled_counter: int = 0
    progress: object = 0
    result: R_co | None = None
    failed_reason: str | None = None
    stacktrace: tuple[str, ...] = ()
    processed_on: datetime | None = None
    finished_on: datetime | None = None
    processed_by: str | None = None
    parent_key: str | None = None
    is_held: bool = False
    scheduler_id: str | None = None
    deferred_failure: str | None = None

    if TYPE_CHECKING:

        def _fits(self, data: T_co, /) -> T_co:  # type: ignore[misc]  # what makes `JobOf` exact
            ...

    def __repr__(self) -> str:
        """Name the job; its data may be secret."""
        return f"Job(id={self.id!r}, queue={self.queue!r}, name={self.name!r})"

    @property
    def attempts(self) -> int:
        """How many tries it gets in all; at least one."""
        return max(1, self.options.get("attempts", 1))


@dataclass(frozen=True, slots=True)
class JobLook(Generic[T_co, R_co]):
    """A job, and what is known of it beside itself, all of the same moment.

    Attributes:
        job: The job.
        state: Where it stands.
        due: When it is due, if it is delayed and not held. Aware, UTC.
        event_id: The newest event of its queue then: `Queue.listen` after it misses nothing.
    """

    job: Job[T_co, R_co]
    state: JobState
    due: datetime | None
    event_id: str


class JobOf(Protocol[T, R_co]):
    """A job whose payload is of this very type, so that other data of that type may replace it.

    A `Job` is covariant: to take one for a job of anything would let anything be saved.
    """

    @property
    def id(self) -> JobId:
        """Unique within its queue."""
        ...

    @property
    def result(self) -> R_co | None:
        """What the processor returned, once completed."""
        ...

    def _fits(self, data: T, /) -> T: ...
