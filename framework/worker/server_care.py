"""Look now and every minute whether jobs are safe on the server; say what is wrong, and the fix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio
import structlog

from framework.errors import FrameworkError, RedisRefusedError
from framework.store.server_facts import ServerFacts, read_server_facts, read_skew_ms
from framework.store.store import Store

log = structlog.get_logger("framework.redis")

LOOK_SECONDS = 60.0
# What goes on is said again after so long.
AGAIN_SECONDS = 3600.0
SAFE_POLICY = "noeviction"
NEARLY_FULL = 0.9
MOST_SKEW_MS = 1000
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a server that its owner should know.

    Attributes:
        text: What is wrong.
        fix: What to do.
        level: How bad it is.
        facts: What was seen.
    """

    text: str
    fix: str
    level: Literal["error", "warning", "info"] = "warning"
    facts: tuple[tuple[str, object], ...] = ()


def findings_of(seen: ServerFacts) -> Iterator[Finding]:
    """Judge what a server said."""
    if seen.policy not in {"", SAFE_POLICY}:
        yield Finding(
            "redis may evict keys when its memory is full: jobs can vanish or break",
            "CONFIG SET maxmemory-policy noeviction, and in its configuration file too",
            "error",
            (("maxmemory_policy", seen.policy),),
        )
    if seen.max_bytes and seen.used_bytes >= NEARLY_FULL * seen.max_bytes:
        yield Finding(
            "redis is nearly out of memory: soon nothing can be added",
            "raise maxmemory, or keep fewer finished jobs (KeepJobs)",
            facts=(
                ("used_mib", seen.used_bytes // MIB),
                ("max_mib", seen.max_bytes // MIB),
                ("percent", round(100 * seen.used_bytes / seen.max_bytes)),
            ),
        )
    if seen.is_replica:
        yield Finding(
            "redis is a replica: it refuses writes, or loses them",
            "name its master in REDIS_URL, or its Sentinels: redis+sentinel://",
            "error",
        )
    elif not seen.has_aof:
        yield Finding(
            "redis keeps no append-only file: if it dies, jobs since its last snapshot are lost",
            "appendonly yes",
            "info",
        )


def skew_finding(ahead_ms: int) -> Finding | None:
    """Judge how far this machine's clock is ahead of a server's."""
    if abs(ahead_ms) < MOST_SKEW_MS:
        return None
    return Finding(
        "this machine's clock differs from redis': delays and schedules come at the wrong time",
        "keep all clocks right with NTP",
        facts=(("ahead_seconds", round(ahead_ms / 1000, 1)),),
    )


@dataclass(slots=True)
class ServerCare:
    """Looks after the servers of one application.

    Args:
        store: Where they are.
        near: In a cluster, keys: the nodes that serve them are asked.

    Attributes:
        version: What the server last called itself.
    """

    store: Store
    near: Sequence[str]
    version: str = ""
    _told: dict[str, float] = field(default_factory=dict[str, float])

    async def run(self) -> None:
        """Look every minute until cancelled; the first look is `look`."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once at all of them; what cannot be seen now is seen another time."""
        for key in self.near:
            try:
                seen = await read_server_facts(self.store, key)
                ahead_ms = await read_skew_ms(self.store, key)
            except RedisRefusedError as error:
                text = "redis lets nobody check how safe jobs are on it"
                self._tell(Finding(text, "allow +info and +time", "info"), error=error.problem)
            except FrameworkError as error:
                self.store.outage.begin(error)
            else:
                self.version = seen.version
                skew = skew_finding(ahead_ms)
                for finding in (*findings_of(seen), *([skew] if skew else [])):
                    self._tell(finding)

    def _tell(self, finding: Finding, **more: object) -> None:
        now = anyio.current_time()
        told = self._told.get(finding.text)
        if told is not None and now < told + AGAIN_SECONDS:
            return
        self._told[finding.text] = now
        facts = {**dict(finding.facts), **more, "redis": self.store.address.name}
        getattr(log, finding.level)(finding.text, **facts, fix=finding.fix)
