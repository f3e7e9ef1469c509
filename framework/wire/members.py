"""Members of a JSON object that any peer may have written, read as what they were meant to be."""

from collections.abc import Mapping
from typing import Any, TypeGuard

# What JavaScript counts exactly; whatever is larger was not meant.
MOST = 2**53


def number_in(stored: Mapping[str, Any], name: str) -> int | None:
    """Return a member as a whole number that is not negative, or None."""
    number = stored.get(name)
    return int(number) if is_number(number) and 0 <= number <= MOST else None


def is_number(stored: object) -> TypeGuard[int | float]:
    """Tell whether a member is a number; ``true`` is none."""
    return isinstance(stored, int | float) and not isinstance(stored, bool)
