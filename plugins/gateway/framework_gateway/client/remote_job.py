"""A job as a gateway tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

EPOCH = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True, repr=False)
class RemoteJob:
    """One job, as it stood when the gateway told of it.

    Attributes:
        id: Unique within its queue.
        name: What kind of job it is.
        data: The payload.
        attempts: How many tries it gets in all.
        attempts_made: How many have ended.
        attempts_started: How many have begun.
        stalled_counter: How often its worker vanished.
        priority: 0 runs first.
        progress: What was last reported.
        result: What it returned, once completed.
        failed_reason: The last error's text.
        stacktrace: One text per failed attempt.
        timestamp: When it was created. Aware, UTC.
        processed_on: When the last attempt began.
        finished_on: When it completed, or failed for good.
        json: All that the gateway said, in BullMQ's words.
    """

    id: str
    name: str
    data: Any = None
    attempts: int = 1
    attempts_made: int = 0
    attempts_started: int = 0
    stalled_counter: int = 0
    priority: int = 0
    progress: Any = 0
    result: Any = None
    failed_reason: str | None = None
    stacktrace: tuple[str, ...] = ()
    timestamp: datetime = EPOCH
    processed_on: datetime | None = None
    finished_on: datetime | None = None
    json: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        """Name the job; its data may be secret."""
        return f"RemoteJob(id={self.id!r}, name={self.name!r})"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read one from its JSON object."""
        return cls(
            id=str(told.get("id", "")),
            name=str(told.get("name", "")),
            data=told.get("data"),
            attempts=max(1, (told.get("opts") or {}).get("attempts", 1)),
            attempts_made=told.get("attemptsMade", 0),
            attempts_started=told.get("attemptsStarted", 0),
            stalled_counter=told.get("stalledCounter", 0),
            priority=told.get("priority", 0),
            progress=told.get("progress", 0),
            result=told.get("returnvalue"),
            failed_reason=told.get("failedReason"),
            stacktrace=tuple(told.get("stacktrace") or ()),
            timestamp=instant_of(told.get("timestamp")) or EPOCH,
            processed_on=instant_of(told.get("processedOn")),
            finished_on=instant_of(told.get("finishedOn")),
            json=told,
        )


def instant_of(ms: int | None) -> datetime | None:
    """Return a moment that is told in milliseconds."""
    return None if ms is None else EPOCH + timedelta(milliseconds=ms)
