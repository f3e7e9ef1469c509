"""Reading the body of a request: bounded, and JSON that every other language can read back."""

import math
import re
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from framework_gateway.errors import AnswerError
from framework_gateway.hub import Hub

# What may be larger than any number: an exponent, or more digits than there are powers of ten.
MAY_BE_INFINITE = re.compile(rb"[0-9][eE]|[0-9]{300}")
CLOSE = {"Connection": "close"}
MOST_DIGITS = 18


async def read_body(hub: Hub, request: Request) -> bytes:
    """Return the body.

    Raises:
        AnswerError: 413, it is larger than a message may be; 408, it took too long.
    """
    most = hub.settings.max_message_bytes
    length = request.headers.get("content-length", "")
    is_large = length.isdecimal() and (len(length) > MOST_DIGITS or int(length) > most)
    if is_large and request.headers.get("expect", "").lower() == "100-continue":
        raise too_large(most)
    body = bytearray()
    # What is too large is read to its end all the same, in the time that a request has: a client
    # that still sends when the connection is closed never sees the answer.
    async for part in request.stream():
        if is_large or len(body) + len(part) > most:
            is_large = True
            body.clear()
        else:
            body += part
    if is_large:
        raise too_large(most)
    return bytes(body)


def too_large(most: int) -> AnswerError:
    """Return what refuses a body."""
    words = f"Body must be at most {most} bytes long"
    return AnswerError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words, headers=CLOSE)


async def read_json(hub: Hub, request: Request) -> Any:  # noqa: ANN401 - whatever it holds
    """Return the body's JSON value.

    Raises:
        AnswerError: 400, it holds none; else as `read_body`.
    """
    return json_of(await read_body(hub, request))


async def read_object(hub: Hub, request: Request, *, or_nothing: bool = False) -> dict[str, Any]:
    """Return the body's JSON object.

    Args:
        or_nothing: Take no body at all for an empty one.

    Raises:
        AnswerError: 400, it is none; else as `read_body`.
    """
    body = await read_body(hub, request)
    if or_nothing and not body.strip():
        return {}
    value = json_of(body)
    if not isinstance(value, dict):
        raise AnswerError(HTTPStatus.BAD_REQUEST, "Body must be an object")
    return value


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
