"""What happens to jobs, as values: this worker's events, and the queue's stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal

from typing_extensions import TypeVar

from framework.model.job import Job, JobId

T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True, default=object)

WorkerEventName = Literal["active", "completed", "failed", "progress", "stalled", "drained"]
WORKER_EVENTS: tuple[WorkerEventName, ...] = (
    "active",
    "completed",
    "failed",
    "progress",
    "stalled",
    "drained",
)


@dataclass(frozen=True, slots=True)
class Active(Generic[T_co]):
    """This worker has taken ``job`` and is about to run it."""

    job: Job[T_co]


@dataclass(frozen=True, slots=True)
class Completed(Generic[T_co, R_co]):
    """This worker ran ``job``, and Redis has recorded its ``result``."""

    job: Job[T_co, R_co]
    result: R_co


@dataclass(frozen=True, slots=True)
class Failed(Generic[T_co]):
    """An attempt of ``job`` failed on this worker, and Redis has recorded it.

    Attributes:
        job: The job as it was when the attempt began.
        error: What was raised.
        reason: Its text, as stored in ``failedReason``.
        attempt: Which attempt it was, from 1.
        will_retry: Whether another attempt follows.
        retry_delay: How long until then; None if none follows.
    """

    job: Job[T_co]
    error: BaseException
    reason: str
    attempt: int
    will_retry: bool
    retry_delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Progressed(Generic[T_co]):
    """The running ``job`` reported ``progress``: a number, text or a JSON object."""

    job: Job[T_co]
    progress: object


@dataclass(frozen=True, slots=True)
class Stalled:
    """This worker found that the job's worker had vanished, and put it back in line."""

    job_id: JobId
    queue: str


@dataclass(frozen=True, slots=True)
class Drained:
    """This worker finished a job and saw nothing left to do in the queue."""

    queue: str


WorkerEvent = (
    Active[object]
    | Completed[object, object]
    | Failed[object]
    | Progressed[object]
    | Stalled
    | Drained
)


@dataclass(frozen=True, slots=True)
class Chunk(Generic[T_co]):
    """A part of what a job streams, see ``ctx.stream``.

    Attributes:
        index: Which one it is, from 0; it counts on from attempt to attempt.
        attempt: Which attempt wrote it, from 1.
        data: What was written.
        id: The id of its entry in the job's stream.
    """

    index: int
    attempt: int
    data: T_co
    id: str


@dataclass(frozen=True, slots=True)
class QueueEvent:
    """One entry of a queue's event stream: what any worker or producer did.

    Attributes:
        event: BullMQ's name of it: ``added``, ``waiting``, ``active``, ``completed`` …
        id: The stream id; events of one queue are ordered by it.
        queue: The queue's name.
        job_id: The job it is about; None for ``paused``, ``drained`` and the like.
        prev: The state that the job left, where the event tells.
        result: The JSON value that ``completed`` carries.
        reason: The ``failedReason`` that ``failed`` carries.
        progress: The JSON value that ``progress`` carries.
        due: When a ``delayed`` job is due. Aware, UTC.
        fields: Everything else in it, as text.
    """

    event: str
    id: str
    queue: str
    job_id: JobId | None = None
    prev: str | None = None
    result: object = None
    reason: str | None = None
    progress: object = None
    due: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
