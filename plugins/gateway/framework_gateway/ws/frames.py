"""What clients send: one JSON text with an ``id`` and ``data``; and how answers are worded."""

from typing import Any, NamedTuple

from pydantic_core import to_json

from framework_gateway.errors import AnswerError
from framework_gateway.strict_json import json_of


class Frame(NamedTuple):
    """A message of a client.

    Attributes:
        id: As the client chose it, a JSON text.
        key: The same as a value.
        data: What it says.
        size: Of the whole, in bytes.
    """

    id: bytes
    key: int | float | str
    data: dict[str, Any]
    size: int


class FrameError(Exception):
    """A message that says nothing.

    Args:
        code: Such as ``EPARSE``.
        message: What is wrong.
        frame_id: Its id where it has one, as a JSON text.
    """

    def __init__(self, code: str, message: str, frame_id: bytes = b"null") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.frame_id = frame_id


def read_frame(text: bytes) -> Frame:
    """Read a message.

    Raises:
        FrameError: It is no JSON, or has no id or no data.
    """
    try:
        value = json_of(text)
    except AnswerError as error:
        raise FrameError("EPARSE", error.message) from None
    if not isinstance(value, dict):
        raise FrameError("EMESSAGE", "a message is an object with id and data")
    key = value.get("id")
    if isinstance(key, bool) or not isinstance(key, int | float | str):
        raise FrameError("EMESSAGE", "id must be a number or a string")
    frame_id = to_json(key)
    data = value.get("data")
    if not isinstance(data, dict):
        raise FrameError("EMESSAGE", "data must be an object", frame_id)
    return Frame(frame_id, key, data, len(text))


def ok(frame_id: bytes, result: bytes) -> bytes:
    """Word an answer; ``result`` is a JSON text."""
    return b'{"id":%b,"data":{"ok":%b}}' % (frame_id, result)


def failed(frame_id: bytes, code: str, message: str, stack: str = "") -> bytes:
    """Word a refusal."""
    told = to_json({"message": message, "code": code, "stack": stack})
    return b'{"id":%b,"data":{"err":%b}}' % (frame_id, told)
