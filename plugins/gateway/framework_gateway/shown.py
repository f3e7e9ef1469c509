"""Reading values out of JSON as JavaScript would, and telling of those that cannot be used."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from pydantic_core import to_json

from framework_gateway.errors import bad_request

# What JavaScript counts exactly.
MOST = 2**53 - 1
# An error tells of a value, and does not send it back.
MOST_CHARACTERS = 100
UNDEFINED: Any = object()


def shown(value: object) -> str:
    """Return a value as an error tells of it: text as it is, else as JSON, cut if it is long."""
    if value is UNDEFINED:
        return "undefined"
    text = value if isinstance(value, str) else to_json(value, inf_nan_mode="null").decode()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def is_number(value: object) -> bool:
    """Tell whether a value is a number; ``true`` is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def whole(value: Any, least: int, most: int = MOST) -> int | None:  # noqa: ANN401 - out of JSON
    """Return a value as a whole number, as ``5.0`` is too; None where it is none in range."""
    if not is_number(value) or value != int(value) or not least <= value <= most:
        return None
    return int(value)


def demand_whole(name: str, value: object, least: int, most: int = MOST) -> int:
    """Return a value as a whole number.

    Raises:
        AnswerError: 400, ``Invalid delay -1``.
    """
    number = whole(value, least, most)
    if number is None:
        raise bad_request(f"Invalid {name} {shown(value)}")
    return number


def demand(name: str, value: object, kind: type, words: str) -> None:
    """Refuse a value of another type.

    Raises:
        AnswerError: 400, ``Invalid lifo x, must be a boolean``.
    """
    if not isinstance(value, kind):
        raise bad_request(f"Invalid {name} {shown(value)}, must be {words}")


def refuse_unknown(given: Iterable[str], known: Iterable[str], word: Callable[[str], str]) -> None:
    """Refuse a member that there is not.

    Raises:
        AnswerError: 400, in the words given.
    """
    for name in given:
        if name not in known:
            raise bad_request(word(shown(name)))


def unexpected(before: str = "") -> Callable[[str], str]:
    """Return how an unexpected member is told of, such as ``Unexpected field: opts.foo``."""
    return lambda name: f"Unexpected field: {before}{name}"
