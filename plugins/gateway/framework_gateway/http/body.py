"""Reading the body of a request, which may be so large and take so long."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from framework_gateway.errors import AnswerError
from framework_gateway.hub import Hub
from framework_gateway.strict_json import json_of

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
