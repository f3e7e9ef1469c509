"""What a caller says to hold a job by hand, checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from framework.errors import FailedByHandError, LockLostError, OptionsError
from framework.model.job import Token
from framework.model.spans import check_span
from framework.wire.keys import is_text
from framework.wire.millis import to_ms

# Peers read this one as "no lock".
NO_LOCK = "0"
NOT_HELD = (
    "is not held with this token: it was ended already, its lock expired, or another token holds "
    "it. Nothing was changed. A lock that must last longer is renewed with extend_lock"
)


@contextmanager
def by_hand() -> Iterator[None]:
    """Say of a lost lock what it means to who works by hand."""
    try:
        yield
    except LockLostError as lost:
        lost.problem = NOT_HELD
        raise


def checked_token(token: str) -> Token:
    """Refuse a token that would hold nothing."""
    if not is_text(token) or token == NO_LOCK:
        raise OptionsError("token", f'it is text, not empty and not "0", got {token!r}')
    return Token(token)


def checked_lock_ms(option: str, span: timedelta) -> int:
    """Return how long a lock lasts, or refuse it."""
    check_span(option, span)
    if span < timedelta(milliseconds=1):
        raise OptionsError(option, f"it is at least a millisecond, got {span}")
    return to_ms(span)


def cause_of(error: BaseException | str) -> BaseException:
    """Return what an attempt is failed with, as an exception."""
    if isinstance(error, str):
        return FailedByHandError(error)
    if not isinstance(error, BaseException):
        raise OptionsError("error", f"it is an exception or text, got {error!r}")
    return error
