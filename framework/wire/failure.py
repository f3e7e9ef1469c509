"""What is written of an error: one line of reason, and a trace that begins in user code."""

import json
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from framework.errors import (
    HandlerError,
    JobCancelledError,
    JobQuarantinedError,
    PayloadError,
    ProcessCrashedError,
    ResultError,
)

MOST_CHARACTERS = 20_000
OWN_FOLDER = str(Path(__file__).parent.parent)
WITHOUT_TRACE = (PayloadError, ResultError, JobCancelledError)


def reason_of(error: BaseException) -> str:
    """Return the text for ``failedReason``."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return reason_of(error.exceptions[0])
    try:
        text = str(error)
    except Exception:  # user code words its errors, and may fail at that too
        text = ""
    return writable(text or type(error).__name__)


def trace_of(error: BaseException) -> str:
    """Return an error's trace, without the frames of the framework above user code."""
    if isinstance(error, WITHOUT_TRACE):
        return writable(f"{type(error).__name__}: {error}")
    if isinstance(error, HandlerError):
        notes: list[str] = getattr(error, "__notes__", [])
        lines = [error.trace.rstrip("\n"), *notes, ""] if notes else [error.trace]
        return writable("\n".join(lines)[-MOST_CHARACTERS:])
    if isinstance(error, ProcessCrashedError | JobQuarantinedError):
        printed = f"\nIt printed last:\n{error.trace}" if error.trace else ""
        return writable(f"{type(error).__name__}: {error}{printed}"[-MOST_CHARACTERS:])
    begin = first_foreign(error.__traceback__)
    lines = traceback.format_exception(type(error), error, begin or error.__traceback__)
    return writable("".join(lines)[-MOST_CHARACTERS:])


def first_foreign(frame: TracebackType | None) -> TracebackType | None:
    """Return the first frame that is not the framework's."""
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(OWN_FOLDER):
        frame = frame.tb_next
    return frame


def writable(text: str) -> str:
    """Return ``text`` without what UTF-8 cannot hold."""
    return text.encode(errors="replace").decode()


def stacktrace_json(before: Sequence[str], error: BaseException, limit: int | None) -> bytes:
    """Return the ``stacktrace`` field with this attempt's trace added.

    Args:
        before: Those of earlier attempts.
        limit: Keep so many, the newest; None keeps all.
    """
    rows = [*before, trace_of(error)]
    if limit is not None:
        rows = rows[len(rows) - limit :] if limit else []
    return json.dumps(rows).encode()
