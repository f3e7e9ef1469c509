"""Keys of a queue that are not of the type that they should be: nothing can be done with them."""

from framework.errors import KeyTypeError
from framework.store.store import Store
from framework.wire.keys import QueueKeys

LISTS = ("wait", "paused", "active")
SORTED_SETS = (
    "prioritized", "delayed", "completed", "failed", "waiting_children", "marker", "repeat_set",
)  # fmt: skip
TEXTS = ("pc", "id", "limiter", "stalled_check")
TYPES = {
    **dict.fromkeys(LISTS, "list"),
    **dict.fromkeys(SORTED_SETS, "zset"),
    **dict.fromkeys(TEXTS, "string"),
    "stalled": "set",
    "meta": "hash",
    "events": "stream",
}
NO_KEY = "none"


async def find_odd_keys(store: Store, keys: QueueKeys) -> list[KeyTypeError]:
    """Return what is wrong with the keys of a queue, each with what is to be done.

    Raises:
        RedisUnavailableError: No answer.
        RedisRefusedError: The user may not ask.
    """
    wanted = {keys[word]: kind for word, kind in TYPES.items()}
    wanted |= {keys.schedules: "hash", keys.audit: "string"}
    replies = await store.pipeline([("TYPE", key) for key in wanted])
    found = zip(wanted.items(), map(text_of, replies), strict=True)
    return [
        KeyTypeError(store.address.name, key=key, found=kind, wanted=should)
        for (key, should), kind in found
        if kind not in {should, NO_KEY}
    ]


def text_of(reply: bytes | str) -> str:
    """Return a status reply as text."""
    return reply.decode() if isinstance(reply, bytes) else reply
