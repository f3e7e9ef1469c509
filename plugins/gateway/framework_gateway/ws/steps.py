"""What a worker client says of a delivery: read from JSON, in whichever of its forms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from framework import HandlerError, UnrecoverableError
from framework_gateway.shown import is_number, shown, whole

MOST_EXTENSION_MS = 3_600_000
MOST_DELAY_MS = 2**41 - 1
TIMED_OUT = "job timed out"
UNRECOVERABLE = "UnrecoverableError"


class UnrecoverableClientError(HandlerError, UnrecoverableError):
    """What a client failed with, and that no retry helps."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """It has begun."""


@dataclass(frozen=True, slots=True)
class Result:
    """It is done."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """It has failed."""

    error: HandlerError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    value: Any


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row for its log."""

    row: str


@dataclass(frozen=True, slots=True)
class Extend:
    """Its lock is to last so long."""

    ms: int


@dataclass(frozen=True, slots=True)
class Release:
    """It goes back in line."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """Its client is gone: it goes back, or fails if that was too often."""

    most: int


@dataclass(frozen=True, slots=True)
class Delay:
    """It runs again later."""

    ms: int


@dataclass(frozen=True, slots=True)
class Update:
    """Its data is replaced."""

    data: Any


Ending = Result | Failure | Release | Vanished | Delay
Step = Ending | Acknowledge | Progress | LogRow | Extend | Update
ENDINGS = (Result, Failure, Release, Vanished, Delay)
# Short forms whose name is that of the typed form, and the one that is not.
FLAGS = ("ack", "release")
SHORT = ("err", "result", "ack", "progress", "log", "extend", "release")


class StepError(Exception):
    """A message that says nothing of a delivery.

    Args:
        code: ``EMESSAGE`` or ``EARGS``.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_step(data: dict[str, Any]) -> Step:
    """Read what a client says.

    Raises:
        StepError: It has none of the forms.
    """
    kind = data.get("type")
    if kind is not None:
        return typed(kind, data.get("payload"))
    for name in SHORT:
        if name in data:
            return short(name, data[name])
    if isinstance(data.get("message"), str):
        return Failure(failure_of(data))
    raise StepError("EMESSAGE", "the message says nothing of the delivery")


def typed(kind: object, payload: Any) -> Step:  # noqa: ANN401 - out of JSON
    """Read a typed form. Raises as `read_step`."""
    read = READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise StepError("EMESSAGE", "there is no such type of message")
    return read(payload)


def short(name: str, value: Any) -> Step:  # noqa: ANN401 - out of JSON
    """Read a short form. Raises as `read_step`."""
    if name in FLAGS and value is not True:
        raise StepError("EARGS", f"{name} must be true")
    return READERS["error" if name == "err" else name](value)


def progress_of(value: Any) -> Progress:  # noqa: ANN401 - out of JSON
    """Read how far a job is. Raises as `read_step`."""
    if value is None:
        raise StepError("EARGS", "progress cannot be null")
    return Progress(value)


def row_of(value: object) -> LogRow:
    """Read a row of a log. Raises as `read_step`."""
    if not isinstance(value, str):
        raise StepError("EARGS", "log must be a string")
    return LogRow(value)


def milliseconds(name: str, given: object, least: int, most: int) -> int:
    """Read a time. Raises as `read_step`."""
    ms = whole(given, least, most) if is_number(given) else None
    if ms is None:
        raise StepError("EARGS", f"{name} must be a whole number of ms from {least} to {most}")
    return ms


def failure_of(told: Any) -> HandlerError:  # noqa: ANN401 - out of JSON
    """Return the error that stands for what a client failed with."""
    if not isinstance(told, dict):
        text = told if isinstance(told, str) else shown(told)
        return HandlerError("", text, text)
    text = words(told.get("message"))
    stack = told.get("stack")
    trace = stack if isinstance(stack, str) and stack else text
    is_hopeless = told.get("unrecoverable") is True or told.get("name") == UNRECOVERABLE
    return (UnrecoverableClientError if is_hopeless else HandlerError)("", text, trace)


def timed_out() -> HandlerError:
    """Return why a job failed whose client took too long."""
    return HandlerError("", TIMED_OUT, TIMED_OUT)


def words(message: object) -> str:
    """Return the message of an error."""
    if message is None:
        return "failed"
    return message if isinstance(message, str) else shown(message)


READERS: dict[str, Callable[[Any], Step]] = {
    "ack": lambda _: Acknowledge(),
    "result": Result,
    "error": lambda told: Failure(failure_of(told)),
    "progress": progress_of,
    "log": row_of,
    "extend": lambda ms: Extend(milliseconds("extend", ms, 1, MOST_EXTENSION_MS)),
    "release": lambda _: Release(),
    "delay": lambda ms: Delay(milliseconds("delay", ms, 0, MOST_DELAY_MS)),
    "update": Update,
}
