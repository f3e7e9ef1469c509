"""Limits that hold for a whole queue, whoever works it; plain commands, no Lua."""

from framework.store.store import Store
from framework.wire.keys import QueueKeys

# What BullMQ writes for "no more": larger than any limit.
FULL = 9_007_199_254_740_991


async def meta_numbers(store: Store, keys: QueueKeys, *fields: str) -> list[int | None]:
    """Return fields of ``meta`` as whole numbers; None where one is missing or odd."""
    found = await store.command("HMGET", keys["meta"], *fields)
    return [int(raw) if raw is not None and raw.isdigit() else None for raw in found]


async def set_meta(store: Store, keys: QueueKeys, **fields: int) -> None:
    """Write fields of ``meta``."""
    pairs = [part for pair in fields.items() for part in pair]
    await store.command("HSET", keys["meta"], *pairs)


async def delete_meta(store: Store, keys: QueueKeys, *fields: str) -> bool:
    """Delete fields of ``meta``; return whether any was there."""
    return bool(await store.command("HDEL", keys["meta"], *fields))


async def limit_rate(store: Store, keys: QueueKeys, span_ms: int) -> None:
    """Let workers take no job for a while.

    Wire: key ``limiter``; field ``x-fw.limited`` of ``meta``, for our workers without a limit.
    """
    until_ms = store.clock.now_ms() + span_ms
    await store.pipeline(
        [
            ("HSET", keys["meta"], "x-fw.limited", until_ms),
            ("SET", keys["limiter"], FULL, "PX", span_ms),
        ]
    )


async def unlimit_rate(store: Store, keys: QueueKeys) -> bool:
    """Forget what was taken in this window; return whether anything was known."""
    return bool(await store.command("DEL", keys["limiter"]))


async def rate_limit_ttl_ms(store: Store, keys: QueueKeys, most: int | None) -> int:
    """Return how long no job may be taken, or 0.

    Args:
        most: A limit; unless given the queue's own, and without one any.
    """
    used, ttl, own = await store.pipeline(
        [("GET", keys["limiter"]), ("PTTL", keys["limiter"]), ("HGET", keys["meta"], "max")]
    )
    limit = most if most is not None else int(own) if own else None
    if used is None or (limit is not None and int(used) < limit):
        return 0
    return max(0, int(ttl))
