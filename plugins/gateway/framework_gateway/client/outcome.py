"""What the gateway is told of a run: a pure function of how the handler ended."""

import traceback

from framework import PayloadError, UnrecoverableError
from framework_gateway.client.json_text import worded


def result_of(value: object) -> dict[str, object]:
    """Return what is said of a job whose handler has returned.

    A result that JSON cannot hold fails the job for good: its work is done.
    """
    try:
        worded(value)
    except PayloadError as error:
        told = f"the result cannot be written: {error}"
        return {"err": {"message": told, "unrecoverable": True}}
    return {"result": value}


def failure_of(error: Exception) -> dict[str, object]:
    """Return what is said of a job whose handler has raised."""
    told: dict[str, object] = {
        "message": printable(str(error)) or type(error).__name__,
        "name": type(error).__name__,
        "stack": printable("".join(traceback.format_exception(error))),
    }
    if isinstance(error, UnrecoverableError):
        told["unrecoverable"] = True
    return {"err": told}


def printable(text: str) -> str:
    """Return a text that UTF-8 can hold."""
    return text.encode(errors="replace").decode()
