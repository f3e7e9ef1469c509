"""What is known of a job's family at one moment: its children, the tree below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from framework.model.job import Job, JobId

ChildOutcome = Literal["processed", "unprocessed", "ignored", "failed"]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A job's children by what became of them, each by its full key: ``bull:pages:7``.

    Attributes:
        processed: What those returned that completed.
        unprocessed: Those that are pending.
        ignored: Why those failed without which the job goes on.
        failed: Those with which the job fails.
    """

    processed: Mapping[str, Any]
    unprocessed: tuple[str, ...]
    ignored: Mapping[str, str]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependencyPage:
    """Some of a job's children that had one outcome.

    Attributes:
        children: By their full keys what they returned, why they failed, or None.
        cursor: Where to go on; 0 at the end.
    """

    children: Mapping[str, Any]
    cursor: int


@dataclass(frozen=True, slots=True)
class FlowTree:
    """A job and those below it, as they stood when they were read.

    Attributes:
        job: The root.
        children: Its children, as far as they were asked for; those that are gone are left out.
    """

    job: Job[Any, Any]
    children: tuple[FlowTree, ...] = ()

    def __iter__(self) -> Iterator[Job[Any, Any]]:
        """Yield the job, then those below it."""
        yield self.job
        for child in self.children:
            yield from child


@dataclass(frozen=True, slots=True)
class FlowAudit:
    """What an audit of a queue's waiting parents found.

    Attributes:
        looked_at: How many parents.
        repaired: Those whose children had all ended or were gone; they go on.
        held: Those held by a failed child that says nothing of its parent: they wait until it is
            retried or removed.
    """

    looked_at: int
    repaired: tuple[JobId, ...]
    held: tuple[JobId, ...]
