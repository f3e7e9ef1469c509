"""Which part of a list a request asks for."""

import re
from collections.abc import Mapping, Sequence

from framework_gateway.counts import TYPES
from framework_gateway.errors import bad_request
from framework_gateway.shown import MOST, shown

WHOLE = re.compile(r"-?[0-9]+")
MOST_IN_PAGE = 100
MOST_DIGITS = 20
LENGTH = 10
DEFAULT_TYPES = ("waiting", "active", "completed", "failed")


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Return ``start`` and ``length``.

    Raises:
        AnswerError: 400, in BullMQ Proxy's words.
    """
    start, length = number_of(query.get("start"), 0), number_of(query.get("length"), LENGTH)
    if start < 0 or length < 0:
        raise bad_request("Start and length must be positive")
    if length > MOST_IN_PAGE:
        raise bad_request(f"Length must be less than or equal to {MOST_IN_PAGE}")
    return start, length


def number_of(text: str | None, default: int) -> int:
    """Read a whole number. Raises as `page_of`."""
    if not text:
        return default
    number = int(text) if WHOLE.fullmatch(text) and len(text) <= MOST_DIGITS else None
    if number is None or number > MOST:
        raise bad_request("Invalid start or length")
    return number


def types_of(text: str | None) -> Sequence[str]:
    """Return the types of jobs that a list with commas names.

    Raises:
        AnswerError: 400, ``Invalid status: foo``.
    """
    asked = [one.strip() for one in (text or "").split(",") if one.strip()]
    for one in asked:
        if one not in TYPES:
            raise bad_request(f"Invalid status: {shown(one)}")
    return asked or DEFAULT_TYPES
