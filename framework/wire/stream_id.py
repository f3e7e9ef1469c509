"""The ids of stream entries: their order, and which texts are one."""

import re

FIRST = "0-0"
SHAPE = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
MAX_PART = 2**64 - 1


def order_of(entry_id: str) -> tuple[int, int]:
    """Return what sorts ids of one stream."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def is_id(text: object) -> bool:
    """Tell whether something is the full id of an entry, such as ``1700000000000-0``."""
    return (
        isinstance(text, str)
        and SHAPE.fullmatch(text) is not None
        and max(order_of(text)) <= MAX_PART
    )
