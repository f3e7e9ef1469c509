"""How a process does, as values: what probes, commands and web apps are told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Phase = Literal["starting", "working", "stopping", "open"]


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """How a process does with one queue.

    Attributes:
        queue: Its name.
        concurrency: How many of its jobs may run here at once.
        running: How many run.
        waiting: How many wait in line; None: not looked at yet, or Redis did not answer.
        oldest_waiting: For how long the job has waited that seems to wait longest: since it was
            added, was due, or was last begun.
        last_fetch: How long ago this process last took jobs; None: never.
        hindrance: What keeps all workers from taking jobs: ``paused``, ``global concurrency``
            or ``rate limit``.
        is_stuck: Whether jobs wait, slots are free, and this process takes none.
        odd_keys: Which of its keys are of the wrong type, each in a clause: nobody can work it.
    """

    queue: str
    concurrency: int
    running: int
    waiting: int | None = None
    oldest_waiting: timedelta | None = None
    last_fetch: timedelta | None = None
    hindrance: str | None = None
    is_stuck: bool = False
    odd_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisHealth:
    """How a process does with Redis.

    Attributes:
        address: Where it is, without its password.
        error: Why it cannot be reached now; None: it can.
        last_outage: How long ago a call last failed; None: never.
        version: What the server calls itself; empty where it was not asked.
    """

    address: str
    error: str | None = None
    last_outage: timedelta | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How a process does.

    Attributes:
        phase: ``starting``, ``working``, ``stopping``; ``open``: it has no workers.
        uptime: For how long its application has been open.
        redis: How it does with Redis.
        queues: How it does with each queue that it works.
        versions: Of what it is made.
        checks: What plugins look at: the problem, or None where all is well.
    """

    phase: Phase
    uptime: timedelta
    redis: RedisHealth
    queues: tuple[QueueHealth, ...]
    versions: Mapping[str, str]
    checks: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it is not ready, each in a clause."""
        return tuple(self._problems())

    @property
    def is_ready(self) -> bool:
        """Whether it does its work, or would if there were some."""
        return not self.problems

    def _problems(self) -> Iterator[str]:
        if self.phase in {"starting", "stopping"}:
            yield f"it is {self.phase}"
        if self.redis.error is not None:
            yield self.redis.error
        for one in self.queues:
            for clause in one.odd_keys:
                yield f'queue "{one.queue}": {clause}'
            if one.is_stuck:
                yield f'queue "{one.queue}": jobs wait, slots are free, nothing is fetched'
        for name, problem in self.checks.items():
            if problem is not None:
                yield f"{name}: {problem}"


def as_json(health: Health) -> dict[str, object]:
    """Return a health as JSON has it: times are seconds."""
    return {
        "status": "ready" if health.is_ready else "not ready",
        "problems": list(health.problems),
        "phase": health.phase,
        "uptime_seconds": seconds(health.uptime),
        "redis": {
            "address": health.redis.address,
            "reachable": health.redis.error is None,
            "error": health.redis.error,
            "last_outage_seconds_ago": seconds(health.redis.last_outage),
            "version": health.redis.version,
        },
        "queues": {
            one.queue: {
                "concurrency": one.concurrency,
                "running": one.running,
                "waiting": one.waiting,
                "oldest_waiting_seconds": seconds(one.oldest_waiting),
                "last_fetch_seconds_ago": seconds(one.last_fetch),
                "hindrance": one.hindrance,
                "stuck": one.is_stuck,
                "odd_keys": list(one.odd_keys),
            }
            for one in health.queues
        },
        "checks": dict(health.checks),
        "versions": dict(health.versions),
    }


def seconds(span: timedelta | None) -> float | None:
    """Return a time in seconds, to the tenth."""
    return None if span is None else round(span.total_seconds(), 1)
