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
FULL = "redis is nearly out of memory: soon nothing can be added"
SKEWED = "this machine's clock differs from redis': delays and schedules come at the wrong time"
# What comes and goes by itself is not said each time that it comes, and however far it goes.
WAVERING = {FULL, SKEWED}


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

    @property
    def identity(self) -> object:
        """What tells it from another one: what is seen too, unless that is never the same."""
        return self.text if self.text in WAVERING else (self.text, self.facts)


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
            FULL,
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
        SKEWED,
        "keep all clocks right with NTP",
        facts=(("ahead_seconds", round(ahead_ms / 1000, 1)),),
    )


@dataclass(slots=True)
class ServerCare:
    """Looks after the servers of one application.

    Args:
        store: Where they are.
        near: In a cluster, keys: the nodes that serve them are asked.
        is_silent: Whether somebody else says what is wrong: a supervisor, once for all.

    Attributes:
        version: What the server last called itself.
    """

    store: Store
    near: Sequence[str | None]
    is_silent: bool = False
    version: str = ""
    _told: dict[object, float] = field(default_factory=dict[object, float])

    async def run(self) -> None:
        """Look every minute until cancelled; the first look is `look`."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once at all of them; what cannot be seen now is seen another time."""
        try:
            found = [finding for key in self.near for finding in await self._look_at(key)]
        except FrameworkError as error:
            self.store.outage.begin(error)
            return
        if not self.is_silent:
            self._tell(found)

    async def _look_at(self, key: str | None) -> list[Finding]:
        try:
            seen = await read_server_facts(self.store, key)
            ahead_ms = await read_skew_ms(self.store, key)
        except RedisRefusedError as error:
            text = "redis lets nobody check how safe jobs are on it"
            facts = (("error", error.problem),)
            return [Finding(text, "allow +info and +time", "info", facts)]
        self.version = seen.version
        skew = skew_finding(ahead_ms)
        return [*findings_of(seen), *([skew] if skew else [])]

    def _tell(self, found: Sequence[Finding]) -> None:
        """Say what is new, or goes on for an hour; what was mended is new if it comes again."""
        now = anyio.current_time()
        there = {one.identity for one in found}
        self._told = {one: at for one, at in self._told.items() if one in there or one in WAVERING}
        for one in found:
            told = self._told.get(one.identity)
            if told is None or now >= told + AGAIN_SECONDS:
                self._told[one.identity] = now
                facts = {**dict(one.facts), "redis": self.store.address.name}
                getattr(log, one.level)(one.text, **facts, fix=one.fix)
