"""Reading JSON that every other language can read back."""

import math
import re
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

from framework_gateway.errors import AnswerError

# What may be larger than any number: an exponent, or more digits than there are powers of ten.
MAY_BE_INFINITE = re.compile(rb"[0-9][eE]|[0-9]{300}")


def json_of(body: bytes) -> Any:  # noqa: ANN401 - whatever it holds
    """Return the value of a JSON text.

    Raises:
        AnswerError: 400: it is malformed, no UTF-8, nested too deeply, or has a number that no
            other reader could hold.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise malformed(str(error)) from None
    if MAY_BE_INFINITE.search(body) and holds_infinity(value):
        raise malformed("number out of range")
    return value


def malformed(why: str) -> AnswerError:
    """Return what refuses a text that is no JSON."""
    return AnswerError(HTTPStatus.BAD_REQUEST, f"Invalid JSON: {why}", code="EPARSE")


def holds_infinity(value: object) -> bool:
    """Tell whether a number was too large for a float, anywhere in a value."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return True
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return False
