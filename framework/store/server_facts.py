"""What a server says of itself that decides whether jobs are safe on it."""

from dataclasses import dataclass
from time import monotonic

from framework.errors import RedisRefusedError
from framework.model.clock import SystemClock
from framework.store.store import Store


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One look at a server.

    Attributes:
        version: As it calls itself.
        policy: Its ``maxmemory-policy``; empty where it does not tell.
        used_bytes: The memory that it uses.
        max_bytes: The memory that it may use; 0: no limit.
        is_replica: Whether it follows another server.
        has_aof: Whether it keeps an append-only file.
    """

    version: str
    policy: str
    used_bytes: int
    max_bytes: int
    is_replica: bool
    has_aof: bool


async def read_server_facts(store: Store, near: str | None = None) -> ServerFacts:
    """Ask a server for its facts; it needs no right to read its configuration.

    Args:
        near: In a cluster, a key: the node that serves it is asked.

    Raises:
        RedisUnavailableError: No answer.
        RedisRefusedError: The user may not ask.
    """
    told: dict[str, object] = await store.command("INFO", near=near)
    return ServerFacts(
        version=str(told.get("valkey_version") or told.get("redis_version") or ""),
        policy=str(told.get("maxmemory_policy") or ""),
        used_bytes=int(str(told.get("used_memory") or 0)),
        max_bytes=int(str(told.get("maxmemory") or 0)),
        is_replica=told.get("role") == "slave",
        has_aof=str(told.get("aof_enabled", 1)) == "1",
    )


async def read_skew_ms(store: Store, near: str | None = None) -> int:
    """Return how far this machine's clock is ahead of a server's; below zero: behind.

    What the way there and back can explain is taken off.

    Raises:
        RedisUnavailableError: No answer.
        RedisRefusedError: The user may not ask.
    """
    began_ms, began = store.clock.now_ms(), monotonic()
    seconds, micros = await store.command("TIME", near=near)
    trip_ms = (monotonic() - began) * 1000
    return skew_ms(began_ms, trip_ms, seconds * 1000 + micros / 1000)


async def read_shared_ms(store: Store, near: str | None = None) -> int:
    """Return the milliseconds since the epoch by the one clock that all processes share.

    That is the server's; where nobody may ask for it, this machine's. A clock that a test put in
    place of the machine's is shared already.

    Raises:
        RedisUnavailableError: No answer.
    """
    if not isinstance(store.clock, SystemClock):
        return store.clock.now_ms()
    try:
        seconds, micros = await store.command("TIME", near=near)
    except RedisRefusedError:
        return store.clock.now_ms()
    return int(seconds) * 1000 + int(micros) // 1000


def skew_ms(began_ms: int, trip_ms: float, there_ms: float) -> int:
    """Return the least skew that explains what was seen.

    Args:
        began_ms: When the server was asked, by the clock of this machine.
        trip_ms: How long its answer took.
        there_ms: The server's time in it: it was read somewhere on the way.
    """
    if there_ms < began_ms:
        return round(began_ms - there_ms)
    return -round(max(0.0, there_ms - began_ms - trip_ms))
