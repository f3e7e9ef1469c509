"""One cheap look at a queue: what waits, for how long, and what keeps workers from it."""

from dataclasses import dataclass
from typing import Literal

from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

LINE_LOOK = load_script("line_look")

Hindrance = Literal["paused", "global concurrency", "rate limit"]


@dataclass(frozen=True, slots=True)
class LineLook:
    """What was seen.

    Attributes:
        waiting: How many jobs are in line, those that a pause of BullMQ 5 parked among them.
        is_takeable: Whether a worker with a free slot should get one now.
        head: Who is next; empty if nobody is.
        waits_ms: For how long the job has waited that seems to wait longest, or 0.
        hindrance: What keeps workers from taking jobs, if anything does.
    """

    waiting: int
    is_takeable: bool
    head: str
    waits_ms: int
    hindrance: Hindrance | None


async def look_at_line(
    store: Store, keys: QueueKeys, now_ms: int, own_limit: int | None = None
) -> LineLook:
    """Look at a queue; a second look costs no more than the first.

    Args:
        own_limit: How many jobs the worker itself takes in its window.

    Raises:
        RedisUnavailableError: No answer.
        RedisRefusedError: Redis refuses.
    """
    reply = await store.run(LINE_LOOK, keys.pick(LINE_LOOK.keys), [now_ms])
    waiting, parked, active, head, since, is_paused, *limits = reply
    since_ms = int(since)
    hindrance: Hindrance | None = None
    concurrency, most, limited_until, used, ttl_ms = map(number, limits)
    if is_paused:
        hindrance = "paused"
    elif concurrency is not None and active >= concurrency:
        hindrance = "global concurrency"
    elif is_limited(most or own_limit, limited_until or 0, used or 0, ttl_ms or 0, now_ms):
        hindrance = "rate limit"
    return LineLook(
        waiting=waiting + parked,
        is_takeable=waiting > 0 and hindrance is None,
        head=head.decode(errors="replace"),
        waits_ms=max(0, now_ms - since_ms) if since_ms else 0,
        hindrance=hindrance,
    )


def is_limited(most: int | None, limited_until: int, used: int, ttl_ms: int, now_ms: int) -> bool:
    """Tell whether a rate limit lets no job be taken now: a number of jobs, or one set by hand."""
    if ttl_ms == 0:
        return False
    return limited_until > now_ms or (most is not None and used >= most)


def number(raw: bytes | int) -> int | None:
    """Return a whole number; None where none is set, or it is odd."""
    text = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    return int(text) if text.isdigit() else None
