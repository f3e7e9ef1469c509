"""The ids of stream entries: their order, and which texts are one."""

import re

FIRST = "0-0"
SHAPE = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")
MAX_PART = 2**64 - 1


def order_of(entry_id: str) -> tuple[int, int]:
    """Return what sorts ids of one stream."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def whole_id(text: object) -> str | None:
    """Return the full id of an entry, such as ``1700000000000-0``; None if this is none.

    As for Redis, the milliseconds alone are the first id of theirs.
    """
    found = SHAPE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    whole = f"{found[1]}-{found[2] or 0}"
    return whole if max(order_of(whole)) <= MAX_PART else None
