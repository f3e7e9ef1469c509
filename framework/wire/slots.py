"""Which slot of a Redis Cluster a key is in, and what must share one."""

from binascii import crc_hqx
from functools import lru_cache

from framework.errors import SlotError

SLOTS = 16384


def hash_tag(key: str) -> str:
    """Return the part of a key between its first ``{`` and the next ``}``; empty: it has none."""
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start else ""


@lru_cache(maxsize=4096)
def slot_of(key: str) -> int:
    """Return the slot of a key, 0 to 16383."""
    return crc_hqx((hash_tag(key) or key).encode(), 0) % SLOTS


def check_same_slot(*bases: str) -> None:
    """Refuse what a cluster could not do in one call.

    Args:
        bases: Keys, or beginnings of keys, of all that is to be touched at once.

    Raises:
        SlotError: One has no hash tag, or they are in several slots; it names the fix.
    """
    for base in bases:
        if not hash_tag(base):
            raise SlotError((base,))
    if len({slot_of(base) for base in bases}) > 1:
        raise SlotError(tuple(dict.fromkeys(bases)))
